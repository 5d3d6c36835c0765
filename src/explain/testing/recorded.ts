/** The small networks that PyTorch's explanations were recorded of, by scripts/record-explain-fixtures.py. */
import { readFileSync } from "node:fs";
import { type Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { fill } from "../../models/testing/fill.ts";
import { VisionTransformer } from "../../models/vision/transformers/vit.ts";
import { batchNorm, type Context, conv2d, dense, flatten, Module, maxPool2d, sequential } from "../../nn/index.ts";
import { add, concat, leakyRelu, maxPool, relu, sigmoid, tanh } from "../../ops/index.ts";

interface Recorded {
  readonly steps: number;
  readonly target: number;
  readonly parameters: Readonly<Record<string, { readonly shape: number[]; readonly values: number[] }>>;
  readonly [name: string]: unknown;
}

/** What was recorded. */
export const recorded = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/explain.json", import.meta.url), "utf8"),
) as Recorded;

/** Recorded numbers by their path, `deepLift.values`, in a shape. */
export function numbersOf(path: string, shape: readonly number[]): Tensor<"float32"> {
  const numbers = path.split(".").reduce((own: unknown, name) => (own as Recorded)[name], recorded);
  return tensor(numbers as number[]).reshape(shape) as Tensor<"float32">;
}

/** The sample, [1, 2, 8, 8]. */
export const image = numbersOf("x", [1, 2, 8, 8]);

/** Convolutions, ReLUs and a maximum. */
export function network() {
  const model = sequential([
    conv2d(4, 3, { padding: "same", activation: "relu" }),
    maxPool2d(2),
    conv2d(6, 3, { padding: "same", activation: "relu" }),
    flatten(),
    dense(3),
  ]);
  model.trace({ dtype: "float32", shape: [1, 2, 8, 8] });
  for (const [path, parameter] of model.parameters()) {
    const { shape, values } = recorded.parameters[path] as Recorded["parameters"][string];
    parameter.value = tensor(values, { shape, dtype: "float32" });
  }
  return model;
}

class Branches extends Module {
  readonly first = conv2d(4, 3, { padding: "same" });
  readonly norm = batchNorm();
  readonly second = conv2d(4, 3, { padding: "same" });
  readonly flat = flatten();
  readonly out = dense(3);
  protected call(x: Value, context: Context): Value {
    const pooled = maxPool(leakyRelu(this.norm.apply(this.first.apply(x, context), context), 0.1), [2, 2]);
    const branch = tanh(this.second.apply(pooled, context));
    const joined = concat([relu(add(pooled, branch)), sigmoid(branch)], 1);
    return this.out.apply(this.flat.apply(joined, context), context);
  }
}

/** Normalization, a residual sum, concatenation, and four nonlinearities. */
export function branches(): Module {
  const model = new Branches();
  model.trace({ dtype: "float32", shape: [1, 2, 8, 8] });
  fill(model);
  return model;
}

/** A transformer of 3 x 3 patches of an image [1, 3, 12, 12]. */
export function transformer(): Module {
  const sizes = { width: 16, layers: 2, heads: 4, feedForward: 24 };
  const model = new VisionTransformer({ sizes, image: 12, patch: 4, classes: 3 });
  model.trace({ dtype: "float32", shape: [1, 3, 12, 12] });
  fill(model);
  return model;
}

/** What a promise is refused with: `OptionError: …`. */
export const messageOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: Error) => `${error.name}: ${error.message}`,
  );
