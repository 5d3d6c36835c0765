/** (IA)³: learned factors of features (Liu et al. 2022, sec. 3.3). */
import { OptionError } from "../../core/errors.ts";
import { optionsOf } from "../../core/options.ts";
import { type AnyModule, onesInit } from "../../nn/index.ts";
import { mul } from "../../ops/index.ts";
import { type AdapterTargets, isTarget } from "../../transform/adapter-targets.ts";
import { alongAxis } from "../../transform/low-rank.ts";
import type { AdapterSet, AdapterSettings } from "./adapter-set.ts";
import { addTo } from "./add-to.ts";
import type { AdapterMethod, MergedParameter } from "./method.ts";
import { chosenSites, rewriteUses, targetsType, type WeightSite } from "./sites.ts";

/** Options of `addIa3`. */
export interface Ia3Options {
  /** Layers whose outputs get a factor a feature; default the projections of keys and values. */
  readonly targets?: AdapterTargets;
  /** Layers whose inputs get one instead; default those that end feed-forward networks. */
  readonly feedForward?: AdapterTargets;
}

export const checkIa3 = optionsOf<Ia3Options>("addIa3", { targets: targetsType, feedForward: targetsType });

/** As families call them (peft.utils.constants, TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING). */
const usual = {
  targets: ["k_proj", "v_proj", "key", "value", "k", "v", "c_attn", "query_key_value"],
  feedForward: ["down_proj", "fc2", "fc_out", "wo", "mlp.c_proj", "dense_4h_to_h", "output.dense"],
} as const;

/** A layer, and which of its features get factors. */
interface Ia3Site extends WeightSite {
  readonly ofInputs: boolean;
}

const slotName = "ia3_l";

export const ia3Method: AdapterMethod<Ia3Options, Ia3Site> = {
  kind: "ia3",
  places(model, options) {
    const isUsual = options.targets === undefined && options.feedForward === undefined;
    const { targets = [], feedForward = [] } = isUsual ? present(model) : options;
    return chosenSites(model, [targets, feedForward].flat())
      .filter(({ use }) => use.form.inputAxes !== undefined)
      .map((site) => ({ ...site, ofInputs: isTarget(site, feedForward) }));
  },
  requireAlike({ name, ofInputs }, there) {
    const side = (inputs: boolean) => (inputs ? "inputs" : "outputs");
    if (ofInputs !== there.ofInputs)
      throw new OptionError(
        `addIa3: the adapters of a model share one graph: of "${name}" the ${side(there.ofInputs)} are multiplied there and the ${side(ofInputs)} here; list it alike in feedForward, or add this one to another copy of the model`,
      );
  },
  slots({ use, ofInputs }) {
    const axis = ofInputs ? use.form.inputAxes?.weight : use.form.outputAxes.weight;
    const shape = [use.weight.shape[axis ?? 0] ?? 1];
    return { [slotName]: { shape, initial: (random) => onesInit(shape, random), neutral: "ones" } };
  },
  apply: (outputs, run, placed) =>
    rewriteUses(outputs, run, placed, ({ node, form }, { place, slots }) => {
      const [y] = node.outputs;
      const factors = slots[slotName];
      if (!factors) return y;
      if (!(place as Ia3Site).ofInputs) return mul(y, alongAxis(factors, y.rank, form.outputAxes.y));
      return form.biased(form.bare(mul(form.x, alongAxis(factors, form.x.rank, form.inputAxes?.x ?? 0))));
    }),
  merged({ use, parameter, source, bias, ofInputs }, { [slotName]: factors }) {
    const { form, weight } = use;
    if (!factors) return [];
    const axis = ofInputs ? (form.inputAxes?.weight ?? 0) : form.outputAxes.weight;
    const changed: MergedParameter[] = [
      { parameter, source, read: weight, merged: mul(weight, alongAxis(factors, weight.rank, axis)) },
    ];
    if (bias && !ofInputs) changed.push({ ...bias, read: bias.source, merged: mul(bias.source, factors) });
    return changed;
  },
  shared: () => ({}),
};

/** The usual targets that a model has. */
function present(model: AnyModule): Ia3Options {
  const sites = chosenSites(model, /./);
  const those = (names: readonly string[]) => names.filter((name) => sites.some((site) => isTarget(site, name)));
  return { targets: those(usual.targets), feedForward: those(usual.feedForward) };
}

/**
 * Adds a factor to each feature of the chosen layers' outputs, or inputs, freezes everything else, and puts the adapter into use
 * (Liu et al. 2022, sec. 3.3). Factors are 1 at first. Throws OptionError for targets that match no dense layer or convolution.
 * @example
 * await addIa3(model, { targets: ["k_proj", "v_proj"], feedForward: "down_proj" });
 */
export const addIa3 = async (
  model: AnyModule,
  options: Ia3Options = {},
  settings: AdapterSettings = {},
): Promise<AdapterSet<Ia3Options, Ia3Site>> => addTo(model, ia3Method, checkIa3(options), settings);
