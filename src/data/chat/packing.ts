/** Examples as rows of one length: several packed into each, or one padded, with the next token of each as its label. */
import { type ArrayOf, allocate } from "../../core/dtype.ts";
import { DataError } from "../../core/errors.ts";
import { count } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { fromTensors, type TensorDataset } from "../pipeline/dataset.ts";
import { ignoredLabel } from "../text/masking.ts";
import type { ChatExample } from "./chat-examples.ts";

/** Options of `packExamples`. */
export interface PackingOptions {
  /** Tokens of a row. */
  readonly length: number;
  /** The id that fills the end of a row; default 0. */
  readonly padding?: number;
}

const checkOptions = optionsOf<PackingOptions>("packExamples", { length: required(count(2)), padding: count(0) });

/** A row of several examples, each int32 [length]; as a batch [N, length]. */
export type PackedRow = {
  /** The tokens. */
  readonly x: Tensor<"int32">;
  /** The token after each where it is learned and of the same example; elsewhere `ignoredLabel`. */
  readonly y: Tensor<"int32">;
  /** The place of each token in its example, from 0; 0 at padding. */
  readonly positions: Tensor<"int32">;
  /** The number of each token's example in the row, from 1; 0 at padding. Tokens of different numbers must not attend to each other. */
  readonly segments: Tensor<"int32">;
};

/** Packed rows, and what they are of. */
export interface PackedExamples {
  /** The rows; longer examples are in earlier ones, so shuffle them. */
  readonly all: TensorDataset<PackedRow>;
  /** Of each row the examples in it, in their order there, by their places in the list. */
  readonly members: readonly (readonly number[])[];
  /** Share of the rows that is padding, in [0, 1). */
  readonly padding: number;
}

/** Throws DataError for an example that is empty, has marks of another length, or is longer than a row. */
function checkExamples(examples: readonly ChatExample[], length: number, where: string): void {
  if (examples.length === 0) throw new DataError(`${where}: there are no examples, expected at least one`);
  for (const [i, { ids, learned }] of examples.entries()) {
    if (ids.length === 0 || learned.length !== ids.length)
      throw new DataError(
        `${where}: examples[${i}] has ${ids.length} ids and ${learned.length} marks, expected as many of both; make it by chatExamples()`,
      );
    if (ids.length > length)
      throw new DataError(
        `${where}: examples[${i}] has ${ids.length} tokens, a row has ${length}; raise the length, or leave it out with tooLong: "drop"`,
      );
  }
}

/**
 * Rows by best fit, longest first (Johnson 1973): each example goes to the row that it leaves the least room in. Of equally long
 * examples the earlier comes first, of rows with equal room the later one is taken.
 */
function bestFit(lengths: readonly number[], capacity: number): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => (lengths[b] ?? 0) - (lengths[a] ?? 0) || a - b);
  const rows: number[][] = [];
  /** Rows by the room that they have left. */
  const withRoom: number[][] = Array.from({ length: capacity + 1 }, () => []);
  for (const index of order) {
    const own = lengths[index] ?? 0;
    let room = own;
    while (room < capacity && withRoom[room]?.length === 0) room++;
    const row = withRoom[room]?.pop() ?? rows.push([]) - 1;
    rows[row]?.push(index);
    withRoom[room - own]?.push(row);
  }
  return rows;
}

/** Writes labels of an example that begins at a place of a row: the token after each, where that is learned. */
function writeLabels({ ids, learned }: ChatExample, y: Int32Array, at: number): void {
  for (let i = 0; i + 1 < ids.length; i++) if (learned[i + 1] === 1) y[at + i] = ids[i + 1] as number;
}

/**
 * Packs examples into rows of a length, so that little of them is padding, in the same way each time. Nothing is predicted across the
 * border of two examples, and no example is cut. A model has to take `positions`, and `segments` to keep attention within each example;
 * a model without them pads, see `padExamples`. Pass `ignoredLabel` to `crossEntropy` as `ignoreIndex`. Throws DataError naming an
 * example that is longer than a row.
 * @example packExamples(examples, { length: 2048 }).all.shuffle(keyOf(1)).batch(4)
 */
export function packExamples(examples: readonly ChatExample[], options: PackingOptions): PackedExamples {
  const { length, padding = 0 } = checkOptions(options);
  checkExamples(examples, length, "packExamples");
  const members = bestFit(
    examples.map(({ ids }) => ids.length),
    length,
  );
  const size = members.length * length;
  const [x, y] = [allocate("int32", size).fill(padding), allocate("int32", size).fill(ignoredLabel)];
  const [positions, segments] = [allocate("int32", size), allocate("int32", size)];
  let tokens = 0;
  for (const [row, indices] of members.entries()) {
    let at = row * length;
    for (const [place, index] of indices.entries()) {
      const example = examples[index] as ChatExample;
      const end = at + example.ids.length;
      x.set(example.ids, at);
      writeLabels(example, y, at);
      for (let i = at; i < end; i++) positions[i] = i - at;
      segments.fill(place + 1, at, end);
      tokens += example.ids.length;
      at = end;
    }
  }
  const rows = (data: ArrayOf<"int32">) => new Tensor("int32", [members.length, length], data);
  const all = fromTensors({ x: rows(x), y: rows(y), positions: rows(positions), segments: rows(segments) });
  return { all, members, padding: 1 - tokens / size };
}

/** Examples one in a row, int32 [N, width]. */
export type PaddedExamples = {
  /** The tokens. */
  readonly x: Tensor<"int32">;
  /** The token after each where it is learned; elsewhere `ignoredLabel`. */
  readonly y: Tensor<"int32">;
  /** 1 for tokens, 0 for padding. */
  readonly mask: Tensor<"int32">;
};

/**
 * Examples as rows of a width, each padded behind with `padding` (0): the `collate` of `bucketed`, or all of them for `fromTensors`.
 * Throws DataError naming an example that is longer.
 * @example bucketed(examples, { size: 8, widths: [256, 512, 1024], lengthOf: ({ ids }) => ids.length, collate: padExamples })
 */
export function padExamples(examples: readonly ChatExample[], width: number, padding = 0): PaddedExamples {
  checkExamples(examples, width, "padExamples");
  const size = examples.length * width;
  const [x, y] = [allocate("int32", size).fill(padding), allocate("int32", size).fill(ignoredLabel)];
  const mask = allocate("int32", size);
  for (const [row, example] of examples.entries()) {
    const at = row * width;
    x.set(example.ids, at);
    writeLabels(example, y, at);
    mask.fill(1, at, at + example.ids.length);
  }
  const rows = (data: ArrayOf<"int32">) => new Tensor("int32", [examples.length, width], data);
  return { x: rows(x), y: rows(y), mask: rows(mask) };
}
