/** Sums over the values of a column as they go by; its memory does not grow with the rows. */
import { parseNumber } from "../tables/cell-numbers.ts";
import { ValueCounts } from "./value-counts.ts";

/** Distinct values that all columns together count one by one. */
const sharedValues = 2_000_000;

/** What is summed up over a whole column. */
export class ColumnStream {
  readonly decimalComma: boolean;
  readonly values: ValueCounts;
  /** Whether texts that are no plain numbers may be numbers of another form, such as "$1,200". */
  triesNumbers = true;
  present = 0;
  numbers = 0;
  least = Number.POSITIVE_INFINITY;
  most = Number.NEGATIVE_INFINITY;
  #first = 0;
  #sum = 0;
  #squares = 0;

  constructor(columns: number, decimalComma: boolean) {
    this.decimalComma = decimalComma;
    this.values = new ValueCounts(Math.max(256, Math.min(65_536, Math.floor(sharedValues / columns))));
  }

  /** A number among the values. */
  addNumber(value: number): void {
    if (this.numbers++ === 0) this.#first = value;
    if (value < this.least) this.least = value;
    if (value > this.most) this.most = value;
    // Sums of differences from a value of the column lose less to rounding.
    const difference = value - this.#first;
    this.#sum += difference;
    this.#squares += difference * difference;
  }

  /** A value that is present; its hash is counted by the caller. */
  addText(text: string): void {
    this.present++;
    const number = this.triesNumbers ? parseNumber(text, this.decimalComma) : undefined;
    if (number !== undefined) this.addNumber(number);
  }

  /** Mean of the numbers. */
  get mean(): number {
    return this.#first + this.#sum / this.numbers;
  }

  /** Standard deviation of the numbers (divided by N). */
  get deviation(): number {
    return Math.sqrt(Math.max(0, this.#squares / this.numbers - (this.#sum / this.numbers) ** 2));
  }
}
