/** Language models at work: they read tokens, and say what they expect of the next. */
import { DataError } from "../core/errors.ts";
import { append } from "../core/lists.ts";
import { count } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { Tensor, zerosTensor } from "../core/tensor.ts";
import { type CompileOptions, checkCompile } from "../jit/compile.ts";
import type { AnyModule } from "../nn/module.ts";
import { compileStep, logitsAt, putRows, type Step } from "./step.ts";

/** A language model at work: it has read some tokens, and remembers them. */
export interface Decoder {
  /** Logits [vocabulary] of the token after those given, which follow those of earlier calls. */
  feed(tokens: readonly number[]): Promise<Float32Array>;
  /** As `feed`, for as many texts as `batch` says: the tokens of each, equally many, and the logits of each. */
  feedAll(texts: readonly (readonly number[])[]): Promise<readonly Float32Array[]>;
  /** Tokens read so far. */
  readonly length: number;
  /** The most that it can read. */
  readonly capacity: number;
  /** Forgets what it has read. */
  reset(): void;
  /** Lets go of compiled graphs; the decoder is done with. */
  release(): Promise<void>;
}

/** Options of `decoder`. */
export interface DecoderOptions {
  /** The most tokens to read, at most the model's positions. */
  readonly capacity: number;
  /** Tokens of a prompt that are read at a time; default 32. */
  readonly chunk?: number;
  /** Texts that are read side by side, which takes little longer than one: the weights are read once for all; default 1. */
  readonly batch?: number;
  /** Device, threads, profiling. */
  readonly compile?: CompileOptions;
}

const checkOptions = optionsOf<DecoderOptions>("decoder", {
  capacity: required(count()),
  chunk: count(),
  batch: count(),
  compile: checkCompile.type,
});

/** Reads tokens of every text from a position on, before which all are read, and gives the logits of the next. */
type Read = (texts: readonly (readonly number[])[], position: number) => Promise<readonly Float32Array[]>;

/** With the keys and values of the tokens before, so that a step costs as much as one token. */
function rememberingRead(model: AnyModule, first: Step, options: DecoderOptions) {
  const { batch = 1, chunk = 32 } = options;
  const steps = new Map<number, Promise<Step>>([[1, Promise.resolve(first)]]);
  const stepFor = (length: number) => {
    const step = steps.get(length) ?? compileStep(model, length, options);
    steps.set(length, step);
    return step;
  };
  const memories = first.decoding.memories.map(({ before }) => zerosTensor("float32", before.shape));
  const read: Read = async (texts, position) => {
    const total = texts[0]?.length ?? 0;
    let logits: readonly Float32Array[] = [];
    for (let at = 0; at < total; ) {
      const length = total - at >= chunk ? chunk : 1;
      const { executable } = await stepFor(length);
      const ids = new Tensor(
        "int32",
        [batch, length],
        Int32Array.from(texts.flatMap((text) => text.slice(at, at + length))),
      );
      const place = new Tensor("int64", [], BigInt64Array.of(BigInt(position + at)));
      const [y, ...added] = (await executable.run([ids, place, ...memories])) as [Tensor, ...Tensor[]];
      for (const [i, rows] of added.entries()) putRows(memories[i] as Tensor, rows, position + at);
      at += length;
      if (at === total) logits = logitsAt(y, length - 1);
    }
    return logits;
  };
  return { read, steps };
}

/** All tokens at each step, for a model that has nothing to remember by, such as one from a file: what follows fills the room. */
function wholeRead(model: AnyModule, options: DecoderOptions) {
  const { batch = 1, capacity } = options;
  const step = compileStep(model, capacity, options);
  const seen: number[][] = Array.from({ length: batch }, () => []);
  const read: Read = async (texts, position) => {
    for (const [i, own] of seen.entries()) {
      own.length = position;
      append(own, texts[i] ?? []);
    }
    const { executable } = await step;
    const ids = seen.flatMap((own) => Array.from({ length: capacity }, (_, i) => own[i] ?? 0));
    const [y] = (await executable.run([new Tensor("int32", [batch, capacity], Int32Array.from(ids))])) as [Tensor];
    return logitsAt(y, (seen[0]?.length ?? 0) - 1);
  };
  return { read, steps: new Map([[capacity, step]]) };
}

/**
 * A decoder of a model of token ids [N, T] → logits [N, T, vocabulary], each of which depends on no later token, with
 * its parameters as they are now. Of models of causal attention each step costs as much as one token, whatever was read
 * before (docs/performance.md); of others, as much as all tokens. Throws OptionError for a capacity beyond the model's
 * positions, and what tracing and compiling throw.
 * @example
 * const model = await decoder(gpt, { capacity: 256 });
 * const logits = await model.feed(tokenizer.encode("Call me"));
 */
export async function decoder(model: AnyModule, options: DecoderOptions): Promise<Decoder> {
  const { capacity, batch = 1 } = checkOptions(options);
  const first = await compileStep(model, 1, options);
  const remembers = first.decoding.memories.length > 0;
  if (!remembers) await first.executable.session.release();
  const { read, steps } = remembers ? rememberingRead(model, first, options) : wholeRead(model, options);
  let position = 0;
  const feedAll = async (texts: readonly (readonly number[])[]) => {
    const [{ length } = []] = texts;
    if (texts.length !== batch || texts.some((text) => text.length !== length))
      throw new DataError(
        `tokens of ${texts.length} texts, of lengths ${[...new Set(texts.map((text) => text.length))]}, where ${batch} of one length are read; pass as many as \`batch\` says, equally long`,
      );
    if (length === 0) throw new DataError("there is no token to go on from; pass one at least");
    if (position + length > capacity)
      throw new DataError(
        `${position + length} tokens are more than the ${capacity} that the model can read; cut the text, or reset`,
      );
    const logits = await read(texts, position);
    position += length;
    return logits;
  };
  return {
    capacity,
    get length() {
      return position;
    },
    reset: () => {
      position = 0;
    },
    feedAll,
    async feed(tokens) {
      const [logits] = await feedAll([tokens]);
      return logits as Float32Array;
    },
    async release() {
      for (const step of await Promise.allSettled(steps.values()))
        if (step.status === "fulfilled") await step.value.executable.session.release();
      steps.clear();
    },
  };
}
