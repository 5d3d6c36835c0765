/** Numbers that the recording scripts and the tests of models compute alike, so that no weight need be recorded. */
import { type Shape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { AnyModule, Parameter } from "../../nn/index.ts";

/** Numbers in [0, 1) that depend on the name and their position alone, as `uniform` in the scripts. */
export function uniform(name: string, shape: Shape): Float32Array {
  let seed = 0;
  for (const character of name) seed = (Math.imul(seed, 31) + character.charCodeAt(0)) >>> 0;
  const numbers = new Float32Array(size(shape));
  for (let i = 0; i < numbers.length; i++) {
    let x = Math.imul(i + seed, 0x9e3779b1);
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    numbers[i] = ((x ^ (x >>> 13)) >>> 0) / 2 ** 32;
  }
  return numbers;
}

/** Numbers in [-1, 1). */
export const signed = (name: string, shape: Shape): Tensor<"float32"> =>
  new Tensor(
    "float32",
    shape,
    uniform(name, shape).map((u) => 2 * u - 1),
  );

/** Whole numbers below a limit. */
export const integers = (name: string, shape: Shape, limit: number): Tensor<"int64"> =>
  new Tensor(
    "int64",
    shape,
    BigInt64Array.from(uniform(name, shape), (u) => BigInt(Math.floor(u * limit))),
  );

/** The value that the scripts give a tensor of a name, matrices `factor` times that. */
export function filled(name: string, shape: Shape, factor = 1): Tensor<"float32"> {
  const numbers = uniform(name, shape);
  const scale = shape.length > 1 ? factor * Math.sqrt(6 / size(shape.slice(1))) : 0.1;
  const isSigned = shape.length > 1 || name.endsWith("bias") || name.endsWith("running_mean");
  for (let i = 0; i < numbers.length; i++)
    numbers[i] = isSigned ? (2 * (numbers[i] ?? 0) - 1) * scale : 0.5 + (numbers[i] ?? 0);
  return new Tensor("float32", shape, numbers);
}

/** Gives every parameter and buffer, or those that are chosen, the value that the scripts give it, matrices `factor` times that. */
export function fill(model: AnyModule, factor = 1, isChosen: (parameter: Parameter) => boolean = () => true): void {
  for (const [path, parameter] of model.parameters())
    if (isChosen(parameter)) parameter.value = filled(path, parameter.shape, factor);
}
