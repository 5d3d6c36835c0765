/** Values recorded from PyTorch by scripts/record-layer-fixtures.py. */
import { readFileSync } from "node:fs";
import type { DType } from "../../core/dtype.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";

/** A tensor in a fixture. */
interface Plain {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** One call of a layer in PyTorch, with the gradients of Σ direction · output. */
export interface Recorded {
  readonly input: Tensor;
  /** Whether the layer was in training mode. */
  readonly training: boolean;
  /** Parameters and buffers before the call, by path. */
  readonly parameters: Readonly<Record<string, Tensor>>;
  readonly direction: Tensor;
  readonly output: Tensor;
  readonly gradients: Readonly<Record<string, Tensor>>;
  readonly inputGradient?: Tensor;
  /** Buffers after the call. */
  readonly updates: Readonly<Record<string, Tensor>>;
}

/** One loss in PyTorch. */
export interface RecordedLoss {
  readonly output: Tensor;
  readonly target: Tensor;
  readonly value: number;
  /** With respect to the output. */
  readonly gradient: Tensor;
}

const isPlain = (item: unknown): item is Plain => typeof item === "object" && item !== null && "dtype" in item;

/** The same tree with tensors for plain ones. */
function revive(item: unknown): unknown {
  if (isPlain(item)) return tensor(item.data, { dtype: item.dtype, shape: item.shape });
  if (typeof item !== "object" || item === null) return item;
  return Object.fromEntries(Object.entries(item).map(([key, value]) => [key, revive(value)]));
}

/** The cases of `test/fixtures/layers/<name>.json`. */
export function fixture<T = Recorded>(name: string): (caseName: string) => T {
  const url = new URL(`../../../test/fixtures/layers/${name}.json`, import.meta.url);
  const { cases } = JSON.parse(readFileSync(url, "utf8")) as { cases: Record<string, unknown> };
  return (caseName) => {
    if (!(caseName in cases)) throw new Error(`${name}.json has no case "${caseName}"`);
    return revive(cases[caseName]) as T;
  };
}
