/** The kinds of adapters that PEFT's files have, between the fields of the one and the options of the other. */
import { OptionError } from "../../core/errors.ts";
import type { Shape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { AnyModule } from "../../nn/index.ts";
import type { AdapterSet, AdapterSettings } from "../adapters/adapter-set.ts";
import { addIa3, type Ia3Options, ia3Method } from "../adapters/ia3.ts";
import { addLora, type LoraOptions, loraMethod, lowRankAt } from "../adapters/lora.ts";
import type { AdapterMethod, Place } from "../adapters/method.ts";
import { addPrompt, type PromptOptions, promptMethod } from "../adapters/prompt.ts";
import type { WeightSite } from "../adapters/sites.ts";
import {
  type Ia3Fields,
  ia3Schema,
  type LoraFields,
  loraSchema,
  type PeftConfig,
  type PromptFields,
  promptSchema,
  readPeftFields,
  requirePlainStart,
} from "./fields.ts";
import { prefix } from "./prefix.ts";
import {
  exactly,
  isAllLinear,
  isFeedForward,
  isTargeted,
  type ModuleNames,
  numberAt,
  type TargetFields,
} from "./targets.ts";

/** A layer under the name that it has for PEFT. */
export interface PeftLayer<P extends Place = WeightSite> {
  readonly name: string;
  readonly site: P;
}

/** The one tensor that a file has in place of those of all places. */
export interface JoinedTensor {
  readonly name: string;
  /** Its shape, for parts of these shapes in the order of the model. */
  shape(parts: readonly Shape[]): Shape;
  join(parts: readonly Tensor<"float32">[]): Tensor<"float32">;
  split(whole: Tensor<"float32">, parts: readonly Shape[]): readonly Tensor<"float32">[];
}

/** What options are made of. */
export interface Reading {
  readonly layers: readonly PeftLayer[];
  /** The options of adapters of the kind that the model has already. */
  readonly others: unknown;
  /** Names of the layers beside which tensors stand in the file. */
  readonly stored: ReadonlySet<string>;
  report(note: string): void;
}

/** A kind of adapter in both worlds. `F` are the fields of its config, `O` and `P` the options and places of its method. */
export interface PeftKind<
  O,
  F extends TargetFields & { readonly base_model_name_or_path?: string | null | undefined },
  P extends Place = WeightSite,
> {
  /** As `peft_type` names it. */
  readonly type: string;
  readonly method: AdapterMethod<O, P>;
  /** Before the paths of the base's own tensors, and of those beside its layers. */
  readonly prefix: string;
  /** Throws OptionError for fields that are wrong. */
  read(config: PeftConfig, report: (note: string) => void): F;
  options(fields: F, reading: Reading): O;
  /** The fields of an adapter, but for which modules it adapts. */
  fields(options: O, layers: readonly PeftLayer<P>[]): PeftConfig;
  add(model: AnyModule, options: O, settings: AdapterSettings): Promise<AdapterSet<O, P>>;
  /** The shape in which PEFT stores a tensor. */
  stored(own: string, shape: Shape, site: P): Shape;
  /** Whether PEFT uses it only where its file names a task; default false. */
  readonly needsTask?: boolean;
  /** How its files hold all tensors in one; default each by itself. */
  readonly joined?: JoinedTensor;
}

/** The layers that fields choose. Without a choice, and of all dense layers, those that the file has tensors of. */
function chosen(fields: TargetFields, { layers, stored }: Reading): readonly PeftLayer[] {
  const { target_modules: targets } = fields;
  if (isAllLinear(targets))
    return layers.filter(({ name, site }) => site.isDense && (!site.givesScores || stored.has(name)));
  if (!targets) return layers.filter(({ name }) => stored.has(name));
  return layers.filter(({ name }) => isTargeted(name, fields));
}

const exact = (layers: readonly PeftLayer[]): readonly RegExp[] => layers.map(({ site }) => exactly(site.name));

/** Whether dense layers are stored [inputs, outputs], as those of GPT-2. */
const isFanInFirst = (layers: readonly PeftLayer[]): boolean =>
  layers.some(
    ({ site: { use, source, isDense } }) => isDense && use.weight === source && use.form.outputAxes.weight === 1,
  );

/** A vector as it stands beside a weight of more than two axes: [1, n, 1, 1]. */
const alongSecond = (shape: Shape, { use }: WeightSite): Shape =>
  use.weight.shape.map((_, axis) => (axis === 1 ? (shape[0] ?? 1) : 1));

const lora: PeftKind<LoraOptions, LoraFields> = {
  type: "LORA",
  method: loraMethod,
  prefix: "base_model.model.",
  read(config, report) {
    const fields = readPeftFields(loraSchema, config, report);
    requirePlainStart(fields);
    return fields;
  },
  options(fields, reading) {
    const { r, lora_alpha, bias, use_rslora, use_dora } = fields;
    const layers = chosen(fields, reading);
    const own = layers.map(({ name, site }) => ({
      layer: site.name,
      rank: numberAt("rank_pattern", fields.rank_pattern, name) ?? r,
      alpha: numberAt("alpha_pattern", fields.alpha_pattern, name) ?? lora_alpha,
    }));
    // Names that end another one come behind it, and every layer has its own.
    own.sort((a, b) => b.layer.length - a.layer.length);
    const scaling = {
      ...(use_rslora && { rankStabilized: true }),
      ...(own.some(({ rank }) => rank !== r) && { ranks: Object.fromEntries(own.map((at) => [at.layer, at.rank])) }),
      ...(own.some(({ alpha }) => alpha !== lora_alpha) && {
        alphas: Object.fromEntries(own.map((at) => [at.layer, at.alpha])),
      }),
    };
    return {
      rank: r,
      alpha: lora_alpha,
      targets: exact(layers),
      dropout: dropoutIn(reading, fields.lora_dropout ?? 0),
      dora: use_dora ?? false,
      bias: ({ none: "none", all: "all", lora_only: "adapted" } as const)[bias ?? "none"],
      scaling,
    };
  },
  fields(options, layers) {
    const { rank, alpha = rank, dropout = 0, dora = false, bias = "none", scaling = {} } = options;
    const own = layers
      .map(({ name, site }) => ({ name, ...lowRankAt(site, options) }))
      .sort((a, b) => b.name.length - a.name.length);
    const others = (key: "rank" | "alpha", usual: number) =>
      own.some((at) => at[key] !== usual) ? Object.fromEntries(own.map((at) => [at.name, at[key]])) : {};
    return {
      r: rank,
      lora_alpha: alpha,
      lora_dropout: dropout,
      use_rslora: scaling.rankStabilized ?? false,
      use_dora: dora,
      bias: { none: "none", all: "all", adapted: "lora_only" }[bias],
      rank_pattern: others("rank", rank),
      alpha_pattern: others("alpha", alpha),
      fan_in_fan_out: isFanInFirst(layers),
    };
  },
  add: addLora,
  stored: (own, shape, site) =>
    own === "lora_magnitude_vector" && site.use.weight.rank > 2 ? alongSecond(shape, site) : shape,
};

/** The rate of the file, or that of the adapters that the model has, since they share one graph. */
function dropoutIn({ others, report }: Reading, rate: number): number {
  if (others === undefined) return rate;
  const { dropout = 0 } = others as LoraOptions;
  if (dropout !== rate)
    report(
      `adapter_config.json: lora_dropout is ${rate}, and the adapters that the model has drop at ${dropout}: training drops at ${dropout} here too, prediction is the same`,
    );
  return dropout;
}

const ia3: PeftKind<Ia3Options, Ia3Fields> = {
  type: "IA3",
  method: ia3Method,
  prefix: "base_model.model.",
  read: (config, report) => readPeftFields(ia3Schema, config, report),
  options(fields, reading) {
    const layers = chosen(fields, reading);
    const isInner = ({ name }: PeftLayer) => isFeedForward(name, fields.feedforward_modules);
    return { targets: exact(layers.filter((own) => !isInner(own))), feedForward: exact(layers.filter(isInner)) };
  },
  fields: (_, layers) => ({
    feedforward_modules: layers.flatMap(({ name, site }) => (isOfInputs(site) ? [name] : [])),
    init_ia3_weights: true,
    fan_in_fan_out: isFanInFirst(layers),
  }),
  add: addIa3,
  stored(_, [features = 1], site) {
    if (site.use.weight.rank > 2) return alongSecond([features], site);
    return isOfInputs(site) ? [1, features] : [features, 1];
  },
};

/** Whether (IA)³ multiplies what the layer reads. */
export const isOfInputs = (site: WeightSite): boolean => "ofInputs" in site && site.ofInputs === true;

const prompt: PeftKind<PromptOptions, PromptFields> = {
  type: "PROMPT_TUNING",
  method: promptMethod,
  prefix: "base_model.",
  read: (config, report) => readPeftFields(promptSchema, config, report),
  options: ({ num_virtual_tokens: tokens }) => ({ tokens }),
  fields: ({ tokens }, [layer]) => ({
    num_virtual_tokens: tokens,
    token_dim: layer?.site.use.weight.shape[1] ?? null,
    num_transformer_submodules: 1,
    prompt_tuning_init: "RANDOM",
  }),
  add: addPrompt,
  stored: (_, shape) => shape,
  needsTask: true,
};

/** Any of the kinds, where it does not matter which. */
export type AnyPeftKind = PeftKind<
  unknown,
  TargetFields & { readonly base_model_name_or_path?: string | null | undefined }
>;

const kinds = [lora, ia3, prompt, prefix] as readonly unknown[] as readonly AnyPeftKind[];

/** The kind that a config names. Throws OptionError for another. */
export function kindOfConfig({ peft_type: type }: PeftConfig): AnyPeftKind {
  const found = kinds.find((kind) => kind.type === type);
  if (found) return found;
  throw new OptionError(
    `adapter_config.json: peft_type is ${JSON.stringify(type) ?? "missing"}, supported are ${kinds.map((kind) => kind.type).join(", ")}; merge the adapter into its base with PEFT (merge_and_unload), and load the merged model`,
  );
}

/** The kind of the adapters of a set. Throws OptionError for one that PEFT's files do not have. */
export function kindOfSet({ method }: Pick<AdapterSet, "method">): AnyPeftKind {
  const found = kinds.find((kind) => kind.method === (method as unknown));
  if (found) return found;
  throw new OptionError(
    `adapters of the kind "${method.kind}" have no form in PEFT's files; save the model with them: saveModel(model, folder)`,
  );
}

/** Names of layers, shown in messages. */
export const shownNames = (names: ModuleNames | null | undefined): string => JSON.stringify(names ?? null);
