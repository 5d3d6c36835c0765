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
 * The function that returns `fn`'s scalar and its gradients with respect to the first argument (a pytree).
 * @example
 * const step = jit((w, x) => valueAndGrad((w, x) => reduceSum(mul(w, x)))(w, x));
 */
export const valueAndGrad =
  <P, R extends readonly unknown[]>(fn: (parameters: P, ...rest: R) => Value) =>
  (parameters: P, ...rest: R): [Value, Gradients<P>] => {
    const { loss, grads } = backward(fn(parameters, ...rest), [], parameters);
    return [loss, grads];
  };

/** As valueAndGrad, for a function that returns `[loss, aux]`: gives `[loss, aux, gradients]`. */
export const valueAndGradWithAux =
  <P, A, R extends readonly unknown[]>(fn: (parameters: P, ...rest: R) => readonly [Value, A]) =>
  (parameters: P, ...rest: R): [Value, A, Gradients<P>] => {
    const [value, extra] = fn(parameters, ...rest);
    const { loss, aux, grads } = backward(value, extra, parameters);
    return [loss, aux as A, grads];
  };

/** The function of `fn`'s gradients with respect to its first argument; apply it again for higher orders. */
export const grad =
  <P, R extends readonly unknown[]>(fn: (parameters: P, ...rest: R) => Value) =>
  (parameters: P, ...rest: R): Gradients<P> =>
    backward(fn(parameters, ...rest), [], parameters).grads;
