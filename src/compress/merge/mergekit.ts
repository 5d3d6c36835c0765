/** mergekit's YAML (github.com/arcee-ai/mergekit, Goddard et al. 2024), read for the methods that are here. */
import { parseDocument } from "yaml";
import { atPlace, FileError, OptionError, unknownName } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { keyOf } from "../../core/random.ts";
import { isPlainObject } from "../../core/tree.ts";
import { average } from "./average.ts";
import { dare } from "./dare.ts";
import type { MergeMethod } from "./method.ts";
import { slerp } from "./slerp.ts";
import { taskArithmetic } from "./task-arithmetic.ts";
import { ties } from "./ties.ts";

/** What a config of mergekit's asks for. */
export interface MergekitPlan {
  /** Paths, or names on Hugging Face's hub, as they stand there. */
  readonly models: readonly string[];
  /** The model that the others were fine-tuned from. */
  readonly base: string | undefined;
  readonly method: MergeMethod;
  /** Element type of the result. */
  readonly dtype: "float32" | "float16" | "bfloat16" | undefined;
  /** What was read and means nothing here. */
  readonly notes: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/** A model with its parameters, over those of the whole config. */
interface Source {
  readonly model: string;
  readonly parameters: Fields;
}

/** What a method is made of: the models with their parameters, and those of the whole. */
interface Asked {
  readonly sources: readonly Source[];
  readonly parameters: Fields;
  readonly seed: number;
}

/** Parameters of a method, for the whole config or for a model, and how it is made of them. */
interface Reading {
  readonly parameters: readonly string[];
  readonly needsBase: boolean;
  method(asked: Asked): MergeMethod;
}

const weightsOf = ({ sources }: Asked): number[] =>
  sources.map(({ model, parameters }) => numberOf(parameters, "weight", `the model ${model}`));
const densitiesOf = ({ sources }: Asked): number[] =>
  sources.map(({ model, parameters }) => numberOf(parameters, "density", `the model ${model}`, 1));

const deltaParameters = ["weight", "normalize", "lambda", "int8_mask"];

/** The methods by mergekit's names, each with what mergekit normalizes by default. */
const methods: Readonly<Record<string, Reading>> = {
  linear: {
    parameters: ["weight", "normalize"],
    needsBase: false,
    method: (asked) => average({ weights: weightsOf(asked), normalize: flagOf(asked.parameters, "normalize", true) }),
  },
  slerp: {
    parameters: ["t"],
    needsBase: true,
    method: ({ parameters }) => slerp({ t: numberOf(parameters, "t", "slerp") }),
  },
  task_arithmetic: {
    parameters: deltaParameters,
    needsBase: true,
    method(asked) {
      const scale = numberOf(asked.parameters, "lambda", "parameters", 1);
      const normalize = flagOf(asked.parameters, "normalize", false);
      const weights = weightsOf(asked);
      const sum = normalize ? weights.reduce((total, weight) => total + weight, 0) : 1;
      if (sum === 0) throw new OptionError("the weights sum to 0, and are divided by that; pass others");
      return taskArithmetic({ weights: weights.map((weight) => (scale * weight) / sum) });
    },
  },
  ties: {
    parameters: [...deltaParameters, "density"],
    needsBase: true,
    method: (asked) =>
      ties({
        weights: weightsOf(asked),
        density: densitiesOf(asked),
        scale: numberOf(asked.parameters, "lambda", "parameters", 1),
        normalize: flagOf(asked.parameters, "normalize", true),
      }),
  },
  dare_linear: {
    parameters: [...deltaParameters, "density"],
    needsBase: true,
    method: (asked) => drawn(asked, "sum"),
  },
  dare_ties: {
    parameters: [...deltaParameters, "density"],
    needsBase: true,
    method: (asked) => drawn(asked, "ties"),
  },
};

const drawn = (asked: Asked, combine: "sum" | "ties"): MergeMethod =>
  dare({
    key: keyOf(asked.seed),
    combine,
    weights: weightsOf(asked),
    density: densitiesOf(asked),
    scale: numberOf(asked.parameters, "lambda", "parameters", 1),
    normalize: flagOf(asked.parameters, "normalize", false),
  });

const fields = ["merge_method", "models", "base_model", "parameters", "dtype", "slices"];

/**
 * Reads a config: `merge_method` linear, slerp, task_arithmetic, ties, dare_linear or dare_ties, `models` with a weight and a density each,
 * `base_model`, `parameters` and `dtype`. Throws FileError for what is no YAML, OptionError that names a field that is not known or not
 * supported, such as `slices` and numbers by layer.
 * @param seed from which it is drawn what DARE drops
 */
export function readMergekit(text: string, seed = 0): MergekitPlan {
  if (text.length > limits.yamlLength)
    throw new FileError(
      `it has ${text.length} characters, more than yamlLength (${limits.yamlLength}); a config of mergekit's has a few thousand`,
    );
  const config = parsed(text);
  if (!isPlainObject(config)) throw new FileError("it is no config of mergekit's; it begins with merge_method: …");
  requireFields(config, fields, "the config");
  if (config["slices"] !== undefined)
    throw new OptionError(
      "slices puts layers of several models on one another, which is not supported; list whole models under models",
    );
  const name = textOf(config, "merge_method", "the config");
  const reading = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (!reading) throw unknownName("merge_method", name, Object.keys(methods));
  const parameters = parametersOf(config["parameters"], reading, "parameters");
  const listed = sourcesOf(config["models"], reading, parameters);
  const base = config["base_model"] === undefined ? undefined : textOf(config, "base_model", "the config");
  if (reading.needsBase && base === undefined)
    throw new OptionError(
      `${name} needs base_model, ${name === "slerp" ? "where it begins" : "from which the models were fine-tuned"}; add it`,
    );
  const isSlerp = name === "slerp";
  // mergekit lets the base stand among the models; it has no difference from itself.
  const others = reading.needsBase ? listed.filter(({ model }) => model !== base) : listed;
  const sources = isSlerp ? [{ model: base as string, parameters }, ...others] : others;
  if (!reading.needsBase && base !== undefined)
    throw new OptionError(`${name} reads no base_model; leave it out, or list it under models`);
  if (others.length === 0) throw new OptionError("models lists no model but the base; add those to merge");
  const all = [parameters, ...listed.map((source) => source.parameters)];
  return {
    models: sources.map(({ model }) => model),
    base: isSlerp ? undefined : base,
    method: attempt(name, () => reading.method({ sources, parameters, seed })),
    dtype: dtypeOf(config["dtype"]),
    notes: all.some((own) => own["int8_mask"] !== undefined)
      ? ["int8_mask saves mergekit memory, and changes nothing here"]
      : [],
  };
}

/** What a YAML text says. Throws FileError for what is none, and for aliases that stand for more than a config has. */
function parsed(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true });
  const [mistake] = document.errors;
  if (mistake) throw new FileError(`it is no valid YAML: ${mistake.message.split("\n")[0]}; mend that line`);
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new FileError(`it is no valid YAML: ${(cause as Error).message}; write what the aliases stand for`, {
      cause,
    });
  }
}

function attempt<T>(place: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw atPlace(place, error);
  }
}

/** Throws OptionError for a field that is none of those known. */
function requireFields(given: Fields, known: readonly string[], where: string): void {
  const stray = Object.keys(given).find((name) => !known.includes(name));
  if (stray !== undefined) throw unknownName(`field of ${where}:`, stray, known);
}

function textOf(given: Fields, name: string, where: string): string {
  const value = given[name];
  if (typeof value === "string" && value !== "") return value;
  throw new OptionError(`${where}: ${name} is ${shown(value)}; pass a name or a path`);
}

function numberOf(given: Fields, name: string, where: string, otherwise?: number): number {
  const value = given[name] ?? otherwise;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (Array.isArray(value) || isPlainObject(value))
    throw new OptionError(`${where}: ${name} differs from layer to layer, which is not supported; pass one number`);
  throw new OptionError(`${where}: ${name} is ${shown(value)}; pass a number`);
}

function flagOf(given: Fields, name: string, otherwise: boolean): boolean {
  const value = given[name] ?? otherwise;
  if (typeof value === "boolean") return value;
  throw new OptionError(`parameters: ${name} is ${shown(value)}; pass true or false`);
}

const shown = (value: unknown): string => (value === undefined ? "missing" : JSON.stringify(value));

function parametersOf(given: unknown, { parameters }: Reading, where: string): Fields {
  if (given === undefined || given === null) return {};
  if (!isPlainObject(given))
    throw new OptionError(`${where} is ${shown(given)}; pass names with values, such as weight: 0.5`);
  requireFields(given, parameters, where);
  return given;
}

/** The models that are listed, each with its parameters before those of the config. */
function sourcesOf(given: unknown, reading: Reading, parameters: Fields): readonly Source[] {
  if (!Array.isArray(given) || given.length === 0)
    throw new OptionError(`models is ${shown(given)}; list them: "models:", then "  - model: PATH" for each`);
  return given.map((own: unknown, i): Source => {
    const where = `models[${i}]`;
    if (!isPlainObject(own)) throw new OptionError(`${where} is ${shown(own)}; write "- model: PATH"`);
    requireFields(own, ["model", "parameters"], where);
    const its = parametersOf(own["parameters"], reading, `${where}.parameters`);
    return { model: textOf(own, "model", where), parameters: { ...parameters, ...its } };
  });
}

function dtypeOf(value: unknown): MergekitPlan["dtype"] {
  if (value === undefined || value === null) return undefined;
  if (value === "float32" || value === "float16" || value === "bfloat16") return value;
  throw new OptionError(`dtype is ${shown(value)}; pass float32, float16 or bfloat16, or leave it out`);
}
