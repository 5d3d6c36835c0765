// Owns a step of training by jax-js: one jitted function with Adam inside it.
import { blockUntilReady, jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { labels, uniform } from "./data.mjs";
import { adamState, adamUpdate } from "./jax-adam.mjs";

/** Random images or rows of features, each of one of ten classes in turn. */
function classified(inputShape) {
  const size = inputShape.reduce((product, extent) => product * extent);
  const inputs = np.array(uniform(size)).reshape(inputShape);
  return { inputs, targets: nn.oneHot(np.array(labels(inputShape[0])), 10) };
}

/**
 * One step of training on a batch. A model gives its parameters, running statistics, a function that gives scores, and the shape
 * of its inputs, or a batch of its own: inputs, and a one-hot target for each of so many `rows` of scores.
 */
export function trainingStep({ parameters, statistics, apply, inputShape, batch = classified(inputShape) }) {
  const { inputs, targets, rows = inputShape[0] } = batch;

  const loss = (parameters, statistics, inputs, targets) => {
    const [logits, updated] = apply(parameters, statistics, inputs);
    return [
      nn
        .logSoftmax(logits)
        .mul(targets)
        .sum()
        .mul(-1 / rows),
      updated,
    ];
  };
  const update = jit((state, statistics, inputs, targets) => {
    const differentiate = valueAndGrad(loss, { hasAux: true });
    const [[value, updated], gradients] = differentiate(tree.ref(state.parameters), statistics, inputs, targets);
    return [value, adamUpdate(state, gradients), updated];
  });

  let state = adamState(parameters);
  return {
    step: async () => {
      let value;
      [value, state, statistics] = update(state, statistics, inputs.ref, targets.ref);
      const read = await value.jsAsync();
      await blockUntilReady([state, statistics]);
      return read;
    },
  };
}
