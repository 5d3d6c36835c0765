/** What a file is, by how it begins. */

/** Files that hold models in forms that are refused, by how they begin, and what to do instead. */
const refused: readonly (readonly [begin: string, offset: number, what: string])[] = [
  [
    "PK\u0003\u0004",
    0,
    "a zip archive, as PyTorch (.pt, .bin) and Keras (.keras) write: it may hold pickled code, which is never run here; save the weights as safetensors, or export the model to ONNX (torch.onnx.export)",
  ],
  [
    "\u0080",
    0,
    "a Python pickle, which is code that is never run here; save the weights as safetensors, or export the model to ONNX (torch.onnx.export)",
  ],
  ["\u0089HDF", 0, "an HDF5 file, as Keras writes; convert it with tensorflowjs_converter or tf2onnx"],
  ["GGUF", 0, "a GGUF file; load the safetensors that it was made of"],
  ["TFL3", 4, "a TensorFlow Lite model; convert it to ONNX with tf2onnx"],
];

/** What a file is whose form is refused, and what to do instead; `undefined` for others. */
export function refusedFormat(head: Uint8Array): string | undefined {
  const text = String.fromCharCode(...head);
  return refused.find(([begin, offset]) => text.startsWith(begin, offset))?.[2];
}

/** Whether a file is safetensors: the length of a header of JSON, then the header. */
export const isSafetensors = (head: Uint8Array, size: number): boolean =>
  head.length > 8 &&
  head[8] === 0x7b &&
  new DataView(head.buffer, head.byteOffset).getUint32(4, true) === 0 &&
  size > 8;
