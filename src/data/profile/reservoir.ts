/** A sample of a stream in which every item has the same chance to be (Li 1994, algorithm L). */
import { keyOf, Random } from "../../core/random.ts";

/** Keeps `size` items of a stream. */
export class Reservoir<T> {
  readonly #size: number;
  readonly #random = new Random(keyOf(1));
  #weight: number;
  #next: number;
  /** The items kept, in no order once the stream is longer than they are. */
  readonly items: T[] = [];

  constructor(size: number) {
    this.#size = size;
    this.#weight = this.#draw();
    this.#next = size;
    this.#skip();
  }

  #draw(): number {
    return Math.exp(Math.log(this.#random.uniform(Number.EPSILON, 1)) / this.#size);
  }

  #skip(): void {
    this.#next += Math.floor(Math.log(this.#random.uniform(Number.EPSILON, 1)) / Math.log(1 - this.#weight));
    this.#weight *= this.#draw();
  }

  /** Whether the item of this number, from 0, is to be kept; `put` takes it. */
  wants(index: number): boolean {
    return index < this.#size || index === this.#next;
  }

  /** Keeps an item that is wanted. */
  put(item: T): void {
    if (this.items.length < this.#size) {
      this.items.push(item);
      return;
    }
    this.items[this.#random.integer(this.#size)] = item;
    this.#next++;
    this.#skip();
  }
}
