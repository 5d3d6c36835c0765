/** Bottleneck adapters: a narrow network behind layers, added to what they give (Houlsby et al. 2019; Pfeiffer et al. 2021). */
import { OptionError } from "../../core/errors.ts";
import { count } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import {
  type ActivationFunction,
  type ActivationName,
  type AnyModule,
  activationOf,
  type Initializer,
  normalInit,
  zerosInit,
} from "../../nn/index.ts";
import { activationType } from "../../nn/layers/activations.ts";
import { add, linear } from "../../ops/index.ts";
import { type AdapterTargets, isTarget } from "../../transform/adapter-targets.ts";
import type { AdapterSet, AdapterSettings } from "./adapter-set.ts";
import { addTo } from "./add-to.ts";
import type { AdapterMethod, SlotSpec } from "./method.ts";
import { chosenSites, rewriteUses, targetsType, type WeightSite } from "./sites.ts";

/** Options of `addBottleneck`. */
export interface BottleneckOptions {
  /** Units of the narrow layer. */
  readonly units: number;
  /** Layers behind which it stands; default those that end attention and feed-forward networks. */
  readonly targets?: AdapterTargets;
  /** Of the narrow layer, 0 at 0; default `"relu"`. */
  readonly activation?: ActivationName | ActivationFunction;
}

export const checkBottleneck = optionsOf<BottleneckOptions>("addBottleneck", {
  units: required(count()),
  targets: targetsType,
  activation: activationType,
});

/** As families call the last layers of attention and of feed-forward networks. */
const usual = ["o_proj", "out_proj", "down_proj", "fc2", "c_proj", "output.dense", "out_lin", "ffn.lin2", "o", "wo"];

const [down, up] = ["adapter_down", "adapter_up"];

export const bottleneckMethod: AdapterMethod<BottleneckOptions, WeightSite> = {
  kind: "bottleneck",
  places(model, { targets }) {
    const sites = chosenSites(model, targets ?? present(model));
    const other = sites.find(({ isDense }) => !isDense);
    if (other)
      throw new OptionError(
        `addBottleneck: "${other.name}" is no dense layer; pass targets that are, such as the last layers of blocks`,
      );
    return sites;
  },
  slots({ use }, { units }) {
    const features = use.weight.shape[use.form.outputAxes.weight] ?? 1;
    const slot = (shape: SlotSpec["shape"], initial: Initializer): SlotSpec => ({
      shape,
      initial: (random) => initial(shape, random),
    });
    return {
      [`${down}.weight`]: slot([units, features], normalInit(0, 0.01)),
      [`${down}.bias`]: slot([units], zerosInit),
      [`${up}.weight`]: slot([features, units], zerosInit),
      [`${up}.bias`]: slot([features], zerosInit),
    };
  },
  apply: (outputs, run, placed, { activation = "relu" }) =>
    rewriteUses(outputs, run, placed, ({ node }, { slots }) => {
      const [y] = node.outputs;
      const [inner, outer] = [slots[`${down}.weight`], slots[`${up}.weight`]];
      if (!inner || !outer) return y;
      const narrow = activationOf(activation)(linear(y, inner, slots[`${down}.bias`]));
      return add(y, linear(narrow, outer, slots[`${up}.bias`]));
    }),
  shared: ({ activation = "relu" }) => ({ activation }),
};

/** The usual targets that a model has. */
function present(model: AnyModule): readonly string[] {
  const sites = chosenSites(model, /./);
  const found = usual.filter((name) => sites.some((site) => isTarget(site, name)));
  return found.length > 0 ? found : usual;
}

/**
 * Adds a narrow network of two dense layers behind the chosen layers, y + W₂ f(W₁ y + b₁) + b₂, freezes everything else, and puts the adapter
 * into use (Houlsby et al. 2019, sec. 2.1). W₂ is zero at first, so that the outputs are those of the base. Throws OptionError for targets
 * that match no dense layer.
 * @example
 * await addBottleneck(model, { units: 16, targets: "output.dense" });
 */
export const addBottleneck = async (
  model: AnyModule,
  options: BottleneckOptions,
  settings: AdapterSettings = {},
): Promise<AdapterSet<BottleneckOptions, WeightSite>> =>
  addTo(model, bottleneckMethod, checkBottleneck(options), settings);
