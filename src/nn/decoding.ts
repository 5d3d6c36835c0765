/** Decoding token by token: the keys and values of tokens before are kept, not computed again (a key-value cache). */
import { OptionError, ShapeError } from "../core/errors.ts";
import { showShape } from "../core/shape.ts";
import { input, type Value } from "../graph/ir.ts";
import { apply } from "../graph/op.ts";
import { add, expand, gather, gatherElements, range, reshape, ScatterElements } from "../ops/index.ts";

/** What decoding keeps of a layer: what is there before a step, and what the step adds at its position. */
export interface Memory {
  /** [N, H, capacity, D]. */
  readonly before: Value;
  /** [N, H, T, D]. */
  readonly added: Value;
}

/**
 * The tokens of one step, and room for the keys and values of all: a `Context` with it makes causal attention see the tokens
 * of earlier steps, and positions go on where those ended. Shapes stay the same in every step (Pope et al. 2022, sec. 2).
 */
export class Decoding {
  /** How many tokens were before this step: an int64 scalar, or [N, 1] where each row has read as many as it has. */
  readonly position: Value;
  /** The most tokens that there is room for. */
  readonly capacity: number;
  /** What each causal attention keeps: its keys, and then its values. */
  readonly memories: Memory[] = [];

  /** @param rows how many texts there are, each at a position of its own; default all are at the same */
  constructor(capacity: number, rows?: number) {
    if (!(Number.isSafeInteger(capacity) && capacity >= 1))
      throw new OptionError(`decoding: its capacity is ${capacity}; pass a whole number of tokens from 1`);
    this.position = input("int64", rows === undefined ? [] : [rows, 1], "position");
    this.capacity = capacity;
  }

  /** Positions of `length` tokens of this step, int64 [length], or [N, length] of rows at positions of their own. */
  positions(length: number): Value {
    return add(range(length), this.position);
  }

  /** What is kept of keys or values, to which a step adds rows [N, H, T, D]. */
  remember(rows: Value): Memory {
    const [batch = 1, heads = 1, length = 1, width = 1] = rows.shape;
    if (rows.rank !== 4 || length > this.capacity)
      throw new ShapeError(
        `decoding has room for ${this.capacity} tokens, got ${showShape(rows.shape)}; pass heads [batch, heads, time, width] with no more`,
      );
    const before = input(rows.dtype, [batch, heads, this.capacity, width], `memory.${this.memories.length}`);
    const memory = { before, added: rows };
    this.memories.push(memory);
    return memory;
  }

  /** Puts what this step has for its own tokens, [..., T], where they stand among all, [..., first + capacity]. */
  place(all: Value, own: Value, first: number): Value {
    const places = expand(this.#behind(own.shape.at(-1) ?? 1, first), own.shape);
    return apply(ScatterElements, [all, places, own], { axis: -1 });
  }

  /** The reverse: of all tokens, [..., first + capacity], this step's own, [..., length]. */
  own(all: Value, length: number, first: number): Value {
    const places = this.#behind(length, first);
    if (places.rank === 1) return gather(all, places, -1);
    return gatherElements(all, expand(places, [...all.shape.slice(0, -1), length]), -1);
  }

  /** Positions behind `first` others, to broadcast over the scores of all heads: [length], or [N, 1, 1, length]. */
  #behind(length: number, first: number): Value {
    const positions = add(this.positions(length), first);
    return positions.rank === 1 ? positions : reshape(positions, [positions.shape[0] ?? 1, 1, 1, length]);
  }
}
