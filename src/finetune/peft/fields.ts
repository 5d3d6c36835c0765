/** The fields of PEFT's adapter_config.json: what each may hold, which change the computation, which are kept as they are. */
import * as z from "zod";
import { OptionError } from "../../core/errors.ts";
import { isPlainObject } from "../../core/tree.ts";
import { count, flag, positive, rate, shown, wrongFields } from "../../formats/config-fields.ts";

/** The object of an adapter_config.json. */
export type PeftConfig = Readonly<Record<string, unknown>>;

const text = () => z.string({ error: "text" }).nullish();
const names = () => z.array(z.string(), { error: "a list of names" }).nullish();
const moduleNames = () =>
  z.union([z.string(), z.array(z.string())], { error: "a list of names, or a regular expression" }).nullish();
const numbersByPattern = (number: z.ZodNumber) =>
  z.record(z.string(), number, { error: "an object from regular expressions to numbers" }).nullish();

const common = {
  base_model_name_or_path: text(),
  task_type: text(),
  inference_mode: flag().nullish(),
  modules_to_save: names(),
};

const adapting = {
  ...common,
  target_modules: moduleNames(),
  exclude_modules: moduleNames(),
  fan_in_fan_out: flag().nullish(),
};

export const loraSchema = z.object({
  ...adapting,
  r: count().default(8),
  lora_alpha: positive().default(8),
  lora_dropout: rate().nullish(),
  use_rslora: flag().nullish(),
  use_dora: flag().nullish(),
  bias: z.enum(["none", "all", "lora_only"], { error: '"none", "all" or "lora_only"' }).nullish(),
  rank_pattern: numbersByPattern(count()),
  alpha_pattern: numbersByPattern(positive()),
  layers_to_transform: z
    .union([count(0), z.array(count(0))], { error: "a number of a layer, or a list of them" })
    .nullish(),
  layers_pattern: moduleNames(),
  init_lora_weights: z.union([z.boolean(), z.string()], { error: "true, false or a name" }).nullish(),
});
export type LoraFields = z.output<typeof loraSchema>;

export const ia3Schema = z.object({
  ...adapting,
  feedforward_modules: moduleNames(),
  init_ia3_weights: flag().nullish(),
});
export type Ia3Fields = z.output<typeof ia3Schema>;

export const promptSchema = z.object({
  ...common,
  num_virtual_tokens: count(),
  token_dim: count().nullish(),
  num_layers: count().nullish(),
  num_attention_heads: count().nullish(),
  num_transformer_submodules: z
    .literal(1, { error: "1: prompts of an encoder and a decoder are not supported" })
    .nullish(),
});
export type PromptFields = z.output<typeof promptSchema>;

export const prefixSchema = promptSchema.extend({
  encoder_hidden_size: count().nullish(),
  prefix_projection: flag().nullish(),
});
export type PrefixFields = z.output<typeof prefixSchema>;

/** Fields of any adapter that change nothing that is computed. */
const silent = [
  ...["peft_type", "auto_mapping", "revision", "peft_version", "runtime_config", "megatron_core", "qalora_group_size"],
  ...["loftq_config", "eva_config", "corda_config", "lora_ga_config", "prompt_tuning_init", "prompt_tuning_init_text"],
  ...["tokenizer_name_or_path", "tokenizer_kwargs", "init_weights"],
];

/** Fields that change what is computed, where they hold anything, in a way that is not known here. */
const refused = [
  ...["lora_bias", "use_qalora", "trainable_token_indices", "alora_invocation_tokens", "target_parameters"],
  ...["layer_replication", "megatron_config", "use_bdlora", "arrow_config", "kasa_config", "monteclora_config"],
  "ensure_weight_tying",
];

/** Whether a field holds nothing, as one that was left at its default. */
const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (isPlainObject(value) && Object.keys(value).length === 0);

/**
 * The fields of a config. Throws OptionError that names each field that is wrong, and for one that changes the computation and is not known.
 * @param report is told which fields are passed over
 */
export function readPeftFields<T extends object>(
  schema: z.ZodType<T> & { readonly shape: object },
  config: PeftConfig,
  report: (note: string) => void,
): T {
  const changing = refused.find((name) => !isEmpty(config[name]));
  if (changing !== undefined)
    throw new OptionError(
      `adapter_config.json: ${changing} is ${shown(config[changing])}, which changes what is computed and is not supported; merge the adapter into its base with PEFT (merge_and_unload), and load the merged model`,
    );
  const result = schema.safeParse(config);
  if (!result.success)
    throw new OptionError(`adapter_config.json: ${wrongFields(result.error, config)}; correct the file`);
  const known = new Set([...Object.keys(schema.shape), ...silent, ...refused]);
  const unknown = Object.keys(config).filter((name) => !known.has(name) && !isEmpty(config[name]));
  if (unknown.length > 0)
    report(
      `adapter_config.json: ${unknown.join(", ")} ${unknown.length === 1 ? "is" : "are"} not known here and changed nothing; a file that is saved of the adapter has ${unknown.length === 1 ? "it" : "them"} again`,
    );
  return result.data;
}

/** Ways to begin that leave the base as it was. */
const plainStarts = ["true", "false", "gaussian", "orthogonal", "eva", "mica"];

/** Throws OptionError for an adapter that was begun by changing the weights of its base. */
export function requirePlainStart({ init_lora_weights: start }: LoraFields): void {
  if (plainStarts.includes(String(start ?? true).toLowerCase())) return;
  throw new OptionError(
    `adapter_config.json: init_lora_weights is ${shown(start)}; such an adapter began by changing the weights of its base, and does not fit the base as it is: convert it with PEFT, save_pretrained(folder, path_initial_model_for_weight_conversion=…), or merge it there (merge_and_unload)`,
  );
}
