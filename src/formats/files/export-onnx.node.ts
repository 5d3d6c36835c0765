/** Models as ONNX files on disk, for other programs. */

import type { AnyModule } from "../../nn/index.ts";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { encodeOnnx, type OnnxOptions } from "./export-onnx.ts";

/**
 * Writes an ONNX file that computes a model's prediction, whole or not at all. Inputs have their names, `input` where
 * the model takes one tensor without a name; outputs alike, `output` where there is one. Parameters are initializers
 * named by their paths. Throws as `encodeOnnx` does, and FileError where the file cannot be written.
 * @returns `obstacle`: why the batch could not be left open, where it could not; the file is then for a batch of 1,
 * else for that of `inputs`
 * @example
 * const { obstacle } = await exportOnnx(model, "model.onnx", { inputs: { dtype: "float32", shape: [1, 3, 32, 32] } });
 */
export async function exportOnnx(
  model: AnyModule,
  path: string,
  options: OnnxOptions = {},
): Promise<{ readonly obstacle: string | undefined }> {
  const { bytes, obstacle } = encodeOnnx(model, options);
  await writeFileAtomic(path, bytes);
  return { obstacle };
}
