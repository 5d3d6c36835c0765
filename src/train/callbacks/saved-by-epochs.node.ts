/** A callback that writes a file of its own. */
import type { GrowingFile } from "../../storage/growing-files.node.ts";
import type { Callback } from "./callback.ts";

/** A callback whose file is saved after each epoch, and at the end. */
export const savedByEpochs = (file: GrowingFile, callback: Callback): Callback => ({
  ...callback,
  async onEpoch(run, results) {
    await callback.onEpoch?.(run, results);
    await file.save();
  },
  async onEnd(run) {
    await callback.onEnd?.(run);
    await file.save();
  },
});
