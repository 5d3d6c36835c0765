/** What a file is, by how it begins, and what JSON files that belong to models hold. */
import type { ByteSource } from "../../core/byte-source.ts";
import { FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { isPlainObject } from "../../core/tree.ts";

/** Files that hold models in forms that are refused, by how they begin, and what to do instead. */
const refused: readonly (readonly [begin: string, offset: number, what: string])[] = [
  [
    "PK\u0003\u0004",
    0,
    "a zip archive, as PyTorch writes (.pt, .bin), and no whole .keras file: it may hold pickled code, which is never run here; save the weights as safetensors, or export the model to ONNX (torch.onnx.export)",
  ],
  [
    "\u0080",
    0,
    "a Python pickle, which is code that is never run here; save the weights as safetensors, or export the model to ONNX (torch.onnx.export)",
  ],
  ["TFL3", 4, "a TensorFlow Lite model; convert it to ONNX with tf2onnx"],
];

/** What a file is whose form is refused, and what to do instead; `undefined` for others. */
export function refusedFormat(head: Uint8Array): string | undefined {
  // The length of a header may begin as a pickle does.
  if (isSafetensors(head, head.length)) return undefined;
  const text = String.fromCharCode(...head);
  return refused.find(([begin, offset]) => text.startsWith(begin, offset))?.[2];
}

/** Whether a file is safetensors: the length of a header of JSON, then the header. */
export const isSafetensors = (head: Uint8Array, size: number): boolean =>
  head.length > 8 &&
  head[8] === 0x7b &&
  new DataView(head.buffer, head.byteOffset).getUint32(4, true) === 0 &&
  size > 8;

/** A config or a model in JSON is smaller than this; what is larger is something else. */
const maxJsonBytes = 2 ** 28;

/** The object of a JSON file. Throws FileError for what is none. */
export function readJson(file: ByteSource): Readonly<Record<string, unknown>> {
  if (file.size > maxJsonBytes)
    throw new FileError(`it has ${file.size} bytes, and no config or model in JSON has more than ${maxJsonBytes}`);
  let document: unknown;
  try {
    document = parseJson(new TextDecoder().decode(file.read(0, file.size)));
  } catch (cause) {
    throw new FileError(`it is not valid JSON (${(cause as Error).message}); it is cut off or damaged`, { cause });
  }
  if (!isPlainObject(document)) throw new FileError("it is JSON, but not an object that describes a model");
  return document;
}

/** The files that an index of weights names. Throws FileError for a name that is no text. */
export const shardsOf = (weightMap: Readonly<Record<string, unknown>>): readonly string[] =>
  [...new Set(Object.values(weightMap))].map((name) => {
    if (typeof name === "string") return name;
    throw new FileError("its weight_map names a file by something other than text; download it again");
  });

/** What to say of JSON that is neither a config, a model nor an index. */
export const foreignJson = (document: Readonly<Record<string, unknown>>): FileError =>
  new FileError(
    `it is JSON with ${Object.keys(document).slice(0, 5).join(", ") || "nothing in it"}; a Hugging Face config.json has model_type, a TensorFlow.js model.json modelTopology, an index of safetensors weight_map`,
  );
