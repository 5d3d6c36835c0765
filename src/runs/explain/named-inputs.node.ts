/** Several inputs of a model as one sample: read by name from JSON, one of them explained, the others as they are. */
import { existsSync } from "node:fs";
import { type DType, isFloat } from "../../core/dtype.ts";
import { DataError, FileError, OptionError, ShapeError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { type Nested, type Tensor, tensor } from "../../core/tensor.ts";
import { isPlainObject } from "../../core/tree.ts";
import { tokensOf } from "../../explain/tokens/token-inputs.ts";
import type { Value } from "../../graph/ir.ts";
import { type AnyModule, type Context, Module } from "../../nn/index.ts";
import { constant, expand } from "../../ops/index.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import type { Sample } from "./sample.ts";
import { floatSample, type ScoredModel } from "./samples.ts";
import { idsSample } from "./token-samples.ts";

/** An input that a model declares. */
export interface NamedInput {
  readonly name: string;
  readonly dtype: DType;
  /** How many axes it has, where that is known. */
  readonly rank?: number | undefined;
}

type NamedTensors = Readonly<Record<string, Tensor>>;

/** Text as JSON: what an argument holds, or the file that it names. */
async function jsonOfArgument(argument: string, names: readonly string[]): Promise<unknown> {
  const form = `JSON with ${names.length === 1 ? `the numbers of ${names[0]}` : "numbers by name"}: {${names.map((name) => `"${name}": [[…]]`).join(", ")}}`;
  const isInline = /^\s*[[{]/.test(argument);
  if (!isInline && !existsSync(argument)) throw new FileError(`there is no file ${argument}; pass ${form}`);
  try {
    return parseJson(isInline ? argument : new TextDecoder().decode(await readBytes(argument, "input")));
  } catch (cause) {
    throw new FileError(
      `${isInline ? "the input" : argument} is not JSON (${(cause as Error).message}); pass ${form}`,
      {
        cause,
      },
    );
  }
}

/** Numbers of one sample [1, …] as a model declares them; a sample without its first axis gets it. */
function tensorOf(numbers: unknown, { name, dtype, rank }: NamedInput): Tensor {
  let read: Tensor;
  try {
    read = tensor(numbers as Nested, { dtype });
  } catch (error) {
    throw new DataError(`${name}: ${(error as Error).message}`, { cause: error });
  }
  const isBare = rank !== undefined && read.shape.length === rank - 1;
  const whole = isBare ? read.reshape([1, ...read.shape]) : read;
  if (whole.shape[0] === 1 && (rank === undefined || whole.shape.length === rank)) return whole;
  throw new ShapeError(
    `${name} holds [${read.shape.join(", ")}] numbers, and one sample is explained at a time; pass [1, …]${rank === undefined ? "" : ` of ${rank} axes`}`,
  );
}

/**
 * The inputs of a model, from JSON: `{"input_ids": [[…]], "attention_mask": [[…]]}`, of one input its numbers alone too. Throws FileError for what is no JSON, DataError,
 * OptionError or ShapeError for names and numbers that do not fit.
 */
export async function readNamedInputs(argument: string, inputs: readonly NamedInput[]): Promise<NamedTensors> {
  const names = inputs.map(({ name }) => name);
  const json = await jsonOfArgument(argument, names);
  const [only] = inputs;
  const given = inputs.length === 1 && only && Array.isArray(json) ? { [only.name]: json } : json;
  if (!isPlainObject(given))
    throw new DataError(`the model takes ${names.join(", ")}; pass an object with the numbers of each by name`);
  const lacking = names.find((name) => !(name in given));
  const stray = Object.keys(given).find((name) => !names.includes(name));
  if (lacking !== undefined || stray !== undefined)
    throw new OptionError(
      `the input ${lacking === undefined ? `has ${stray}, which the model does not take` : `lacks ${lacking}`}; pass ${names.join(", ")}`,
    );
  return Object.fromEntries(inputs.map((input) => [input.name, tensorOf(given[input.name], input)]));
}

/** A model of several inputs as one of a single input: the others are those of the sample, whatever stands in it. */
class OneInput extends Module<Value, unknown> {
  readonly model: AnyModule;
  readonly #name: string;
  readonly #others: NamedTensors;

  constructor(model: AnyModule, name: string, others: NamedTensors) {
    super();
    this.model = model;
    this.#name = name;
    this.#others = others;
  }

  protected call(x: Value, context: Context): unknown {
    const samples = x.shape[0] ?? 1;
    const held = Object.entries(this.#others).map(([name, own]) => [
      name,
      expand(constant(own), [samples, ...own.shape.slice(1)]),
    ]);
    return this.model.apply({ ...Object.fromEntries(held), [this.#name]: x } as never, context);
  }
}

/** Which input is explained where none is named: the tokens, or the only one of floats. */
function explainedName(inputs: NamedTensors): string {
  const floats = Object.keys(inputs).filter((name) => isFloat((inputs[name] as Tensor).dtype));
  const [only] = floats;
  if (floats.length === Object.keys(inputs).length && (floats.length > 1 || only === undefined))
    throw new OptionError(
      `the model takes ${floats.join(", ")}, of which one is explained at a time; name it: --input ${only}`,
    );
  return tokensNameOf(inputs) ?? (only as string);
}

function tokensNameOf(inputs: NamedTensors): string | undefined {
  if (Object.values(inputs).every(({ dtype }) => isFloat(dtype) || dtype === "bool")) return undefined;
  return tokensOf(inputs, {}).name;
}

/**
 * The sample of several inputs, of which one is explained: tokens, an image or numbers. Throws OptionError where it is not clear which.
 * @param name the input that is explained; default the tokens, or the only one of floats
 */
export async function namedSample(scored: ScoredModel, inputs: NamedTensors, name?: string): Promise<Sample> {
  if (name !== undefined && !(name in inputs))
    throw new OptionError(`--input is ${name}; pass one of ${Object.keys(inputs).join(", ")}`);
  const explained = name ?? explainedName(inputs);
  const { [explained]: own, ...others } = inputs;
  const x = own as Tensor;
  if (!isFloat(x.dtype)) return idsSample(scored, inputs, explained);
  const one = { ...scored, model: new OneInput(scored.model, explained, others) as AnyModule };
  return floatSample(one, x, x);
}
