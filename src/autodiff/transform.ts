/** Function transformations: from a traced function to the function of its gradient. */
import { GradientError } from "../core/errors.ts";
import { leavesOf, type MapTree, mapTree } from "../core/tree.ts";
import { Value } from "../graph/ir.ts";
import { differentiate, orZeros } from "./gradients.ts";

type Gradients<P> = MapTree<P, Value, Value>;

function backward<P>(loss: unknown, aux: unknown, parameters: P): { loss: Value; aux: unknown; grads: Gradients<P> } {
  if (!(loss instanceof Value) || loss.rank !== 0)
    throw new GradientError(
      `the function to differentiate must return a scalar, got ${loss instanceof Value ? loss : typeof loss}; reduce it, e.g. reduceMean(loss)`,
    );
  const values = leavesOf(parameters).map(({ path, leaf }) => {
    if (leaf instanceof Value) return leaf;
    throw new GradientError(`gradient with respect to "${path}", which is a ${typeof leaf}; pass tensors only`);
  });
  const auxiliary = leavesOf(aux).flatMap(({ leaf }) => (leaf instanceof Value ? [leaf] : []));
  const { loss: total, others, gradients } = differentiate(loss, { wrt: values, others: auxiliary });
  const found = gradients.map((gradient, i) => orZeros(gradient, values[i] as Value));
  let next = 0;
  let nextAux = 0;
  return {
    loss: total,
    aux: mapTree(aux, (leaf) => (leaf instanceof Value ? others[nextAux++] : leaf)),
    grads: mapTree(parameters, () => found[next++]) as Gradients<P>,
  };
}

/**
 * The function that returns the scalar of `fn` and its gradients with respect to the first argument, a pytree of
 * values; the gradients are nested alike. Call it in a function for `jit`. Throws GradientError where `fn` gives no
 * scalar, where a leaf of the first argument is no tensor of floats, and where the way passes an operator without a
 * gradient.
 * @example
 * const loss = (w: Value, x: Value) => ops.reduceSum(ops.square(ops.mul(w, x)));
 * const step = jit((w: Value, x: Value) => valueAndGrad(loss)(w, x));
 * const [value, gradient] = await step(tensor([1, 2]), tensor([3, 4]));
 */
export const valueAndGrad =
  <P, R extends readonly unknown[]>(fn: (parameters: P, ...rest: R) => Value) =>
  (parameters: P, ...rest: R): [Value, Gradients<P>] => {
    const { loss, grads } = backward(fn(parameters, ...rest), [], parameters);
    return [loss, grads];
  };

/**
 * As `valueAndGrad`, for a function that returns `[loss, aux]` with a pytree of anything else: gives `[loss, aux,
 * gradients]`.
 */
export const valueAndGradWithAux =
  <P, A, R extends readonly unknown[]>(fn: (parameters: P, ...rest: R) => readonly [Value, A]) =>
  (parameters: P, ...rest: R): [Value, A, Gradients<P>] => {
    const [value, extra] = fn(parameters, ...rest);
    const { loss, aux, grads } = backward(value, extra, parameters);
    return [loss, aux as A, grads];
  };

/**
 * The function of the gradients of `fn`, which returns a scalar, with respect to its first argument, a pytree of
 * values; the gradients are nested alike. Apply it again for higher orders. Call it in a function for `jit`. Throws
 * GradientError as `valueAndGrad` does.
 * @example
 * const f = (x: Value) => ops.reduceSum(ops.pow(x, 3));
 * const gradient = jit((x: Value) => grad(f)(x)); // 3 x²
 * (await gradient(tensor([1, 2]))).toArray(); // [3, 12]
 */
export const grad =
  <P, R extends readonly unknown[]>(fn: (parameters: P, ...rest: R) => Value) =>
  (parameters: P, ...rest: R): Gradients<P> =>
    backward(fn(parameters, ...rest), [], parameters).grads;
