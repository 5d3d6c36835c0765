/**
 * Units: what can only be cut together. Each index of each axis of a value belongs to a unit; operators join units, and hold those that
 * they do not let go. A channel of a convolution is a unit with its bias, its statistics, and what the next layers read of it.
 */
import { UnsupportedError } from "../../../core/errors.ts";
import { limits } from "../../../core/limits.ts";

/** The units of the indices along an axis, one for each. */
export type AxisUnits = Int32Array;

/** The units of a value, axis by axis. */
export type ValueUnits = readonly AxisUnits[];

/** Disjoint sets of units with, of each that must stay, the first reason why (union by size, paths halved). */
export class Units {
  readonly #parent: number[] = [];
  readonly #size: number[] = [];
  readonly #held: (string | undefined)[] = [];
  #indices = 0;

  /** Room for the units of an axis. Throws UnsupportedError for a graph whose axes have more indices than any model's. */
  room(extent: number): AxisUnits {
    this.#indices += extent;
    if (this.#indices > limits.prunedIndices)
      throw new UnsupportedError(
        `the axes of the model's values have more than ${limits.prunedIndices} indices, the limit prunedIndices; prune it for smaller inputs: { inputs: { dtype: "float32", shape: [1, 3, 32, 32] } }`,
      );
    return new Int32Array(extent);
  }

  /** An axis of new units, each by itself. */
  fresh(extent: number): AxisUnits {
    const axis = this.room(extent);
    const first = this.#parent.length;
    for (let i = 0; i < extent; i++) {
      this.#parent.push(first + i);
      this.#size.push(1);
      this.#held.push(undefined);
    }
    return axis.map((_, i) => first + i);
  }

  /** An axis that stays whole. */
  whole(extent: number, reason: string): AxisUnits {
    const [unit = 0] = this.fresh(1);
    this.#held[unit] = reason;
    return this.room(extent).fill(unit);
  }

  /** The set of a unit. */
  find(unit: number): number {
    let at = unit;
    for (let parent = this.#parent[at] as number; parent !== at; parent = this.#parent[at] as number) {
      this.#parent[at] = this.#parent[parent] as number;
      at = this.#parent[at] as number;
    }
    return at;
  }

  /** Cut together from now on. */
  join(a: number, b: number): void {
    let [large, small] = [this.find(a), this.find(b)];
    if (large === small) return;
    if ((this.#size[large] as number) < (this.#size[small] as number)) [large, small] = [small, large];
    this.#parent[small] = large;
    this.#size[large] = (this.#size[large] as number) + (this.#size[small] as number);
    this.#held[large] ??= this.#held[small];
  }

  /** Two axes of one extent, index by index. */
  joinAxes(a: AxisUnits, b: AxisUnits): void {
    if (a !== b) for (const [i, unit] of a.entries()) this.join(unit, b[i] as number);
  }

  /** Must stay. */
  hold(unit: number, reason: string): void {
    this.#held[this.find(unit)] ??= reason;
  }

  holdAxis(axis: AxisUnits, reason: string): void {
    for (const unit of axis) this.hold(unit, reason);
  }

  /** Why the set of a unit must stay, `undefined` when it need not. */
  reason(unit: number): string | undefined {
    return this.#held[this.find(unit)];
  }

  /** Whether an index along the axis may be cut, as far as is known. */
  isFree(axis: AxisUnits): boolean {
    return axis.some((unit) => this.reason(unit) === undefined);
  }
}
