/** The inputs of models of tokens: which of them are the tokens, and one sample of them. */
import { isFloat } from "../../core/dtype.ts";
import { OptionError, ShapeError } from "../../core/errors.ts";
import { string } from "../../core/option-types.ts";
import type { OptionTypes } from "../../core/options.ts";
import { showShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { isPlainObject } from "../../core/tree.ts";

/** One sample of a model: its one tensor [1, …], or its tensors by name. */
export type SampleInputs = Tensor | Readonly<Record<string, Tensor>>;

/** Options of what asks for the tokens among several inputs. */
export interface TokenOptions {
  /** The name of the input that holds the tokens; default `input_ids`, `x`, or the only input of integers. */
  readonly tokens?: string | undefined;
}

export const tokenTypes: OptionTypes<TokenOptions> = { tokens: string };

/** Throws ShapeError or OptionError unless all inputs are of one sample. */
export function requireSampleInputs(inputs: SampleInputs): void {
  const named = inputs instanceof Tensor ? [["the input", inputs] as const] : Object.entries(recordOf(inputs));
  for (const [name, tensor] of named) {
    if (!(tensor instanceof Tensor)) throw new OptionError(`${name} is a ${typeof tensor}; pass a tensor [1, …]`);
    if (tensor.shape[0] !== 1)
      throw new ShapeError(
        `${name} is ${showShape(tensor.shape)}, where one sample is explained at a time; pass [1, …]`,
      );
  }
}

function recordOf(inputs: unknown): Readonly<Record<string, Tensor>> {
  if (isPlainObject(inputs)) return inputs as Readonly<Record<string, Tensor>>;
  throw new OptionError(
    `the inputs are a ${typeof inputs}; pass a tensor, or tensors by name: { input_ids, attention_mask }`,
  );
}

const usualNames = ["input_ids", "x", "ids", "tokens"];

/** The tokens among a sample's inputs, and the sample with other tokens. Throws OptionError where it is not clear which they are, or none are integers. */
export function tokensOf(
  inputs: SampleInputs,
  { tokens: given }: TokenOptions,
): { readonly tokens: Tensor; readonly name: string | undefined } {
  requireSampleInputs(inputs);
  if (inputs instanceof Tensor) return { tokens: requireIntegers("the input", inputs), name: undefined };
  const integers = Object.keys(inputs).filter((name) => !isFloat((inputs[name] as Tensor).dtype));
  const usual = usualNames.find((name) => integers.includes(name));
  const name = given ?? usual ?? (integers.length === 1 ? integers[0] : undefined);
  const found = name === undefined ? undefined : inputs[name];
  if (name === undefined || !found)
    throw new OptionError(
      `the inputs are ${Object.keys(inputs).join(", ")}, of which ${given === undefined ? "it is not clear which holds the tokens" : `none is called ${given}`}; name it: { tokens: "${integers[0] ?? "input_ids"}" }`,
    );
  return { tokens: requireIntegers(name, found), name };
}

function requireIntegers(name: string, tensor: Tensor): Tensor {
  if (!isFloat(tensor.dtype) && tensor.dtype !== "bool") return tensor;
  throw new OptionError(
    `${name} is ${tensor.dtype}, and tokens are integers; explain floats themselves: integratedGradients(model, x)`,
  );
}
