/** The checkpoint of a run. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { atPlace, FileError } from "../../core/errors.ts";
import { command } from "../../core/printable.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { decodeCheckpoint } from "../../train/checkpoint.ts";
import type { Progress } from "../../train/fit.ts";
import type { RunSettings } from "../recipes/settings.ts";

/** How a run's graphs are compiled. */
export const compileOptions = ({ device, threads }: RunSettings): CompileOptions => ({ device, threads });

/** The progress in a run's checkpoint. Throws FileError naming the file. */
export async function readCheckpoint(folder: string, file: string): Promise<Progress> {
  const path = join(folder, file);
  if (!existsSync(path))
    throw new FileError(
      `${shownPath(folder)} has no ${file} yet; train on: ${command`sardonyx train RECIPE --resume --out ${shownPath(folder)}`}`,
    );
  const bytes = await readBytes(path, "checkpoint");
  try {
    return decodeCheckpoint(bytes);
  } catch (error) {
    throw atPlace(shownPath(path), error);
  }
}
