/** Prefix tuning: learned keys and values that attention sees before those of the text (Li and Liang 2021). */
import { OptionError } from "../../core/errors.ts";
import { count, flag } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Shape } from "../../core/shape.ts";
import { type AnyModule, type AttentionSizes, normalInit } from "../../nn/index.ts";
import type { AdapterSet, AdapterSettings } from "./adapter-set.ts";
import { addTo } from "./add-to.ts";
import type { AdapterMethod, Place, SlotSpec } from "./method.ts";
import { inputTypesOf } from "./sites.ts";

/** Options of `addPrefix`. */
export interface PrefixOptions {
  /** How many keys and values each attention sees first. */
  readonly tokens: number;
  /** Whether positions of the text begin behind those of the prefix, as PEFT has it; default false, they stay as they are. */
  readonly shiftsPositions?: boolean;
}

export const checkPrefix = optionsOf<PrefixOptions>("addPrefix", {
  tokens: required(count()),
  shiftsPositions: flag,
});

/** A module that attends. */
export interface PrefixPlace extends Place {
  readonly sizes: AttentionSizes;
}

const [keysName, valuesName] = ["prefix_keys", "prefix_values"];

export const prefixMethod: AdapterMethod<PrefixOptions, PrefixPlace> = {
  kind: "prefix",
  places(model) {
    const { context } = model.trace(inputTypesOf(model));
    const paths = model.modules();
    const places = Array.from(context.attentions, ([module, sizes]) => ({
      module,
      name: paths.get(module) || "model",
      prefix: "",
      sizes,
    }));
    if (places.length > 0) return places;
    throw new OptionError(
      "addPrefix: no layer of the model attends through `attend`, as graphs of files do not; adapt its weights instead: addLora(model, { rank: 8 })",
    );
  },
  slots({ sizes: { heads, keyWidth, valueWidth } }, { tokens }) {
    const slot = (shape: Shape): SlotSpec => ({ shape, initial: (random) => normalInit(0, 0.02)(shape, random) });
    return { [keysName]: slot([1, heads, tokens, keyWidth]), [valuesName]: slot([1, heads, tokens, valueWidth]) };
  },
  attendedFirst(_, { [keysName]: keys, [valuesName]: values }) {
    return keys && values ? [{ keys, values }] : [];
  },
  // A key of zeros takes its share of the attention.
  alwaysActs: true,
  firstPosition: ({ tokens, shiftsPositions }) => (shiftsPositions ? tokens : 0),
  shared: ({ tokens, shiftsPositions = false }) => ({ tokens, shiftsPositions }),
};

/**
 * Adds learned keys and values that every attention of a model sees before its own, freezes everything else, and puts the adapter into use
 * (Li and Liang 2021, sec. 4.2, without their reparameterization). Generation has the prefix in every step. For files of PEFT add it with
 * `shiftsPositions`: a model of N positions then takes texts of at most N - tokens. With no adapter in use the graph is traced anew. Throws OptionError for a model without attention of our layers.
 * @example
 * await addPrefix(model, { tokens: 16 });
 */
export const addPrefix = async (
  model: AnyModule,
  options: PrefixOptions,
  settings: AdapterSettings = {},
): Promise<AdapterSet<PrefixOptions, PrefixPlace>> => addTo(model, prefixMethod, checkPrefix(options), settings);
