/** Gradual unfreezing: the head first, then one block more every few epochs (Howard and Ruder 2018, sec. 3.3). */
import { count } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import type { Callback, Run } from "../../train/index.ts";
import { layerGroups, unfreezeLast, unfreezeStem } from "./layer-groups.ts";

/** Options of `gradualUnfreezing`. */
export interface UnfreezingOptions {
  /** Epochs until the next block is trained too; default 1. */
  readonly every?: number;
  /** Blocks that are trained from the first epoch on; default 0, the head alone. */
  readonly first?: number;
  /** The most blocks; default all. With all of them the stem is trained too. */
  readonly most?: number;
}

const checkOptions = optionsOf<UnfreezingOptions>("gradualUnfreezing", {
  every: count(),
  first: count(0),
  most: count(0),
});

/**
 * Trains the head in the first epochs, and with every few epochs the block before it too. What is trained depends on the epoch alone, so that
 * a resumed run goes on alike; what the optimizer remembers of a parameter stays.
 * @example
 * await fit(model, data, { loss, optimizer: adam(), epochs: 4, callbacks: [gradualUnfreezing({ every: 1 })] });
 */
export function gradualUnfreezing(options: UnfreezingOptions = {}): Callback {
  const { every = 1, first = 0, most = Number.POSITIVE_INFINITY } = checkOptions(options);
  const follow = ({ model, epoch }: Pick<Run, "model" | "epoch">) => {
    const blocks = layerGroups(model).length - 2;
    const wanted = Math.min(first + Math.floor(epoch / every), most);
    unfreezeLast(model, Math.min(wanted, blocks));
    if (wanted > blocks) unfreezeStem(model);
  };
  return {
    name: "gradualUnfreezing",
    onStart: follow,
    // The epoch is over: its number is that of the next.
    onEpoch: follow,
  };
}
