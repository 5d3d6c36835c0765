/** The recorded values and gradients of every operator's cases, and how far from them a way to run graphs comes. */
import { readFileSync } from "node:fs";
import { gradients } from "../../autodiff/gradients.ts";
import { isFloat } from "../../core/dtype.ts";
import { InternalError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import { lossOf, lossWeights } from "../all.cases.ts";
import { inputTensors, inputValues, type OpCase } from "../define.cases.ts";
import { ones } from "../index.ts";

/** What PyTorch computes of a case. */
export interface Recording {
  readonly outputs: readonly (readonly number[])[];
  readonly gradients?: Readonly<Record<string, readonly number[]>>;
}

/** The recordings of a family of operators, by the keys of its cases. */
export function recordingsOf(family: string): Readonly<Record<string, Recording>> {
  const file = new URL(`../../../test/fixtures/ops/${family}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly cases: Readonly<Record<string, Recording>> }).cases;
}

/** Computes outputs of inputs that have these values. */
export type Run = (
  inputs: readonly Value[],
  outputs: readonly Value[],
  given: readonly Tensor[],
) => Promise<readonly Tensor[]>;

export const numbersOf = (values: Tensor): number[] => Array.from(values.data as ArrayLike<number | bigint>, Number);

/** Largest difference, by the largest expected element or 1. */
export function distance(actual: readonly number[], expected: readonly number[]): number {
  const scale = Math.max(1, ...expected.map(Math.abs));
  return Math.max(0, ...expected.map((element, i) => Math.abs(element - (actual[i] ?? Number.NaN)) / scale));
}

/** The largest distance of the outputs and gradients of a case from its recording. */
export async function farthest(opCase: OpCase, recording: Recording | undefined, run: Run): Promise<number> {
  if (!recording) throw new InternalError("the case has no recording");
  const inputs = inputValues(opCase);
  const outputs = opCase.build(inputs);
  const floats = opCase.derivative === "none" ? [] : Object.entries(inputs).filter(([, { dtype }]) => isFloat(dtype));
  const wrt = floats.map(([, value]) => value);
  const loss = wrt.length > 0 ? lossOf(outputs, lossWeights(opCase)) : undefined;
  const derivatives = loss ? gradients([loss], [ones([], loss.dtype)], wrt) : [];
  const given = Object.values(inputTensors(opCase));
  const results = (await run(Object.values(inputs), [...outputs, ...derivatives], given)).map(numbersOf);
  const expected = [...recording.outputs, ...floats.map(([name]) => recording.gradients?.[name] ?? [])];
  return Math.max(...expected.map((elements, i) => distance(results[i] ?? [], elements)));
}
