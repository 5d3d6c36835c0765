/** What is trained of a model: everything, what is not frozen, its last blocks, or adapters beside it. */
import { OptionError } from "../core/errors.ts";
import { type AnyModule, quantizeFrozen } from "../nn/index.ts";
import type { Callback } from "../train/index.ts";
import type { AdapterTargets } from "../transform/adapter-targets.ts";
import type { AdapterSet } from "./adapters/adapter-set.ts";
import { addLora } from "./adapters/lora.ts";
import { gradualUnfreezing } from "./freezing/gradual-unfreezing.ts";
import { unfreezeLast } from "./freezing/layer-groups.ts";

/** What is trained. One of the first four says it; default everything. */
export interface TrainingPolicy {
  /** These parameters are frozen, as `freeze` takes them. */
  readonly freeze?: readonly string[] | undefined;
  /** So many of the last blocks are trained, and the head. */
  readonly unfreezeLast?: number | undefined;
  /** The head is trained first, and one block more each so many epochs. */
  readonly gradual?: number | undefined;
  /** Low-rank adapters of this rank are trained. */
  readonly lora?: number | undefined;
  /** The frozen matrices beside adapters are stored in 4 or 8 bits; default as they are. */
  readonly bits?: 4 | 8 | undefined;
  /** How adapters are made. */
  readonly adapter?: {
    readonly alpha?: number | undefined;
    readonly targets?: AdapterTargets | undefined;
    readonly dora?: boolean | undefined;
    readonly dropout?: number | undefined;
  };
}

/** What a policy put beside the model. */
export interface AppliedPolicy {
  readonly adapters?: AdapterSet;
  readonly callbacks: readonly Callback[];
}

/**
 * Lets a model be trained by a policy. What is called new, such as a head without weights, is trained in any case. Throws OptionError for
 * patterns and targets that match nothing, and for settings that contradict each other.
 */
export async function applyPolicy(
  model: AnyModule,
  policy: TrainingPolicy,
  fresh: readonly string[] = [],
  seed = 0,
): Promise<AppliedPolicy> {
  const { freeze, unfreezeLast: last, gradual, lora, bits, adapter = {} } = policy;
  const given = Object.entries({ freeze, "unfreeze-last": last, gradual, lora }).filter(([, own]) => own !== undefined);
  if (given.length > 1)
    throw new OptionError(
      `${given.map(([name]) => name).join(" and ")} contradict each other; choose one way to say what is trained`,
    );
  if (bits !== undefined && lora === undefined)
    throw new OptionError("frozen weights in few bits are trained beside: give the rank of adapters too, lora: 8");
  if (lora !== undefined) {
    const { alpha = 2 * lora, targets = "all-linear", dora = false, dropout = 0 } = adapter;
    if (bits !== undefined) {
      model.freeze();
      quantizeFrozen(model, { bits, parameters: notOf(fresh) });
    }
    const adapters = await addLora(
      model,
      { rank: lora, alpha, targets, dora, dropout },
      { modulesToSave: fresh, seed },
    );
    return { adapters: adapters as unknown as AdapterSet, callbacks: [] };
  }
  for (const pattern of freeze ?? []) model.freeze(pattern);
  if (last !== undefined) unfreezeLast(model, last);
  for (const pattern of freeze !== undefined || last !== undefined ? fresh : []) model.unfreeze(pattern);
  return { callbacks: gradual === undefined ? [] : [gradualUnfreezing({ every: gradual })] };
}

/** Matrices whose paths do not begin so: parameters of weights alone. */
const notOf = (fresh: readonly string[]): RegExp =>
  new RegExp(
    `^(?!(?:${fresh.map((path) => path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|") || "(?!)"})(?:\\.|$)).*weight$`,
  );
