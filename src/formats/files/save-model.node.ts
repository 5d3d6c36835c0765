/** Models in folders of our own. */
import { join } from "node:path";
import type { AnyModule } from "../../nn/index.ts";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { encodeSavedModel, type SaveOptions } from "./saved-model.ts";

/** The file of a saved model in its folder. */
export const modelFile = "model.onnx";

/**
 * Saves a model in a folder, which is made if it is missing, from which `loadModel` gives it back: what it computes in
 * prediction, its parameters under their paths, which of them are buffers and which frozen, and how inputs and outputs
 * are nested. The folder holds one file, `model.onnx`, written whole or not at all, which other programs run as well.
 * Throws OptionError where the types of inputs are not known, DataError for a parameter without a value, FileError
 * where the file cannot be written, and what tracing throws.
 * @returns `obstacle`: why the batch could not be left open, where it could not; the file is then for a batch of 1,
 * else for that of `inputs`
 * @example
 * await saveModel(model, "models/digits");
 * const again = await loadModel("models/digits");
 */
export async function saveModel(
  model: AnyModule,
  folder: string,
  options: SaveOptions = {},
): Promise<{ readonly obstacle: string | undefined }> {
  const { bytes, obstacle } = encodeSavedModel(model, options);
  await writeFileAtomic(join(folder, modelFile), bytes);
  return { obstacle };
}
