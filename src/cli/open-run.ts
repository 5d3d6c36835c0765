/** The options of every command that opens a run. */
import { type OpenRun, openRun } from "../runs/open/open-run.node.ts";
import { type DeviceChoice, deviceChoices } from "../runtime/session.ts";
import { type OptionValues, oneOf, text, toggle } from "./command.ts";
import type { Output } from "./output.ts";
import { showDownloads } from "./train/progress.ts";

export const openOptions = {
  best: toggle("use the weights of the best epoch (best.safetensors) instead of the last"),
  nonFinite: toggle("open a run whose weights are NaN or infinite, too"),
  recipe: text("PATH", "of a run of your own recipe: the recipe, whose code is run"),
} as const;

/** Those of commands that compute what its model gives. */
export const computeOptions = {
  ...openOptions,
  device: oneOf("where to compute, wherever the run was trained; default cpu", deviceChoices),
} as const;

/** Opens the run that a person named. */
export const openNamed = (
  run: string,
  { best, nonFinite, recipe, device }: OptionValues<typeof openOptions> & { readonly device?: string | undefined },
  output: Output,
): Promise<OpenRun> =>
  openRun(run, {
    best,
    nonFinite,
    recipe,
    device: device as DeviceChoice | undefined,
    onDownload: showDownloads(output),
  });
