/** One step of decoding, compiled: some tokens of texts side by side, with what is remembered of those before. */
import { ShapeError } from "../core/errors.ts";
import { showShape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { input, Value } from "../graph/ir.ts";
import { type CompileOptions, compile, type Executable } from "../jit/compile.ts";
import { Decoding } from "../nn/decoding.ts";
import type { AnyModule } from "../nn/module.ts";
import type { Parameter } from "../nn/parameter.ts";
import { builtIn } from "../nn/parameter-inputs.ts";

/** What a step computes with what is remembered, and what it leaves to be remembered. */
export interface Step {
  readonly executable: Executable;
  readonly decoding: Decoding;
  /** Parameters that are inputs behind all others, in their order. */
  readonly varying: readonly Parameter[];
}

/** Parameters whose values differ from text to text, such as those of adapters on one base. */
export interface Variants {
  readonly parameters: ReadonlySet<Parameter>;
  /** The value of one of them; without a variant that of the base. Throws OptionError for a variant that there is not. */
  valueOf(parameter: Parameter, variant: string | undefined): Tensor;
}

/** How a step is compiled. */
export interface StepOptions {
  /** The most tokens that are remembered of a text. */
  readonly capacity: number;
  /** Texts that are read side by side; default 1. */
  readonly batch?: number;
  /** Whether each text has read as many tokens as it has, and not all as many; default false. */
  readonly apart?: boolean;
  /** Parameters that are read at each step; default all are built in as they are. */
  readonly variants?: Variants | undefined;
  /** Device, threads, profiling. */
  readonly compile?: CompileOptions | undefined;
}

/** A step for so many tokens at once, int32 [batch, length] → logits [batch, length, vocabulary]. */
export async function compileStep(
  model: AnyModule,
  length: number,
  { capacity, batch = 1, apart = false, variants, compile: options }: StepOptions,
): Promise<Step> {
  const decoding = new Decoding(capacity, apart ? batch : undefined);
  const varying = new Map<Parameter, Value>();
  const bind = (parameter: Parameter, path: string): Value => {
    if (!variants?.parameters.has(parameter)) return builtIn(parameter);
    const value = input(parameter.dtype, parameter.shape, path);
    varying.set(parameter, value);
    return value;
  };
  const { inputs, output } = model.trace({ dtype: "int32", shape: [batch, length] }, { decoding, bind });
  if (!(output instanceof Value) || output.rank !== 3)
    throw new ShapeError(
      `the model gives ${output instanceof Value ? showShape(output.shape) : "no single tensor"}; a language model gives logits [batch, time, vocabulary]`,
    );
  const { memories, position } = decoding;
  const state = memories.length > 0 ? [position, ...memories.map(({ before }) => before)] : [];
  const given = [...inputs, ...state, ...varying.values()];
  const executable = await compile(given, [output, ...memories.map(({ added }) => added)], options);
  return { executable, decoding, varying: [...varying.keys()] };
}

/** Puts rows [N, H, T, D] into a memory [N, H, capacity, D] at a position. */
export function putRows(
  memory: Tensor,
  { data, shape: [batch = 1, heads = 1, length = 1, width = 1] }: Tensor,
  position: number,
): void {
  const capacity = memory.shape[2] ?? 1;
  const from = data as Float32Array;
  for (let head = 0; head < batch * heads; head++)
    (memory.data as Float32Array).set(
      from.subarray(head * length * width, (head + 1) * length * width),
      (head * capacity + position) * width,
    );
}

/** Of logits [batch, length, vocabulary] those after the token at `at` of each text. */
export const logitsAt = ({ data, shape: [batch = 1, length = 1, vocabulary = 1] }: Tensor, at: number) =>
  Array.from({ length: batch }, (_, text) => {
    const start = (text * length + at) * vocabulary;
    return (data as Float32Array).slice(start, start + vocabulary);
  });
