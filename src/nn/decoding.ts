/** Decoding token by token: the keys and values of tokens before are kept, not computed again (a key-value cache). */
import { OptionError, ShapeError } from "../core/errors.ts";
import { showShape } from "../core/shape.ts";
import { input, type Value } from "../graph/ir.ts";
import { apply } from "../graph/op.ts";
import { add, expand, range, reshape, ScatterElements } from "../ops/index.ts";

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
  /** How many tokens were before this step: an int64 scalar. */
  readonly position: Value;
  /** The most tokens that there is room for. */
  readonly capacity: number;
  /** What each causal attention keeps: its keys, and then its values. */
  readonly memories: Memory[] = [];

  constructor(capacity: number) {
    if (!(Number.isSafeInteger(capacity) && capacity >= 1))
      throw new OptionError(`decoding: its capacity is ${capacity}; pass a whole number of tokens from 1`);
    this.position = input("int64", [], "position");
    this.capacity = capacity;
  }

  /** Positions of `length` tokens of this step, int64 [length]. */
  positions(length: number): Value {
    return add(range(length), this.position);
  }

  /** Keys or values of all tokens so far, [N, H, capacity, D], of those of this step, [N, H, T, D]. */
  extend(rows: Value): Value {
    const [batch = 1, heads = 1, length = 1, width = 1] = rows.shape;
    if (rows.rank !== 4 || length > this.capacity)
      throw new ShapeError(
        `decoding has room for ${this.capacity} tokens, got ${showShape(rows.shape)}; pass heads [batch, heads, time, width] with no more`,
      );
    const before = input(rows.dtype, [batch, heads, this.capacity, width], `memory.${this.memories.length}`);
    const places = expand(reshape(this.positions(length), [length, 1]), rows.shape);
    this.memories.push({ before, added: rows });
    return apply(ScatterElements, [before, places, rows], { axis: 2 });
  }
}
