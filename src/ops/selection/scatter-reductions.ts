/** Gradients of scattering that joins what is put at one place: products, maxima and minima, of whatever kind of indices. */
import { UnsupportedError } from "../../core/errors.ts";
import type { Value } from "../../graph/ir.ts";
import { cast } from "../cast.ts";
import { scalar } from "../constant.ts";
import { div, mul, where } from "../elementwise.ts";
import { equal } from "../logic.ts";
import { expand } from "../movement.ts";

/** How the indices of an operator are used. */
interface Access {
  /** What lies at the places of the updates. */
  take(from: Value): Value;
  /** Updates joined to what lies at their places. */
  put(into: Value, updates: Value, reduction: string): Value;
}

interface Scattered {
  readonly g: Value;
  readonly x: Value;
  readonly updates: Value;
  readonly y: Value;
}

/** Gradients of x, the indices and the updates. Throws UnsupportedError for a reduction that is not known. */
export function reductionGradients(
  op: string,
  reduction: string,
  view: Scattered,
  access: Access,
): readonly (Value | undefined)[] {
  if (reduction === "mul") return productGradients(view, access);
  if (reduction === "max" || reduction === "min") return extremumGradients(view, access);
  throw new UnsupportedError(`${op}: reduction is "${reduction}"; pass none, add, mul, max or min`);
}

const filled = (value: number, { dtype, shape }: Value): Value => expand(scalar(value, dtype), shape);

/** Of a product each factor gets the product of the others, which is 0 where another one is 0. */
function productGradients({ g, x, updates }: Scattered, { take, put }: Access): readonly (Value | undefined)[] {
  const isZero = equal(updates, 0);
  const others = put(filled(1, x), where(isZero, 1, updates), "mul"); // of the factors that are not 0
  const zeros = put(filled(0, x), cast(isZero, x.dtype), "add");
  const product = where(equal(zeros, 0), others, 0);
  const [ownOthers, ownZeros, ownX, ownG] = [others, zeros, x, g].map(take) as [Value, Value, Value, Value];
  const ofRest = where(equal(ownZeros, 0), div(ownOthers, where(isZero, 1, updates)), 0);
  const ofZero = where(equal(ownZeros, 1), ownOthers, 0);
  return [mul(g, product), undefined, mul(mul(ownG, ownX), where(isZero, ofZero, ofRest))];
}

/** Those that are the extremum share its gradient, as in PyTorch. */
function extremumGradients({ g, x, updates, y }: Scattered, { take, put }: Access): readonly (Value | undefined)[] {
  const isKept = cast(equal(x, y), x.dtype);
  const isChosen = cast(equal(updates, take(y)), x.dtype);
  const share = div(g, put(isKept, isChosen, "add"));
  return [mul(share, isKept), undefined, mul(take(share), isChosen)];
}
