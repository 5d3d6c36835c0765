/** A new run that begins with the parameters of another one. */
import { FileError, OptionError } from "../../core/errors.ts";
import type { AnyModule } from "../../nn/module.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { loadParameters } from "../../train/load-parameters.ts";
import { readCheckpoint } from "../folder/checkpoint-file.node.ts";
import { runFiles } from "../folder/run-folder.node.ts";

/**
 * Sets the parameters and buffers of a model to those of a run's checkpoint; what its optimizer remembers stays there. Throws FileError for a
 * run without a checkpoint, OptionError for one of another network, naming the parameter in which they differ.
 */
export async function beginWith(model: AnyModule, folder: string): Promise<void> {
  const { trainer } = await readCheckpoint(folder, runFiles.checkpoint);
  try {
    loadParameters(model, trainer.tensors);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new OptionError(
      `${shownPath(folder)} is a run of another network: ${error.message.replace(/; load it into .*$/, "")}; name a run of the same recipe with the same settings of its network, or leave --from out`,
      { cause: error },
    );
  }
}
