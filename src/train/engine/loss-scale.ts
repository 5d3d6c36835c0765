/**
 * The loss scale: by what a loss is multiplied whose gradients are computed in float16, where small ones would be 0 (Micikevicius et al. 2018,
 * "Mixed Precision Training", sec. 3.2). It moves as training goes, like that of PyTorch's GradScaler.
 */
import { FileError } from "../../core/errors.ts";
import { atLeastOne, count, positiveFraction } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";

/** How the loss scale begins and moves. */
export interface LossScaleOptions {
  /** What the loss is multiplied by at first; default 65,536. */
  readonly initial?: number;
  /** By what the scale is multiplied after `interval` batches in a row whose gradients are finite; default 2. */
  readonly growth?: number;
  /** By what it is multiplied after a batch whose gradients are not; above 0, below 1, default 0.5. */
  readonly backoff?: number;
  /** After how many batches in a row it grows; default 2,000. */
  readonly interval?: number;
}

export const checkLossScale = optionsOf<LossScaleOptions>("lossScale", {
  initial: atLeastOne,
  growth: atLeastOne,
  backoff: positiveFraction,
  interval: count(),
});

/** Under which steps report it, and checkpoints keep it beside what transforms remember. */
export const lossScaleName = "lossScale";

/** What is remembered from batch to batch. */
export interface LossScaleState {
  /** By what the loss of the next batch is multiplied. */
  readonly scale: number;
  /** Batches in a row whose gradients were finite, since the scale moved. */
  readonly finite: number;
  /** Batches that made no update, since their gradients overflowed. */
  readonly skipped: number;
}

/** What is to be done with gradients: update, leave the update out, or give up, since no scale helps. */
export type Verdict = "update" | "skip" | "fail";

/** The loss scale of one phase. */
export class LossScale {
  readonly #options: Required<LossScaleOptions>;
  state: LossScaleState;

  constructor({ initial = 2 ** 16, growth = 2, backoff = 0.5, interval = 2000 }: LossScaleOptions = {}) {
    this.#options = { initial, growth, backoff, interval };
    this.state = { scale: initial, finite: 0, skipped: 0 };
  }

  /** Takes up what was saved; of a run that had no loss scale there is nothing. Throws FileError for what cannot have been saved. */
  restore(saved: Readonly<Record<string, number>> = {}): void {
    const { scale, finite, skipped } = { ...this.state, ...saved };
    if (!(scale >= 1 && finite >= 0 && skipped >= 0))
      throw new FileError("the checkpoint's loss scale is damaged; go back to an earlier checkpoint");
    this.state = { scale, finite, skipped };
  }

  /** Decides about gradients, by whether they overflowed, and moves the scale. It does not fall below 1, where it helps no more. */
  judge(overflowed: boolean): Verdict {
    const { scale, finite, skipped } = this.state;
    const { growth, backoff, interval } = this.#options;
    if (overflowed) {
      if (scale * backoff < 1) return "fail";
      this.state = { scale: scale * backoff, finite: 0, skipped: skipped + 1 };
      return "skip";
    }
    const grows = finite + 1 >= interval;
    this.state = { scale: grows ? scale * growth : scale, finite: grows ? 0 : finite + 1, skipped };
    return "update";
  }
}
