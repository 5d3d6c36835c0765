// Owns Adam for jax-js (Kingma and Ba 2015, algorithm 1), written on trees of arrays for use inside jit.
import { numpy as np, tree } from "@jax-js/jax";

const learningRate = 1e-3;
const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

/** The parameters with zero moments; the powers of beta are arrays so that jit does not fix their values. */
export function adamState(parameters) {
  const zeros = () => tree.map((parameter) => np.zeros(parameter.shape), parameters);
  return { parameters, mean: zeros(), variance: zeros(), power1: np.array(1), power2: np.array(1) };
}

/** The state after one update. Consumes the state and the gradients. */
export function adamUpdate(state, gradients) {
  const power1 = state.power1.mul(beta1);
  const power2 = state.power2.mul(beta2);
  const rate = np.array(learningRate).div(np.array(1).sub(power1.ref)); // learning rate / (1 - beta1^t)
  const scale = np.array(1).div(np.sqrt(np.array(1).sub(power2.ref))); // 1 / sqrt(1 - beta2^t)

  const mean = tree.map((m, g) => m.mul(beta1).add(g.mul(1 - beta1)), state.mean, tree.ref(gradients));
  const variance = tree.map((v, g) => v.mul(beta2).add(g.ref.mul(g).mul(1 - beta2)), state.variance, gradients);
  const parameters = tree.map(
    (w, m, v) => w.sub(m.mul(rate.ref).div(np.sqrt(v).mul(scale.ref).add(epsilon))),
    state.parameters,
    tree.ref(mean),
    tree.ref(variance),
  );
  rate.dispose();
  scale.dispose();
  return { parameters, mean, variance, power1, power2 };
}
