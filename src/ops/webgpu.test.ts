/** Every operator on a graphics card, with its gradients: what the recordings say, whatever it is lowered to there. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hasSoftwareGpu } from "../../test/software-gpu.ts";
import { gradients } from "../autodiff/gradients.ts";
import { isFloat } from "../core/dtype.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { compile } from "../jit/compile.ts";
import { caseFamilies, keyOfCase, lossWeights } from "./all.cases.ts";
import { inputTensors, inputValues, type OpCase } from "./define.cases.ts";
import { add, cast, constant, mul, ones, reduceSum } from "./index.ts";

interface Recording {
  readonly outputs: readonly (readonly number[])[];
  readonly gradients?: Readonly<Record<string, readonly number[]>>;
}

/** Of a number near 1. Vulkan lets sines err by 2^-11 (its specification, "Precision and Operation of SPIR-V Instructions"). */
const toleranceOf = (family: string): number => (["functions", "signal"].includes(family) ? 2 ** -11 : 1e-4);

/** The software has no half floats. */
const needsHalf = ["elementwise Cast: through float16"];
/** Halves are rounded to the even number by one engine and up by the other. */
const halves = ["quantized QLinearAveragePool: windows of two"];

const numbersOf = (values: Tensor): number[] => Array.from(values.data as ArrayLike<number | bigint>, Number);

/** Largest difference, by the largest expected element or 1. */
function distance(actual: readonly number[], expected: readonly number[]): number {
  const scale = Math.max(1, ...expected.map(Math.abs));
  return Math.max(0, ...expected.map((element, i) => Math.abs(element - (actual[i] ?? Number.NaN)) / scale));
}

function lossOf(outputs: readonly Value[], weights: readonly (readonly number[] | undefined)[]): Value {
  const terms = outputs.flatMap((y, i) => {
    const elements = weights[i];
    if (!elements) return [];
    const w = constant(tensor(elements, { dtype: y.dtype, shape: y.shape }));
    return [reduceSum(mul(w, add(y, mul(0.5, mul(y, y)))))];
  });
  return terms.reduce((sum, term) => add(sum, cast(term, sum.dtype)));
}

async function farthest(opCase: OpCase, recording: Recording): Promise<number> {
  const inputs = inputValues(opCase);
  const outputs = opCase.build(inputs);
  const floats = opCase.derivative === "none" ? [] : Object.entries(inputs).filter(([, { dtype }]) => isFloat(dtype));
  const wrt = floats.map(([, value]) => value);
  const loss = wrt.length > 0 ? lossOf(outputs, lossWeights(opCase)) : undefined;
  const derivatives = loss ? gradients([loss], [ones([], loss.dtype)], wrt) : [];
  const { run, session } = await compile(Object.values(inputs), [...outputs, ...derivatives], { device: "webgpu" });
  const results = (await run(Object.values(inputTensors(opCase)))).map(numbersOf);
  await session.release();
  const expected = [...recording.outputs, ...floats.map(([name]) => recording.gradients?.[name] ?? [])];
  return Math.max(...expected.map((elements, i) => distance(results[i] ?? [], elements)));
}

for (const [family, cases] of Object.entries(caseFamilies))
  describe.skipIf(!hasSoftwareGpu)(`${family} on a graphics card`, () => {
    const file = new URL(`../../test/fixtures/ops/${family}.json`, import.meta.url);
    const recordings: Readonly<Record<string, Recording>> = JSON.parse(readFileSync(file, "utf8")).cases;
    const own = cases.filter((opCase) => ![...needsHalf, ...halves].includes(`${family} ${keyOfCase(opCase)}`));
    test.each(own.map((opCase) => [keyOfCase(opCase), opCase] as const))("%s", async (key, opCase) => {
      expect(await farthest(opCase, recordings[key] as Recording)).toBeLessThan(toleranceOf(family));
    });
  });
