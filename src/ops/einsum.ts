/** Einstein's sums: products of tensors whose axes have letters, summed over the letters that the result does not have. */
import { ShapeError } from "../core/errors.ts";
import { showShape, size } from "../core/shape.ts";
import type { Value } from "../graph/ir.ts";
import type { OpDef } from "../graph/op.ts";
import { mul } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { reshape, transpose } from "./movement.ts";
import { defineComposition } from "./reading.ts";
import { reduceSum } from "./reduce.ts";
import { slice } from "./slicing.ts";

/** A value with a letter for each axis. */
interface Term {
  readonly value: Value;
  readonly letters: readonly string[];
}

/** Letters of the operands and of the result. Axes under an ellipsis get numbers, counted from the last. */
function parse(
  equation: string,
  inputs: readonly Value[],
): { readonly terms: readonly Term[]; readonly result: readonly string[] } {
  const [left = "", right] = equation.replaceAll(" ", "").split("->");
  const names = left.split(",");
  if (names.length !== inputs.length)
    throw new ShapeError(
      `einsum: "${equation}" is of ${names.length} operands, got ${inputs.length}; pass one for each term`,
    );
  const terms = inputs.map((value, i) => ({ value, letters: lettersOf(names[i] ?? "", value, equation) }));
  const all = terms.flatMap(({ letters }) => letters);
  const hidden = [...new Set(all.filter((letter) => /\d/.test(letter)))].sort((a, b) => Number(b) - Number(a));
  // Without a right side: the letters that occur once, in alphabetical order.
  const once = [...new Set(all)].filter(
    (letter) => !/\d/.test(letter) && all.filter((other) => other === letter).length === 1,
  );
  const result = right === undefined ? [...hidden, ...once.sort()] : expandEllipsis(right, hidden);
  const unknown = result.find((letter) => !all.includes(letter));
  if (unknown !== undefined)
    throw new ShapeError(`einsum: the result of "${equation}" has ${unknown}, which no operand has; take it out`);
  for (const letter of new Set(all)) {
    const extents = terms.flatMap(({ value, letters }) => value.shape.filter((_, i) => letters[i] === letter));
    const differ = new Set(/\d/.test(letter) ? extents.filter((extent) => extent !== 1) : extents).size > 1;
    if (differ)
      throw new ShapeError(`einsum: ${letter} of "${equation}" has extents ${extents.join(" and ")}; make them equal`);
  }
  return { terms, result };
}

const expandEllipsis = (text: string, hidden: readonly string[]): readonly string[] =>
  text.includes("...") ? text.split("...").flatMap((part, i) => [...(i > 0 ? hidden : []), ...part]) : [...text];

function lettersOf(text: string, { shape }: Value, equation: string): readonly string[] {
  const count = shape.length - text.replace("...", "").length;
  const hidden = Array.from({ length: Math.max(0, count) }, (_, i) => String(count - 1 - i));
  const letters = expandEllipsis(text, hidden);
  if (letters.length !== shape.length)
    throw new ShapeError(
      `einsum: "${text}" of "${equation}" names ${letters.length} axes, its operand is ${showShape(shape)}; name each axis once`,
    );
  return letters;
}

/** Axes with one letter become their diagonal. */
function withoutRepeats({ value, letters }: Term): Term {
  const second = letters.findIndex((letter, i) => letters.indexOf(letter) < i);
  if (second < 0) return { value, letters };
  const letter = letters[second] as string;
  const first = letters.indexOf(letter);
  const others = letters.flatMap((_, i) => (i === first || i === second ? [] : [i]));
  const extent = value.shape[first] ?? 1;
  const rest = others.map((i) => value.shape[i] ?? 1);
  const flat = reshape(transpose(value, [...others, first, second]), [...rest, extent * extent]);
  const diagonal = slice(flat, { axis: rest.length, start: 0, step: extent + 1 });
  return withoutRepeats({ value: diagonal, letters: [...others.map((i) => letters[i] as string), letter] });
}

/** Sums over the letters that nothing needs any more. */
function withoutUnneeded({ value, letters }: Term, needed: ReadonlySet<string>): Term {
  const axes = letters.flatMap((letter, i) => (needed.has(letter) ? [] : [i]));
  if (axes.length === 0) return { value, letters };
  return { value: reduceSum(value, axes), letters: letters.filter((letter) => needed.has(letter)) };
}

/** A term with its axes in the order of `letters`; one that it does not have gets the extent 1. */
function arranged({ value, letters: own }: Term, letters: readonly string[]): Value {
  const present = letters.filter((letter) => own.includes(letter));
  const moved = transpose(
    value,
    present.map((letter) => own.indexOf(letter)),
  );
  return reshape(
    moved,
    letters.map((letter) => (own.includes(letter) ? (value.shape[own.indexOf(letter)] ?? 1) : 1)),
  );
}

/** The product of two terms, summed over the letters that only they have: one product of matrices. */
function contract(a: Term, b: Term, needed: ReadonlySet<string>): Term {
  const shared = a.letters.filter((letter) => b.letters.includes(letter));
  const [batch, summed] = [
    shared.filter((letter) => needed.has(letter)),
    shared.filter((letter) => !needed.has(letter)),
  ];
  const [rows, columns] = [a, b].map(({ letters }) => letters.filter((letter) => !shared.includes(letter))) as [
    string[],
    string[],
  ];
  const letters = [...batch, ...rows, ...columns];
  if (summed.length === 0) return { value: mul(arranged(a, letters), arranged(b, letters)), letters };
  const [left, right] = [arranged(a, [...batch, ...rows, ...summed]), arranged(b, [...batch, ...summed, ...columns])];
  const extents = (value: Value, from: number, count: number) => value.shape.slice(from, from + count);
  const rowExtents = extents(left, batch.length, rows.length);
  const columnExtents = extents(right, batch.length + summed.length, columns.length);
  const inner = size(extents(right, batch.length, summed.length));
  const product = matmul(
    reshape(left, [...extents(left, 0, batch.length), size(rowExtents), inner]),
    reshape(right, [...extents(right, 0, batch.length), inner, size(columnExtents)]),
  );
  return { value: reshape(product, [...extents(product, 0, batch.length), ...rowExtents, ...columnExtents]), letters };
}

function computeEinsum(equation: string, inputs: readonly Value[]): Value {
  const { terms, result } = parse(equation, inputs);
  const diagonals = terms.map(withoutRepeats);
  const neededAfter = (i: number) => new Set([...result, ...diagonals.slice(i + 1).flatMap(({ letters }) => letters)]);
  const [first, ...others] = diagonals as [Term, ...Term[]];
  const start = withoutUnneeded(first, neededAfter(0));
  const total = others.reduce((product, term, i) => {
    const needed = neededAfter(i + 1);
    const own = withoutUnneeded(term, new Set([...needed, ...product.letters]));
    return contract(product, own, needed);
  }, start);
  return arranged(withoutUnneeded(total, new Set(result)), result);
}

/** The sum that an equation such as "bij,bjk->bik" states, of any number of operands from the left. */
export const Einsum: OpDef = defineComposition("Einsum", {
  arity: "1-",
  kind: "dense",
  attributes: { equation: "string" },
  build: ({ inputs, attributes: { equation = "" } }) => [computeEinsum(equation, inputs)],
});

/** einsum("bij,bjk->bik", a, b), as in NumPy. Throws ShapeError for operands that do not fit the equation. */
export const einsum = (equation: string, ...inputs: readonly Value[]): Value => computeEinsum(equation, inputs);
