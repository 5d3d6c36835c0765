/** Language models that read texts side by side, each at a place of its own: texts join and leave between two tokens. */
import { DataError, OptionError } from "../core/errors.ts";
import { groupBy } from "../core/group-by.ts";
import { count, having } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { size } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { type CompileOptions, checkCompile } from "../jit/compile.ts";
import type { AnyModule } from "../nn/module.ts";
import { compileStep, logitsAt, type Step, type Variants } from "./step.ts";

/** A text that is being read. */
export interface Row {
  /** Tokens read so far. */
  readonly length: number;
}

/** A token that a text goes on with. */
export interface NextToken {
  readonly row: Row;
  readonly token: number;
}

/** A language model that reads several texts, each at a place of its own; one call at a time. `rowDecoder` makes one. */
export interface RowDecoder {
  /** The most tokens that it reads of a text. */
  readonly capacity: number;
  /** The most texts at once. */
  readonly rows: number;
  /** Texts that are being read. */
  readonly count: number;
  /** Tokens that `read` computes in one go. */
  readonly chunk: number;
  /** Makes room for a text, of a variant of the model. Throws OptionError when all rows are taken. */
  join(variant?: string): Row;
  /** Forgets a text; its row is free. */
  leave(row: Row): void;
  /** Reads tokens of one text, as a prompt: logits [vocabulary] of the token behind them. Throws DataError beyond the capacity. */
  read(row: Row, tokens: readonly number[]): Promise<Float32Array>;
  /** Reads one token of each of some texts, those of a variant in one go: logits [vocabulary] of the next, in their order. Throws as `read`. */
  step(next: readonly NextToken[]): Promise<readonly Float32Array[]>;
  /** Compiles all steps ahead, so that no text waits for one. */
  warm(): Promise<void>;
  /** Lets go of compiled graphs; the decoder is done with. */
  release(): Promise<void>;
}

/** Options of `rowDecoder`. */
export interface RowDecoderOptions {
  /** The most tokens to read of a text, at most the model's positions. */
  readonly capacity: number;
  /** The most texts at once; default 8. */
  readonly rows?: number;
  /** Tokens of a prompt that are read at a time; default 32. */
  readonly chunk?: number;
  /** Parameters whose values differ from text to text, such as those of adapters; default none. */
  readonly variants?: Variants | undefined;
  /** Device, threads, profiling. */
  readonly compile?: CompileOptions | undefined;
}

const checkOptions = optionsOf<RowDecoderOptions>("rowDecoder", {
  capacity: required(count()),
  rows: count(),
  chunk: count(),
  variants: having("valueOf", "parameters, and their values by variant"),
  compile: checkCompile.type,
});

/** Sizes of batches that are compiled: powers of two, and the most. */
export const bucketsUpTo = (most: number): readonly number[] => {
  const powers = Array.from({ length: Math.ceil(Math.log2(most)) }, (_, i) => 2 ** i);
  return [...powers, most];
};

/** The place of a text: which row of the memories it has, and how far it was read. */
interface Place extends Row {
  index: number;
  length: number;
  readonly variant: string | undefined;
  /** Its tokens, of a model that has no memory and reads all of them at each step. */
  readonly tokens: number[];
}

/** Which rows a step is for. */
interface Span {
  readonly start: number;
  readonly batch: number;
  readonly length: number;
  readonly variant: string | undefined;
}

/** The memory of keys or values of all rows, [rows, H, capacity, D], which grows as texts join. */
class RowMemory {
  readonly #row: readonly number[];
  #data: Float32Array;
  readonly #views = new Map<string, Tensor<"float32">>();

  /** @param row the shape of one row: [H, capacity, D] */
  constructor(row: readonly number[]) {
    this.#row = row;
    this.#data = new Float32Array(size(row));
  }

  /** Some rows as a tensor, without a copy. */
  view(first: number, rows: number): Tensor<"float32"> {
    const each = size(this.#row);
    if (this.#data.length < (first + rows) * each) {
      const larger = new Float32Array(Math.max((first + rows) * each, 2 * this.#data.length));
      larger.set(this.#data);
      this.#data = larger;
      this.#views.clear();
    }
    const key = `${first},${rows}`;
    const known = this.#views.get(key);
    if (known) return known;
    const data = this.#data.subarray(first * each, (first + rows) * each);
    const made = new Tensor("float32", [rows, ...this.#row], data);
    this.#views.set(key, made);
    return made;
  }

  /** Puts tokens of one row of a step's result, [N, H, T, D], behind those that were read. */
  put({ data, shape }: Tensor, from: number, place: Place, tokens: number): void {
    const [, heads = 1, length = 1, width = 1] = shape;
    const [, capacity = 1] = this.#row;
    for (let head = 0; head < heads; head++) {
      const start = (from * heads + head) * length * width;
      const rows = (data as Float32Array).subarray(start, start + tokens * width);
      this.#data.set(rows, ((place.index * heads + head) * capacity + place.length) * width);
    }
  }

  move(from: number, to: number): void {
    const each = size(this.#row);
    this.#data.copyWithin(to * each, from * each, (from + 1) * each);
  }
}

/**
 * A decoder of a model of token ids [N, T] → logits [N, T, vocabulary], each of which depends on no later token, that reads several texts at
 * once: those of different lengths share a step, and a text that comes or goes makes no other wait (continuous batching, Yu et al. 2022, Orca,
 * sec. 3.2). Batches are filled up to powers of two, so that few graphs are compiled. Throws what `decoder` throws.
 * @example
 * const texts = await rowDecoder(gpt, { capacity: 256 });
 * const row = texts.join();
 * const logits = await texts.read(row, tokenizer.encode("Call me"));
 */
export async function rowDecoder(model: AnyModule, options: RowDecoderOptions): Promise<RowDecoder> {
  const { capacity, rows: most = 8, chunk: wanted = 32, variants, compile } = checkOptions(options);
  const chunk = Math.min(wanted, capacity);
  const steps = new Map<string, Promise<Step>>();
  const stepFor = (batch: number, length: number): Promise<Step> => {
    const key = `${batch},${length}`;
    const step = steps.get(key) ?? compileStep(model, length, { capacity, batch, apart: true, variants, compile });
    steps.set(key, step);
    return step;
  };
  const first = await stepFor(1, 1);
  const memories = first.decoding.memories.map(({ before }) => new RowMemory(before.shape.slice(1)));
  const remembers = memories.length > 0;
  if (!remembers) {
    await first.executable.session.release();
    steps.clear();
  }
  const places: Place[] = [];
  const buckets = bucketsUpTo(most);
  const bucketOf = (texts: number) => buckets.find((bucket) => bucket >= texts) ?? most;
  const placeOf = (row: Row): Place => {
    const place = places.find((own) => own === row);
    if (!place) throw new OptionError("the text has left the decoder; join again");
    return place;
  };
  const requireRoom = ({ length }: Row, tokens: number) => {
    if (length + tokens > capacity)
      throw new DataError(
        `${length + tokens} tokens are more than the ${capacity} that are read of a text; cut it, or open the decoder with a larger capacity`,
      );
  };

  /** Runs a step of `length` tokens for rows from `start` on, by the parameters of a variant. */
  const run = async ({ start, batch, length, variant }: Span, ids: Int32Array): Promise<readonly Tensor[]> => {
    const { executable, varying } = await stepFor(batch, length);
    const own = varying.map((parameter) => variants?.valueOf(parameter, variant) as Tensor);
    const tokens = new Tensor("int32", [batch, length], ids);
    if (!remembers) return executable.run([tokens, ...own]);
    // Of a row that is full nothing is computed: it only stands among the others.
    const at = BigInt64Array.from({ length: batch }, (_, i) =>
      BigInt(Math.min(places[start + i]?.length ?? 0, capacity - length)),
    );
    const views = memories.map((memory) => memory.view(start, batch));
    return executable.run([tokens, new Tensor("int64", [batch, 1], at), ...views, ...own]);
  };

  const readChunk = async (place: Place, tokens: readonly number[]): Promise<Float32Array> => {
    // What fills a chunk up stands behind the tokens, which do not see it.
    const fits = place.length + chunk <= capacity;
    const length = tokens.length > 1 && fits ? chunk : 1;
    const own = tokens.slice(0, length);
    const span = { start: place.index, batch: 1, length, variant: place.variant };
    const ids = Int32Array.from({ length }, (_, i) => own[i] ?? 0);
    const [y, ...added] = (await run(span, ids)) as [Tensor, ...Tensor[]];
    for (const [i, rows] of added.entries()) memories[i]?.put(rows, 0, place, own.length);
    place.length += own.length;
    return own.length === tokens.length
      ? (logitsAt(y, own.length - 1)[0] as Float32Array)
      : readChunk(place, tokens.slice(own.length));
  };

  /** All tokens of some texts at once, of a model that remembers nothing. */
  const readWhole = async (some: readonly Place[]): Promise<readonly Float32Array[]> => {
    const [{ variant } = {}] = some;
    const batch = bucketOf(some.length);
    const ids = new Int32Array(batch * capacity);
    for (const [i, { tokens }] of some.entries()) ids.set(tokens, i * capacity);
    const [y] = (await run({ start: 0, batch, length: capacity, variant }, ids)) as [Tensor];
    const { data, shape: [, , vocabulary = 1] } = y; // biome-ignore format: one line
    return some.map(({ length }, i) => {
      const start = (i * capacity + length - 1) * vocabulary;
      return (data as Float32Array).slice(start, start + vocabulary);
    });
  };
  const append = (place: Place, tokens: readonly number[]) => {
    for (const token of tokens) place.tokens.push(token);
    place.length += tokens.length;
  };

  /** A step of texts of one variant; the others stand among them, and stay as they are. */
  const stepOf = async (
    some: readonly { readonly place: Place; readonly token: number }[],
  ): Promise<readonly Float32Array[]> => {
    if (!remembers) {
      for (const { place, token } of some) append(place, [token]);
      return readWhole(some.map(({ place }) => place));
    }
    const batch = bucketOf(places.length);
    const ids = new Int32Array(batch);
    for (const { place, token } of some) ids[place.index] = token;
    const span = { start: 0, batch, length: 1, variant: some[0]?.place.variant };
    const [y, ...added] = (await run(span, ids)) as [Tensor, ...Tensor[]];
    for (const { place } of some) {
      for (const [i, rows] of added.entries()) memories[i]?.put(rows, place.index, place, 1);
      place.length++;
    }
    const logits = logitsAt(y, 0);
    return some.map(({ place }) => logits[place.index] as Float32Array);
  };

  return {
    capacity,
    chunk,
    rows: most,
    get count() {
      return places.length;
    },
    join(variant) {
      if (places.length === most)
        throw new OptionError(`${most} texts are being read, as many as there are rows; wait until one has left`);
      const place: Place = { index: places.length, length: 0, variant, tokens: [] };
      places.push(place);
      return place;
    },
    leave(row) {
      const place = placeOf(row);
      const last = places.pop() as Place;
      if (last === place) return;
      // Rows of a step stand one behind the other: the last takes the place that is free.
      for (const memory of memories) memory.move(last.index, place.index);
      last.index = place.index;
      places[place.index] = last;
    },
    async read(row, tokens) {
      const place = placeOf(row);
      if (tokens.length === 0) throw new DataError("there is no token to go on from; pass one at least");
      requireRoom(place, tokens.length);
      if (remembers) return readChunk(place, tokens);
      append(place, tokens);
      return (await readWhole([place]))[0] as Float32Array;
    },
    async step(next) {
      const some = next.map(({ row, token }) => ({ place: placeOf(row), token }));
      for (const { place } of some) requireRoom(place, 1);
      const found = new Map<Place, Float32Array>();
      for (const own of groupBy(some, ({ place }) => place.variant).values()) {
        const logits = await stepOf(own);
        for (const [i, { place }] of own.entries()) found.set(place, logits[i] as Float32Array);
      }
      return some.map(({ place }) => found.get(place) as Float32Array);
    },
    async warm() {
      if (remembers) await stepFor(1, chunk);
      for (const bucket of buckets) await stepFor(bucket, remembers ? 1 : capacity);
    },
    async release() {
      for (const step of await Promise.allSettled(steps.values()))
        if (step.status === "fulfilled") await step.value.executable.session.release();
      steps.clear();
    },
  };
}
