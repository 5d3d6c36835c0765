/** Models that scripts/record-tfjs-*.mjs recorded in TensorFlow.js, and the numbers that those made up. */
import { readFileSync } from "node:fs";
import type { DType } from "../../../core/dtype.ts";
import { type Shape, size, stridesOf } from "../../../core/shape.ts";
import { Tensor } from "../../../core/tensor.ts";
import { forEachPosition, offsetOf } from "../../../graph/elements.ts";
import { uniform } from "../../../models/testing/fill.ts";
import type { StoredParameter, TracedModel } from "../layers-model/import.ts";

/** A tensor of a fixture. */
export interface Plain {
  readonly shape: Shape;
  readonly data: readonly number[];
}

/** The cases of test/fixtures/tfjs/<file>. */
export function recordedCases<T>(file: string): readonly (readonly [string, T])[] {
  const url = new URL(`../../../../test/fixtures/tfjs/${file}`, import.meta.url);
  return Object.entries((JSON.parse(readFileSync(url, "utf8")) as { cases: Record<string, T> }).cases);
}

/** Elements of a weight: variances are positive, everything else lies in [-1, 1). */
export function weightElements(name: string, shape: Shape): Float32Array {
  const isVariance = name.endsWith("variance");
  return uniform(name, shape).map((u) => (isVariance ? 0.5 + u : 2 * u - 1));
}

/** Input number i, in [-1, 1), or of whole numbers below a limit. */
export function inputTensor(i: number, shape: Shape, limit?: number, dtype: DType = "float32"): Tensor {
  const numbers = uniform(`input ${i}`, shape).map((u) => (limit === undefined ? 2 * u - 1 : Math.floor(u * limit)));
  return dtype === "int32"
    ? new Tensor("int32", shape, Int32Array.from(numbers))
    : new Tensor("float32", shape, numbers.slice(0, size(shape)));
}

/** The weight of a parameter as the scripts make it, in the order of the parameter's axes. */
function recordedWeight({ stored: { name, shape }, axes = [...shape.keys()] }: StoredParameter): Tensor<"float32"> {
  const stored = weightElements(name, shape);
  const own = axes.map((axis) => shape[axis] ?? 1);
  const strides = axes.map((axis) => stridesOf(shape)[axis] ?? 0);
  const data = new Float32Array(size(own));
  forEachPosition(own, (position, offset) => {
    data[offset] = stored[offsetOf(position, strides)] ?? 0;
  });
  return new Tensor("float32", own, data);
}

/** Gives a model the weights of the scripts. */
export function fillRecorded({ module, stored }: TracedModel): void {
  for (const [path, parameter] of module.parameters()) {
    const kept = stored.get(path);
    if (!kept) throw new Error(`${path} is no weight of the file`);
    parameter.value = recordedWeight(kept);
  }
}
