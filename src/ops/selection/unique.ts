/** The different elements of a tensor that is known while tracing, since their number depends on it. */
import { normalizeAxis, size } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import { exactTensor, forEachPosition } from "../../graph/elements.ts";
import { defineOp, type OpDef } from "../../graph/op.ts";
import { requireTensor } from "../constant.ts";

/** One of the different slices: its elements, where it is first, how often it occurs. */
interface Found {
  readonly elements: readonly number[];
  readonly first: number;
  count: number;
}

/** The different slices of x along an axis, or its different elements, and which of them each is. */
function findUnique(
  x: Tensor,
  axis: number | undefined,
  isSorted: boolean,
): { readonly found: readonly Found[]; readonly inverse: readonly number[] } {
  const numbers = x.toNumbers();
  const along = axis === undefined ? undefined : normalizeAxis(axis, x.shape.length);
  const slices = Array.from(
    { length: along === undefined ? size(x.shape) : (x.shape[along] ?? 0) },
    (): number[] => [],
  );
  forEachPosition(x.shape, (position, at) =>
    slices[along === undefined ? at : (position[along] ?? 0)]?.push(numbers[at] ?? 0),
  );
  const byKey = new Map<string, Found>();
  const of = slices.map((elements, i) => {
    const key = elements.join();
    const known = byKey.get(key) ?? { elements, first: i, count: 0 };
    byKey.set(key, known);
    known.count++;
    return known;
  });
  const found = [...byKey.values()];
  if (isSorted) found.sort((a, b) => compare(a.elements, b.elements));
  const places = new Map(found.map((own, i) => [own, i]));
  return { found, inverse: of.map((own) => places.get(own) ?? 0) };
}

/** Lexicographic order. */
function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((element, i) => element !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

/** The different elements or slices, where each is first, which each is, and how often each occurs. */
export const Unique: OpDef = defineOp("Unique", {
  arity: "1",
  attributes: { axis: "int", sorted: "int" },
  infer: ([x], { axis, sorted = 1 }) => {
    const { found, inverse } = findUnique(requireTensor("Unique", "its operand", x), axis, sorted === 1);
    const shape =
      axis === undefined
        ? [found.length]
        : x.shape.map((extent, i) => (i === normalizeAxis(axis, x.rank) ? found.length : extent));
    const indices = (length: number) => ({ dtype: "int64", shape: [length] }) as const;
    return [{ dtype: x.dtype, shape }, indices(found.length), indices(inverse.length), indices(found.length)];
  },
  grad: "none",
  requiredOutputs: 1,
  flops: () => 0,
  evaluate: ([x], { outputs, attributes: { axis, sorted = 1 } }) => {
    if (!x) return undefined;
    const { found, inverse } = findUnique(x, axis, sorted === 1);
    const [y, ...others] = outputs;
    const elements = new Array<number>(size(y.shape));
    const along = axis === undefined ? 0 : normalizeAxis(axis, y.rank);
    const next = found.map(() => 0);
    forEachPosition(y.shape, (position, at) => {
      const own = position[along] ?? 0;
      elements[at] = found[own]?.elements[next[own] ?? 0] ?? 0;
      next[own] = (next[own] ?? 0) + 1;
    });
    const lists = [found.map(({ first }) => first), inverse, found.map(({ count }) => count)];
    const made = [exactTensor(y, elements), ...others.map((type, i) => exactTensor(type, lists[i] ?? []))];
    return made.every((tensor) => tensor !== undefined) ? made : undefined;
  },
});
