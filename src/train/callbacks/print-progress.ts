/** The progress of a run in lines for a person, in Node or in a browser. */
import { count, duration, namedResults } from "../../core/number-text.ts";
import { functionOf, nonNegative } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { EpochResult } from "../engine/running-sums.ts";
import type { Run } from "../fit.ts";
import type { Callback } from "./callback.ts";

/** Options of `printProgress`. */
export interface PrintProgressOptions {
  /** Seconds within a long epoch from one line to the next; default 10. */
  readonly seconds?: number;
  /** Takes each line; default `console.log`. */
  readonly write?: (line: string) => void;
}

const checkOptions = optionsOf<PrintProgressOptions>("printProgress", {
  seconds: nonNegative,
  write: functionOf("(line) => …"),
});

/** How fast an epoch went. */
interface Pace {
  readonly seconds: number;
  readonly samples: number;
}

/** `Epoch  3/20   loss 0.0312   accuracy 98.93 %   2,310 samples/s   26 s`; of an epoch under half a second without its pace. */
export function epochText(epoch: number, total: number, results: EpochResult, { seconds, samples }: Pace): string {
  const where = `Epoch ${String(epoch).padStart(String(total).length)}/${total}`;
  const pace = seconds >= 0.5 ? `   ${count(samples / seconds)} samples/s   ${duration(seconds)}` : "";
  return `${where}   ${namedResults(results)}${pace}`;
}

/**
 * Prints a line after each epoch, with its results and its pace, and within long epochs how far they are.
 * @example await fit(model, data, { …, callbacks: [printProgress()] }) // Epoch 1/3   loss 0.2310   accuracy 93.12 %   2,310 samples/s   26 s
 */
export function printProgress(options: PrintProgressOptions = {}): Callback {
  const { seconds: every = 10, write = console.log } = checkOptions(options);
  let [began, shown, samples] = [0, 0, 0];
  const begin = () => {
    began = shown = performance.now();
    samples = 0;
  };
  const far = (run: Run) => {
    const { epoch, epochs, batchInEpoch, batchesPerEpoch } = run;
    const share = batchesPerEpoch === undefined ? "" : `, ${Math.floor((100 * batchInEpoch) / batchesPerEpoch)} %`;
    return `Epoch ${epoch + 1}/${epochs}${share}   ${namedResults(run.current())}`;
  };
  return {
    name: "printProgress",
    leads: true,
    onStart: begin,
    onBatch(run, result) {
      samples += result.samples;
      if (performance.now() - shown < 1000 * every) return;
      shown = performance.now();
      write(far(run));
    },
    onEpoch(run, results) {
      write(epochText(run.epoch, run.epochs, results, { seconds: (performance.now() - began) / 1000, samples }));
      begin();
    },
  };
}
