/** Networks from files: what a file is, by its content, and how each kind is opened. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Network } from "../../analyze/networks/network.ts";
import { onnxNetwork } from "../../analyze/networks/onnx-network.ts";
import type { ByteSource } from "../../core/byte-source.ts";
import { atPlace, FileError, ShapeError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { isPlainObject } from "../../core/tree.ts";
import { importModel } from "../../onnx/import.ts";
import { shown } from "../../runs/folder/run-folder.node.ts";
import { openBeside, openFile } from "../../storage/file-source.node.ts";
import { openTfjs } from "./open-tfjs.ts";
import { configNetwork, openSafetensors, openShards } from "./open-weights.ts";
import { ShapeChooser, type ShapeOptions } from "./shapes.ts";

/** A config or a model in JSON is smaller than this; what is larger is something else. */
const maxJsonBytes = 2 ** 28;

/** Files that hold models in forms that are refused, by how they begin, and what to do instead. */
const refused: readonly (readonly [begin: string, offset: number, what: string])[] = [
  [
    "PK\u0003\u0004",
    0,
    "a zip archive, as PyTorch (.pt, .bin) and Keras (.keras) write: it may hold pickled code, which is never run here; save the weights as safetensors, or export the model to ONNX (torch.onnx.export)",
  ],
  [
    "\u0080\u0002",
    0,
    "a Python pickle, which is code that is never run here; save the weights as safetensors, or export the model to ONNX (torch.onnx.export)",
  ],
  ["\u0089HDF", 0, "an HDF5 file, as Keras writes; convert it with tensorflowjs_converter or tf2onnx"],
  ["GGUF", 0, "a GGUF file; inspect the safetensors or config.json that it was made of"],
  ["TFL3", 4, "a TensorFlow Lite model; convert it to ONNX with tf2onnx"],
];

/** Opens what lies at a path. Throws FileError for something else than a model. */
export function openPath(path: string, shapes: ShapeOptions): Network {
  if (statSync(path).isDirectory()) return openPath(modelIn(path), shapes);
  const file = openFile(path);
  try {
    return openSource(path, file, shapes);
  } catch (error) {
    throw error instanceof FileError ? atPlace(shown(path), error) : error;
  } finally {
    file.close();
  }
}

/** The file of a folder that describes its model best. */
function modelIn(folder: string): string {
  const wanted = ["model.onnx", "model.safetensors", "model.safetensors.index.json", "config.json", "model.json"];
  const found = wanted.find((name) => existsSync(join(folder, name)));
  const only = readdirSync(folder).filter((name) => /\.(onnx|safetensors)$/.test(name));
  const name = found ?? (only.length === 1 ? only[0] : undefined);
  if (name === undefined)
    throw new FileError(`${shown(folder)} holds none of ${wanted.join(", ")}; give the path of a file`);
  return join(folder, name);
}

function openSource(path: string, file: ByteSource, shapes: ShapeOptions): Network {
  const head = file.read(0, Math.min(64, file.size));
  const text = String.fromCharCode(...head);
  const [, , what] = refused.find(([begin, offset]) => text.startsWith(begin, offset)) ?? [];
  if (what !== undefined) throw new FileError(`it is ${what}`);
  if (file.size === 0) throw new FileError("the file is empty");
  if (isSafetensors(head, file.size)) return openSafetensors(path, file, shapes);
  if (/^\s*[{[]/.test(text)) return openJson(path, file, shapes);
  if (!path.endsWith(".onnx") && head[0] !== 0x08)
    throw new FileError(
      "its format is not known; pass an .onnx file, a .safetensors file, a Hugging Face config.json or a TensorFlow.js model.json",
    );
  return openOnnx(path, file, shapes);
}

/** The length of a header of JSON, then the header. */
const isSafetensors = (head: Uint8Array, size: number): boolean =>
  head.length > 8 &&
  head[8] === 0x7b &&
  new DataView(head.buffer, head.byteOffset).getUint32(4, true) === 0 &&
  size > 8;

function openOnnx(path: string, file: ByteSource, shapes: ShapeOptions): Network {
  const chooser = new ShapeChooser(shapes);
  const names: string[] = [];
  const beside: { close(): void }[] = [];
  try {
    const model = importModel(file, {
      external(location) {
        const source = openBeside(dirname(path), location);
        beside.push(source);
        return source;
      },
      shapeOf(declared) {
        names.push(declared.name);
        return chooser.settle(declared, names.length === 1);
      },
    });
    chooser.finish(names);
    return onnxNetwork(basename(path), model);
  } catch (error) {
    // Chosen by us or by the command line, the shapes are the likeliest cause.
    if (error instanceof ShapeError && !error.message.includes("--input-shape"))
      error.message += `; the input shapes may be the cause: pass others with --input-shape`;
    throw error;
  } finally {
    for (const source of beside) source.close();
  }
}

function openJson(path: string, file: ByteSource, shapes: ShapeOptions): Network {
  if (file.size > maxJsonBytes)
    throw new FileError(
      `it has ${plural(file.size, "byte")}, and no config or model in JSON has more than ${maxJsonBytes}`,
    );
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder().decode(file.read(0, file.size)));
  } catch (cause) {
    throw new FileError(`it is not valid JSON (${(cause as Error).message}); it is cut off or damaged`, { cause });
  }
  if (!isPlainObject(document)) throw new FileError("it is JSON, but not an object that describes a model");
  if (isPlainObject(document["weight_map"])) return openShards(path, document["weight_map"], shapes);
  if ("modelTopology" in document) return openTfjs(path, document, shapes);
  if ("model_type" in document) return configNetwork(path, document, shapes);
  throw new FileError(
    `it is JSON with ${Object.keys(document).slice(0, 5).join(", ") || "nothing in it"}; a Hugging Face config.json has model_type, a TensorFlow.js model.json modelTopology, an index of safetensors weight_map`,
  );
}
