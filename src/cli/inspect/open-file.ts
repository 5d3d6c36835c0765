/** Networks from files: what a file is, by its content, and how each kind is opened. */

import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Network } from "../../analyze/networks/network.ts";
import { onnxNetwork } from "../../analyze/networks/onnx-network.ts";
import type { ByteSource } from "../../core/byte-source.ts";
import { atPlace, FileError, reword, ShapeError } from "../../core/errors.ts";
import { isPlainObject } from "../../core/tree.ts";
import { foreignJson, isSafetensors, readJson, refusedFormat } from "../../formats/files/file-kinds.ts";
import { isGguf } from "../../formats/gguf/gguf-file.node.ts";
import { isKerasFile } from "../../formats/keras/document.ts";
import { importModel } from "../../onnx/import.ts";
import { openBeside, openFile } from "../../storage/file-source.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { openKeras, openTfjs } from "./open-tfjs.ts";
import { configNetwork, openGguf, openSafetensors, openShards } from "./open-weights.ts";
import { ShapeChooser, type ShapeOptions } from "./shapes.ts";

/** Opens what lies at a path. Throws FileError for something else than a model. */
export async function openPath(path: string, shapes: ShapeOptions): Promise<Network> {
  if (statSync(path).isDirectory()) return openPath(modelIn(path), shapes);
  const file = openFile(path);
  try {
    return await openSource(path, file, shapes);
  } catch (error) {
    throw error instanceof FileError ? atPlace(shownPath(path), error) : error;
  } finally {
    file.close();
  }
}

/** The file of a folder that describes its model best. */
function modelIn(folder: string): string {
  const wanted = ["model.onnx", "model.safetensors", "model.safetensors.index.json", "config.json", "model.json"];
  const found = wanted.find((name) => existsSync(join(folder, name)));
  const only = readdirSync(folder).filter((name) => /\.(onnx|safetensors|gguf|keras|h5|hdf5)$/.test(name));
  const name = found ?? (only.length === 1 ? only[0] : undefined);
  if (name === undefined)
    throw new FileError(`${shownPath(folder)} holds none of ${wanted.join(", ")}; give the path of a file`);
  return join(folder, name);
}

function openSource(path: string, file: ByteSource, shapes: ShapeOptions): Network | Promise<Network> {
  const head = file.read(0, Math.min(64, file.size));
  const text = String.fromCharCode(...head);
  if (isGguf(head)) return openGguf(path, file, shapes);
  if (isKerasFile(head, file)) return openKeras(path, file, shapes);
  const what = refusedFormat(head);
  if (what !== undefined) throw new FileError(`it is ${what}`);
  if (file.size === 0) throw new FileError("the file is empty");
  if (isSafetensors(head, file.size)) return openSafetensors(path, file, shapes);
  if (/^\s*[{[]/.test(text)) return openJson(path, file, shapes);
  if (!path.endsWith(".onnx") && head[0] !== 0x08)
    throw new FileError(
      "its format is not known; pass an .onnx, .safetensors, .gguf, .keras or .h5 file, a Hugging Face config.json or a TensorFlow.js model.json",
    );
  return openOnnx(path, file, shapes);
}

function openOnnx(path: string, file: ByteSource, shapes: ShapeOptions): Network {
  const chooser = new ShapeChooser(shapes);
  const names: string[] = [];
  const beside: { close(): void }[] = [];
  try {
    const model = importModel(file, {
      choices: "costlier",
      limits: shapes.limit,
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
    return onnxNetwork(basename(path), model, shapes.limit);
  } catch (error) {
    // Chosen by us or by the command line, the shapes are the likeliest cause.
    if (error instanceof ShapeError && !error.message.includes("--input-shape"))
      reword(error, `${error.message}; the input shapes may be the cause: pass others with --input-shape`);
    throw error;
  } finally {
    for (const source of beside) source.close();
  }
}

function openJson(path: string, file: ByteSource, shapes: ShapeOptions): Network {
  const document = readJson(file);
  if (isPlainObject(document["weight_map"])) return openShards(path, document["weight_map"], shapes);
  if ("modelTopology" in document) return openTfjs(path, document, shapes);
  if ("model_type" in document) return configNetwork(path, document, shapes);
  throw foreignJson(document);
}
