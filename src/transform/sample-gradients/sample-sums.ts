/** Sums over the samples of a batch that make up a gradient: what each sample adds, how long that is, and the sum by weights of samples. */
import { type Shape, size } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import type { SampleTerms, TermsOfProducts, TermsOfRows } from "../../graph/sample-terms.ts";
import {
  add,
  cast,
  equal,
  expand,
  gatherElements,
  iota,
  matmul,
  mul,
  reduceSum,
  reshape,
  scatterRows,
  square,
  transpose,
} from "../../ops/index.ts";

/** How what samples add is computed: what each adds, as a whole; or its length alone, where that is less work. */
export type SampleWay = "each" | "lengths";

/** From what parts add up to, or the same for each sample behind so many leading axes, to the value: transposed, reshaped. */
type Turn = (whole: Value, leading: number) => Value;

/** What each sample adds to a value, in parts that are added up. */
export class SampleSum {
  readonly #count: number;
  readonly #parts: readonly SampleTerms[];
  /** Shape of what the parts add up to. */
  readonly #shape: Shape;
  /** What is done with that; nothing, or it keeps the order of the elements alone. */
  readonly #turn: Turn | undefined;

  constructor(count: number, parts: readonly SampleTerms[], shape: Shape, turn?: Turn) {
    this.#count = count;
    this.#parts = parts;
    this.#shape = shape;
    this.#turn = turn;
  }

  /** Squared Euclidean length of what each sample adds, [N]. */
  get squares(): Value {
    const values = this.#parts.flatMap((part, i) => [
      squaresOf(part, this.#count),
      ...this.#parts.slice(0, i).map((other) => mul(innerOf(other, part), 2)),
    ]);
    return values.reduce((sum, value) => add(sum, value));
  }

  /** What each sample adds, [N, …]. */
  get terms(): Value {
    const sum = this.#parts
      .map((part) => eachOf(part, this.#count, this.#shape))
      .reduce((total, value) => add(total, value));
    return this.#turn?.(sum, 1) ?? sum;
  }

  /** Σ weights · what samples add, by weights [N]. */
  weighted(weights: Value): Value {
    const sum = this.#parts
      .map((part) => weightedOf(part, weights, this.#count, this.#shape))
      .reduce((total, value) => add(total, value));
    return this.#turn?.(sum, 0) ?? sum;
  }

  /** As it is used: with what each sample adds as a whole, where that is asked for, or lengths of parts say nothing of that of their sum. */
  by(way: SampleWay, shape: Shape): SampleSum {
    const mustBeWhole =
      way === "each" || this.#parts.some((part, i) => this.#parts.slice(0, i).some((other) => !meets(other, part)));
    return mustBeWhole ? wholeSum(this.terms, shape) : this;
  }

  /** The same elements in the same order. */
  reshaped(shape: Shape): SampleSum {
    const turn = this.#turn;
    if (!turn) return new SampleSum(this.#count, this.#parts, shape);
    return this.#turned((whole, leading) => reshape(whole, [...whole.shape.slice(0, leading), ...shape]));
  }

  transposed(perm: readonly number[], shape: Shape): SampleSum {
    const [only, ...others] = this.#parts;
    // A product the other way round.
    if (!this.#turn && perm.length === 2 && others.length === 0 && only?.kind === "products")
      return new SampleSum(this.#count, [{ ...only, left: only.right, right: only.left }], shape);
    return this.#turned((whole, leading) =>
      transpose(whole, [...Array(leading).keys(), ...perm.map((axis) => axis + leading)]),
    );
  }

  #turned(next: Turn): SampleSum {
    const turn: Turn = (whole, leading) => next(this.#turn?.(whole, leading) ?? whole, leading);
    return new SampleSum(this.#count, this.#parts, this.#shape, turn);
  }

  scaled(factor: number): SampleSum {
    const parts = this.#parts.map((part) => scaledPart(part, factor));
    return new SampleSum(this.#count, parts, this.#shape, this.#turn);
  }

  /** The sum of both, of one shape. */
  plus(other: SampleSum, shape: Shape): SampleSum {
    if (this.#turn || other.#turn) return wholeSum(add(this.terms, other.terms), shape);
    return new SampleSum(this.#count, [...this.#parts, ...other.#parts], shape);
  }
}

/** What samples add as it is, [N, …shape]. */
export const wholeSum = (terms: Value, shape: Shape): SampleSum =>
  new SampleSum(terms.shape[0] ?? 1, [{ kind: "each", terms }], shape);

function scaledPart(part: SampleTerms, factor: number): SampleTerms {
  if (part.kind === "each") return { ...part, terms: mul(part.terms, factor) };
  if (part.kind === "rows") return { ...part, rows: mul(part.rows, factor) };
  return { ...part, left: mul(part.left, factor) };
}

/** Lengths of several parts need their products with one another, which these have. */
const meets = (a: SampleTerms, b: SampleTerms): boolean =>
  (a.kind === "products" && b.kind === "rows") ||
  (a.kind === "rows" && b.kind === "products") ||
  (a.kind === b.kind && a.kind !== "products") ||
  (a.kind === "products" && b.kind === "products" && a.positions === 1 && b.positions === 1);

/** What each sample adds by a part, [N, …shape]. */
function eachOf(part: SampleTerms, count: number, shape: readonly number[]): Value {
  if (part.kind === "each") return reshape(part.terms, [count, ...shape]);
  if (part.kind === "products") return reshape(productsOf(part), [count, ...shape]);
  // Each sample has a table of its own, one after the other.
  const { indices, rows } = part;
  const positions = indices.shape[1] ?? 1;
  const width = rows.shape[2] ?? 1;
  const first = expand(reshape(mul(iota(count), part.count), [count, 1]), [count, positions]);
  const places = reshape(add(cast(indices, "int64"), first), [count * positions]);
  const table = scatterRows([count * part.count, width], places, reshape(rows, [count * positions, width]));
  return reshape(table, [count, ...shape]);
}

const productsOf = ({ left, right, positions }: TermsOfProducts): Value =>
  positions === 1 ? matmul(left, right, { transA: true }) : matmul(left, right, { transB: true });

/** Sums of the squares of all but the first axis, [N]. */
const rowSquares = (value: Value, count: number): Value =>
  reduceSum(square(reshape(value, [count, size(value.shape) / count])), 1);

/** Products of all positions with all, [N, positions, positions]. */
const gramOf = (value: Value, positions: 1 | 2): Value =>
  positions === 1 ? matmul(value, value, { transB: true }) : matmul(value, value, { transA: true });

function squaresOf(part: SampleTerms, count: number): Value {
  if (part.kind === "each") return rowSquares(part.terms, count);
  if (part.kind === "rows") return rowsInner(part, part, count);
  const { left, right, positions } = part;
  const length = left.shape[positions] ?? 1;
  if (length === 1) return mul(rowSquares(left, count), rowSquares(right, count));
  // Σ (l_s·l_t)(r_s·r_t) over positions s, t (Li et al. 2022, sec. 4).
  if (isLengthCheaper(part, count))
    return reduceSum(reshape(mul(gramOf(left, positions), gramOf(right, positions)), [count, length * length]), 1);
  return rowSquares(productsOf(part), count);
}

/** Inner products of what each sample adds to two parts, [N]. */
function innerOf(a: SampleTerms, b: SampleTerms): Value {
  if (a.kind === "each" && b.kind === "each") {
    const [count = 1] = a.terms.shape;
    return reduceSum(reshape(mul(a.terms, b.terms), [count, size(a.terms.shape) / count]), 1);
  }
  if (a.kind === "rows" && b.kind === "rows") return rowsInner(a, b, a.indices.shape[0] ?? 1);
  if (a.kind === "products" && b.kind === "products") {
    const products = mul(matmul(a.left, b.left, { transB: true }), matmul(a.right, b.right, { transB: true }));
    const [count = 1] = products.shape;
    return reduceSum(reshape(products, [count, size(products.shape) / count]), 1);
  }
  const [products, rows] = (a.kind === "products" ? [a, b] : [b, a]) as [TermsOfProducts, TermsOfRows];
  return tableInner(products, rows);
}

/** Σ r_s·q_t over positions of equal rows. */
function rowsInner(a: TermsOfRows, b: TermsOfRows, count: number): Value {
  const [first, second] = [a.indices.shape[1] ?? 1, b.indices.shape[1] ?? 1];
  const isSame = equal(reshape(a.indices, [count, first, 1]), reshape(b.indices, [count, 1, second]));
  const products = mul(matmul(a.rows, b.rows, { transB: true }), cast(isSame, a.rows.dtype));
  return reduceSum(reshape(products, [count, first * second]), 1);
}

/** Σ left_s[index_t] (right_s·row_t), of a table that is a factor of a product elsewhere, such as the tied one of a language model. */
function tableInner({ left, right, positions }: TermsOfProducts, { indices, rows }: TermsOfRows): Value {
  const [l, r] = positions === 1 ? [left, right] : [transpose(left, [0, 2, 1]), transpose(right, [0, 2, 1])];
  const [count = 1, own = 1] = l.shape;
  const others = indices.shape[1] ?? 1;
  const places = expand(reshape(cast(indices, "int64"), [count, 1, others]), [count, own, others]);
  const products = mul(gatherElements(l, places, 2), matmul(r, rows, { transB: true }));
  return reduceSum(reshape(products, [count, own * others]), 1);
}

function weightedOf(part: SampleTerms, weights: Value, count: number, shape: readonly number[]): Value {
  const spread = (value: Value) => mul(value, reshape(weights, [count, 1, 1]));
  if (part.kind === "each") {
    const elements = size(shape);
    return reshape(matmul(reshape(weights, [1, count]), reshape(part.terms, [count, elements])), shape);
  }
  if (part.kind === "rows") {
    const { indices, rows, count: tableRows } = part;
    const positions = indices.shape[1] ?? 1;
    const width = rows.shape[2] ?? 1;
    const sums = scatterRows(
      [tableRows, width],
      reshape(indices, [count * positions]),
      reshape(spread(rows), [count * positions, width]),
    );
    return reshape(sums, shape);
  }
  const { left, right, positions } = part;
  if (positions === 2 && !isLengthCheaper(part, count))
    return weightedOf({ kind: "each", terms: productsOf(part) }, weights, count, shape);
  const rowsOf = (value: Value) => {
    const turned = positions === 1 ? value : transpose(value, [0, 2, 1]);
    return reshape(turned, [count * (turned.shape[1] ?? 1), turned.shape[2] ?? 1]);
  };
  return reshape(matmul(rowsOf(spread(left)), rowsOf(right), { transA: true }), shape);
}

/** Whether products of all positions with all are less work than the products over the positions. */
const isLengthCheaper = ({ left, right, positions }: TermsOfProducts, count: number): boolean => {
  const length = left.shape[positions] ?? 1;
  const [rows, columns] = [left, right].map((value) => size(value.shape) / count / length) as [number, number];
  return length * (rows + columns) < rows * columns;
};
