/** Adapters as PEFT's files. */
import { OptionError } from "../../core/errors.ts";
import { string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { type AnyModule, valuesOf } from "../../nn/index.ts";
import { encodeSafetensors } from "../../storage/safetensors.ts";
import type { AdapterSet } from "../adapters/adapter-set.ts";
import type { Place } from "../adapters/method.ts";
import { inputTypesOf, type WeightSite } from "../adapters/sites.ts";
import type { PeftConfig } from "./fields.ts";
import { isOfInputs, kindOfSet, type PeftLayer } from "./kinds.ts";
import { moduleOf, modulesWithParameters, pathOfSite } from "./model-layers.ts";
import {
  feedForwardOf,
  isFeedForward,
  isTargeted,
  type ModuleNames,
  numberAt,
  savedModules,
  type TargetFields,
  targetsOf,
} from "./targets.ts";

/** Options of `encodePeft`. */
export interface EncodePeftOptions {
  /** The name or the folder of the base, which PEFT loads first; default that of the file that the adapter was loaded of, else none. */
  readonly base?: string;
}

const checkOptions = optionsOf<EncodePeftOptions>("encodePeft", { base: string });

/** An adapter as PEFT's two files hold it. */
export interface EncodedPeft {
  /** The fields of adapter_config.json. */
  readonly config: PeftConfig;
  /** The bytes of adapter_model.safetensors. */
  readonly weights: Uint8Array;
}

/**
 * An adapter of LoRA, (IA)³, a prompt or a prefix in the form of PEFT's files, under the names and in the shapes that PEFT gives its tensors.
 * Fields of the file that it was loaded of, and those that were noted as it was added, come along. Where none of them names the task of a
 * prompt or a prefix, which PEFT otherwise leaves out of use, that of the model does. Throws OptionError for a name that there is not and for
 * other kinds.
 * @example
 * const { config, weights } = encodePeft(lora, "default", { base: "openai-community/gpt2" });
 */
export function encodePeft<O, P extends Place>(
  set: AdapterSet<O, P>,
  name: string,
  options: EncodePeftOptions = {},
): EncodedPeft {
  const { base } = checkOptions(options);
  const own = set as unknown as AdapterSet<unknown, WeightSite>;
  const kind = kindOfSet(own);
  const { model } = own;
  const [given, notes, values] = [own.optionsOf(name), own.notesOf(name), own.tensors(name)];
  const places = own.placesOf(name);
  const layers = places.map((site) => ({ name: pathOfSite(model, site), site }));
  if (layers.some((layer) => layer.name === ""))
    throw new OptionError(
      "encodePeft: the adapter stands beside the model itself, which PEFT cannot name; put the layer into a model: sequential([layer])",
    );

  const stored: Record<string, Tensor> = {};
  const beside = new Set<string>();
  const parts: Tensor<"float32">[] = [];
  for (const { name: layer, site } of layers)
    for (const [slot, { path }] of own.slotsAt(site)) {
      beside.add(path);
      const value = values.get(path);
      if (!value) continue;
      if (kind.joined) {
        parts.push(value as Tensor<"float32">);
        continue;
      }
      const key = slot === "prompt_embeddings" ? slot : `${kind.prefix}${layer}.${slot}`;
      stored[key] = new Tensor(
        "float32",
        kind.stored(slot, value.shape, site),
        value.data as Float32Array<ArrayBuffer>,
      );
    }
  if (kind.joined) stored[kind.joined.name] = kind.joined.join(parts);
  const adapted = new Set(layers.map((layer) => layer.name));
  const biases = new Set(kind.method.alsoTrains?.(model, places, given) ?? []);
  const savedPaths = own.savedOf(name).filter((path) => !biases.has(path));
  const wholeModules = [...new Set(savedPaths.map(moduleOf))];
  const parameters = model.parameters();
  for (const [path, parameter] of parameters) {
    const module = moduleOf(path);
    const isBias = biases.has(path);
    const isWhole = wholeModules.includes(module) && !beside.has(path) && !parameter.isBuffer;
    const value = values.get(path) ?? parameter.value;
    if (!value || !(isBias || isWhole)) continue;
    stored[`${kind.prefix}${isBias && adapted.has(module) ? `${module}.base_layer.bias` : path}`] = value;
  }
  const fields = kind.fields(given, layers);
  const config = {
    auto_mapping: null,
    revision: null,
    task_type: kind.needsTask ? taskOf(model) : null,
    ...(kind.type === "LORA" && { init_lora_weights: true, layers_pattern: null, layers_to_transform: null }),
    ...notes,
    ...fields,
    ...kept(fields, notes, { model, layers, beside, wholeModules }),
    peft_type: kind.type,
    base_model_name_or_path: base ?? notes["base_model_name_or_path"] ?? null,
    inference_mode: true,
  };
  return { config, weights: encodeSafetensors(stored, { format: "pt" }) };
}

/** The task of a model: PEFT leaves prompts and prefixes out of the computation, in silence, where a file names none. */
const taskOf = (model: AnyModule): string =>
  valuesOf(model.trace(inputTypesOf(model)).output)[0]?.rank === 2 ? "SEQ_CLS" : "CAUSAL_LM";

/** What an adapter has in a model. */
interface Present {
  readonly model: AnyModule;
  readonly layers: readonly PeftLayer[];
  readonly beside: ReadonlySet<string>;
  /** Modules that are saved whole. */
  readonly wholeModules: readonly string[];
}

/** Which modules an adapter stands beside: the fields of its file where they say so, else the shortest that do. */
function kept(fields: PeftConfig, notes: PeftConfig, { model, layers, beside, wholeModules }: Present): PeftConfig {
  const all = modulesWithParameters(model, beside);
  const names = layers.map(({ name }) => name);
  const same = (a: readonly string[], b: readonly string[]) => [...a].sort().join() === [...b].sort().join();
  const given = notes as TargetFields;
  const saved = same(savedModules(given.modules_to_save, all), wholeModules) ? given.modules_to_save : wholeModules;
  const modules = { modules_to_save: saved && saved.length > 0 ? saved : null };
  if (fields["num_virtual_tokens"] !== undefined) return modules;
  const patterns = Object.fromEntries(
    (["rank_pattern", "alpha_pattern"] as const).flatMap((field) => keptPattern(field, fields, notes, names)),
  );
  const inner = layers.filter(({ site }) => isOfInputs(site)).map(({ name }) => name);
  const hasInner = "feedforward_modules" in fields;
  const before = notes["feedforward_modules"] as ModuleNames | undefined;
  const targetsBefore = given.target_modules ? all.filter((name) => isTargeted(name, given)) : [];
  const innerBefore = names.filter((name) => isFeedForward(name, before));
  if (same(targetsBefore, names) && same(innerBefore, inner))
    return { ...modules, ...patterns, ...(hasInner && { feedforward_modules: before ?? [] }) };
  const targets = targetsOf(names, all);
  return {
    ...modules,
    ...patterns,
    ...{ target_modules: targets, exclude_modules: null },
    ...(hasInner
      ? { feedforward_modules: feedForwardOf(inner, names, targets) }
      : { layers_to_transform: null, layers_pattern: null }),
  };
}

/** The pattern of a file where it says the same as that of the fields. */
function keptPattern(field: string, fields: PeftConfig, notes: PeftConfig, names: readonly string[]) {
  const [now, before] = [fields[field], notes[field]] as readonly (Readonly<Record<string, number>> | undefined)[];
  const usual = Number(field === "rank_pattern" ? fields["r"] : fields["lora_alpha"]);
  const at = (patterns: typeof now, name: string) => numberAt(field, patterns, name) ?? usual;
  return before && names.every((name) => at(now, name) === at(before, name)) ? [[field, before] as const] : [];
}
