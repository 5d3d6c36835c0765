/** Sums over the samples of a batch, and what each sample adds to them: of a weight's gradient the gradient of each sample. */
import type { Value } from "./ir.ts";

/** What each of N samples adds to a sum. */
export type SampleTerms = TermsOfEach | TermsOfProducts | TermsOfRows;

/** The terms as they are. */
export interface TermsOfEach {
  readonly kind: "each";
  /** [N, …sum]. */
  readonly terms: Value;
}

/** Sums of products over the positions of a sample, left ⊗ right, in the order of the sum's elements. */
export interface TermsOfProducts {
  readonly kind: "products";
  /** [N, positions, rows] and [N, positions, columns]; or with the positions last. */
  readonly left: Value;
  readonly right: Value;
  /** Axis of the positions, 1 or 2. */
  readonly positions: 1 | 2;
}

/** Rows that are added to rows of a table. */
export interface TermsOfRows {
  readonly kind: "rows";
  /** Which rows, [N, positions]. */
  readonly indices: Value;
  /** What is added to each, [N, positions, width]. */
  readonly rows: Value;
  /** Rows of the table. */
  readonly count: number;
}
