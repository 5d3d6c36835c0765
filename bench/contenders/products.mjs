// Owns what the products of a training step would take alone, at the rate of one large product.

import { costOf } from "../../dist/src/analyze/cost/cost.js";
import { trainingCost } from "../../dist/src/analyze/cost/training.js";
import { moduleNetwork } from "../../dist/src/analyze/index.js";
import { adam, jit, ops, Tensor } from "../../dist/src/index.js";
import { uniform } from "./data.mjs";
import { threads } from "./measure.mjs";
import { measure } from "./timing.mjs";

const extent = 1024;

/** Multiply-adds a second of a product of two matrices 1024x1024. */
async function rate() {
  const product = jit((a, b) => ops.matmul(a, b), { threads });
  const [a, b] = [1, 2].map(
    (key) => new Tensor("float32", [extent, extent], Float32Array.from(uniform(extent ** 2, key))),
  );
  const { milliseconds } = await measure(() => product(a, b));
  return (extent ** 3 / milliseconds) * 1000;
}

/**
 * The multiply-adds of a model's step, forward and backward, as its layers define them (Winograd's filtering makes fewer), and the
 * milliseconds that they would take alone.
 */
export async function productsOf(model, shape, dtype = "float32") {
  const network = moduleNetwork({ name: "model", source: "benchmark", model, inputs: { dtype, shape } });
  const { backward } = trainingCost(network, { optimizer: adam(), precision: "float32" });
  const multiplyAdds = costOf(network.graphs.forward.nodes).macs + backward.macs;
  return { multiplyAdds, milliseconds: (multiplyAdds / (await rate())) * 1000 };
}
