/** Determinants of square matrices. */
import { ShapeError } from "../../core/errors.ts";
import { showShape, size } from "../../core/shape.ts";
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { apply, defineOp, type OpDef, requireFloat } from "../../graph/op.ts";
import { cast } from "../cast.ts";
import { constant, iota, ones } from "../constant.ts";
import { add, mul } from "../elementwise.ts";
import { otherFloats } from "../float-function.ts";
import { neg } from "../functions.ts";
import { gather } from "../indexing.ts";
import { equal } from "../logic.ts";
import { matmul } from "../matmul.ts";
import { reshape } from "../movement.ts";
import { reduceSum } from "../reduce.ts";
import { samplesBeside } from "../samples.ts";

/** The determinant of each matrix of x […, n, n]: […]. */
export const Det: OpDef = defineOp("Det", {
  arity: "1",
  infer: ([x]) => {
    if (x.rank < 2 || x.shape.at(-1) !== x.shape.at(-2))
      throw new ShapeError(`Det: x is ${showShape(x.shape)}; pass square matrices […, n, n]`);
    return { dtype: requireFloat("Det", x).dtype, shape: x.shape.slice(0, -2) };
  },
  // The derivative with respect to an element is its cofactor.
  grad: ({ g, inputs: [x] }) => [mul(reshape(g, [...g.shape, 1, 1]), cofactors(x))],
  // Elimination: 2/3 n³.
  flops: ({ inputs: [x], outputs: [y] }) => Math.round((2 / 3) * (x.shape.at(-1) ?? 0) ** 3) * size(y.shape),
  // ONNX Runtime has a kernel for float32 only.
  lower: ({ inputs: [x] }) => otherFloats(x, () => byTraces(x)),
  samples: ({ inputs: [x], axes }) => samplesBeside(axes, [x.rank - 2, x.rank - 1]),
});

/** (-1)^(i + j) times the determinant of what is left without row i and column j: […, n, n]. */
function cofactors(x: Value): Value {
  const n = x.shape.at(-1) ?? 0;
  const batch = x.shape.slice(0, -2);
  if (n === 1) return ones(x.shape, x.dtype);
  const others = (left: number) => Array.from({ length: n }, (_, i) => i).filter((i) => i !== left);
  const pairs = Array.from({ length: n * n }, (_, at) => [Math.floor(at / n), at % n] as const);
  const places = pairs.flatMap(([i, j]) =>
    others(i).flatMap((row) => others(j).map((column) => BigInt(row * n + column))),
  );
  const minors = gather(
    reshape(x, [...batch, n * n]),
    constant(tensor(places, { shape: [n, n, n - 1, n - 1] })),
    batch.length,
  );
  const signs = tensor(
    pairs.map(([i, j]) => ((i + j) % 2 === 0 ? 1 : -1)),
    { dtype: x.dtype as "float32", shape: [n, n] },
  );
  return mul(determinant(minors), constant(signs));
}

/** The last coefficient of the characteristic polynomial, each from a trace (Faddeev and Le Verrier): c[k] = -tr(A M[k]) / k, M[k + 1] = A M[k] + c[k] I. */
function byTraces(x: Value): Value {
  const n = x.shape.at(-1) ?? 0;
  const rows = iota(n);
  const identity = cast(equal(reshape(rows, [n, 1]), rows), x.dtype);
  let product = x; // A M[k]
  let coefficient = ones(x.shape.slice(0, -2), x.dtype);
  for (let k = 1; k <= n; k++) {
    coefficient = mul(reduceSum(mul(product, identity), [-2, -1]), -1 / k);
    if (k < n) product = matmul(x, add(product, mul(reshape(coefficient, [...coefficient.shape, 1, 1]), identity)));
  }
  return n % 2 === 0 ? coefficient : neg(coefficient);
}

/** The determinant of each matrix of x […, n, n]: […]. Throws ShapeError for matrices that are not square. */
export const determinant = (x: Value): Value => apply(Det, [x]);
