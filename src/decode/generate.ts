/** Text from language models: one token after the other, each drawn from what the model expects (autoregressive decoding). */
import { DataError, OptionError, ShapeError } from "../core/errors.ts";
import { requireKnown } from "../core/options.ts";
import type { Random } from "../core/random.ts";
import { showShape } from "../core/shape.ts";
import { Tensor, zerosTensor } from "../core/tensor.ts";
import { Value } from "../graph/ir.ts";
import { type CompileOptions, compile } from "../jit/compile.ts";
import { Decoding } from "../nn/decoding.ts";
import type { AnyModule } from "../nn/module.ts";
import { builtIn } from "../nn/parameter-inputs.ts";

/** A language model at work: it has read some tokens, and keeps their keys and values. */
export interface Decoder {
  /** Logits [vocabulary] of the token after those given, which follow those of earlier calls. */
  feed(tokens: readonly number[]): Promise<Float32Array>;
  /** Tokens read so far. */
  readonly length: number;
  /** The most that it can read. */
  readonly capacity: number;
  /** Forgets what it has read. */
  reset(): void;
}

export interface DecoderOptions {
  /** The most tokens to read, at most the model's positions. */
  readonly capacity: number;
  /** Tokens of a prompt that are read at a time; default 32. */
  readonly chunk?: number;
  readonly compile?: CompileOptions;
}

/** A step for so many tokens at once, int32 [1, length] → logits [length, vocabulary]. */
async function compileStep(model: AnyModule, length: number, { capacity, compile: options }: DecoderOptions) {
  const decoding = new Decoding(capacity);
  const { inputs, output } = model.trace({ dtype: "int32", shape: [1, length] }, { decoding, bind: builtIn });
  if (!(output instanceof Value) || output.rank !== 3)
    throw new ShapeError(
      `the model gives ${output instanceof Value ? showShape(output.shape) : "no single tensor"}; a language model gives logits [batch, time, vocabulary]`,
    );
  const { memories, position } = decoding;
  const executable = await compile(
    [...inputs, position, ...memories.map(({ before }) => before)],
    [output, ...memories.map(({ added }) => added)],
    options,
  );
  return { executable, shapes: memories.map(({ before }) => before.shape), vocabulary: output.shape[2] ?? 1 };
}

/** Puts rows [1, H, T, D] into a memory [1, H, capacity, D] at a position. */
function putRows(
  memory: Tensor,
  { data, shape: [, heads = 1, length = 1, width = 1] }: Tensor,
  position: number,
): void {
  const capacity = memory.shape[2] ?? 1;
  const from = data as Float32Array;
  for (let head = 0; head < heads; head++)
    (memory.data as Float32Array).set(
      from.subarray(head * length * width, (head + 1) * length * width),
      (head * capacity + position) * width,
    );
}

/**
 * A decoder of a model of token ids [N, T] → logits [N, T, vocabulary], with its parameters as they are now. Each step costs as much
 * as one token, whatever was read before (docs/performance.md). Throws what tracing and compiling throw.
 */
export async function decoder(model: AnyModule, options: DecoderOptions): Promise<Decoder> {
  requireKnown("decoder", options, { capacity: true, chunk: true, compile: true });
  const { capacity, chunk = 32 } = options;
  model.trace({ dtype: "int32", shape: [1, 1] });
  const steps = new Map<number, ReturnType<typeof compileStep>>();
  const stepFor = (length: number) => {
    const step = steps.get(length) ?? compileStep(model, length, options);
    steps.set(length, step);
    return step;
  };
  const memories = (await stepFor(1)).shapes.map((shape) => zerosTensor("float32", shape));
  let position = 0;
  return {
    capacity,
    get length() {
      return position;
    },
    reset: () => {
      position = 0;
    },
    async feed(tokens) {
      if (tokens.length === 0) throw new DataError("there is no token to go on from; pass one at least");
      if (position + tokens.length > capacity)
        throw new DataError(
          `${position + tokens.length} tokens are more than the ${capacity} that the model can read; cut the text, or reset`,
        );
      let logits = new Float32Array();
      for (let at = 0; at < tokens.length; ) {
        const length = tokens.length - at >= chunk ? chunk : 1;
        const { executable, vocabulary } = await stepFor(length);
        const ids = new Tensor("int32", [1, length], Int32Array.from(tokens.slice(at, at + length)));
        const place = new Tensor("int64", [], BigInt64Array.of(BigInt(position)));
        const [y, ...added] = (await executable.run([ids, place, ...memories])) as [Tensor, ...Tensor[]];
        for (const [i, rows] of added.entries()) putRows(memories[i] as Tensor, rows, position);
        logits = (y.data as Float32Array).slice((length - 1) * vocabulary, length * vocabulary);
        at += length;
        position += length;
      }
      return logits;
    },
  };
}

export interface SamplingOptions {
  /** Logits are divided by it: below 1 surer, above 1 bolder; 0 takes the likeliest token. Default 1. */
  readonly temperature?: number;
  /** Draw from this many of the likeliest tokens (Fan et al. 2018); default all. */
  readonly topK?: number;
  /** Draw from the likeliest tokens that have this share of the probability together (Holtzman et al. 2020); default 1. */
  readonly topP?: number;
}

/** Throws OptionError for options that leave nothing to draw. */
export function checkSampling({ temperature = 1, topK = 1, topP = 1 }: SamplingOptions): void {
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new OptionError(`sampling: temperature is ${temperature}; pass a number from 0`);
  if (!(Number.isSafeInteger(topK) && topK >= 1))
    throw new OptionError(`sampling: topK is ${topK}; pass a whole number from 1`);
  if (!(topP > 0 && topP <= 1)) throw new OptionError(`sampling: topP is ${topP}; pass a number above 0, at most 1`);
}

/** Draws a token from logits [vocabulary]. Throws OptionError. */
export function sampleToken(logits: Float32Array, options: SamplingOptions, random: Random): number {
  checkSampling(options);
  const { temperature = 1, topK = logits.length, topP = 1 } = options;
  const highest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  if (temperature === 0) return logits.indexOf(highest);
  const order = Uint32Array.from(logits, (_, token) => token);
  // Sorting a large vocabulary takes longer than many a step: only where the likeliest are asked for.
  if (topK < logits.length || topP < 1) order.sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
  const weights = Array.from(order.subarray(0, topK), (token) =>
    Math.exp(((logits[token] ?? 0) - highest) / temperature),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [kept, mass] = [0, 0];
  while (kept < weights.length && mass < topP * total) mass += weights[kept++] ?? 0;
  let left = random.uniform() * mass;
  for (let i = 0; i < kept; i++) {
    left -= weights[i] ?? 0;
    if (left < 0) return order[i] ?? 0;
  }
  return order[kept - 1] ?? 0;
}

/**
 * Tokens after a prompt, without end. When the decoder is full, it forgets the first half of what it read. Throws DataError for an
 * empty prompt or one that is longer than the decoder can read.
 */
export async function* generate(
  model: Decoder,
  prompt: readonly number[],
  options: SamplingOptions & { readonly random: Random },
): AsyncGenerator<number> {
  checkSampling(options);
  model.reset();
  const read = [...prompt];
  let logits = await model.feed(prompt);
  for (;;) {
    const token = sampleToken(logits, options, options.random);
    yield token;
    read.push(token);
    if (model.length < model.capacity) logits = await model.feed([token]);
    else {
      model.reset();
      logits = await model.feed(read.slice(-Math.ceil(model.capacity / 2)));
    }
  }
}
