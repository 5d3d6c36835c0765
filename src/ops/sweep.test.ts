/**
 * Every operator against ONNX Runtime's types, PyTorch's recorded values, and finite differences of itself in float64.
 * An operator without a case fails; the cases are the rows of src/ops/*.cases.ts.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { isFloat } from "../core/dtype.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { constantOf, graphOf, input, nodesOf, type Value } from "../graph/ir.ts";
import { foldConstants } from "../graph/passes.ts";
import { rewrite } from "../graph/rewrite.ts";
import { verify } from "../graph/verify.ts";
import { compile } from "../jit/compile.ts";
import { encodeModel, opsetVersion } from "../onnx/model.ts";
import { backend } from "../runtime/node.ts";
import { caseFamilies, directionOf, keyOfCase, lossOf, lossWeights, recordingRequest } from "./all.cases.ts";
import { Constant } from "./constant.ts";
import { inputTensors, inputValues, type OpCase } from "./define.cases.ts";
import { add, constant, mul, ones, reduceSum } from "./index.ts";
import { allOps } from "./registry.ts";

interface Recording {
  readonly digest: string;
  readonly outputs: readonly (readonly number[])[];
  readonly gradients?: Readonly<Record<string, readonly number[]>>;
  readonly hessianVector?: Readonly<Record<string, readonly number[]>>;
}
type Recordings = Readonly<Record<string, Recording>>;
const recordingsOf = (family: string): Recordings =>
  JSON.parse(readFileSync(new URL(`../../test/fixtures/ops/${family}.json`, import.meta.url), "utf8")).cases;

/** One rounding of float32 is 6e-8 of the value; the longest sums here have some 50 terms that may cancel. */
const float32Tolerance = 2e-5;
/** A central difference errs by h² f'''/6 + 1e-16 f/h: below 1e-9 with h = 1e-5 where f and its derivatives are near 1. */
const step = 1e-5;
const differenceTolerance = 1e-6;

const numbersOf = (values: Tensor): number[] => Array.from(values.data as ArrayLike<number | bigint>, Number);
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, element, i) => sum + element * (b[i] ?? 0), 0);

/** Elements agree within `tolerance` of the largest expected one (at least 1). */
function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number, what: string): void {
  expect(actual.length, `${what}: number of elements`).toBe(expected.length);
  const scale = Math.max(1, ...expected.map(Math.abs));
  const far = actual.findIndex((element, i) => !(Math.abs(element - (expected[i] ?? Number.NaN)) <= tolerance * scale));
  if (far >= 0)
    expect.fail(`${what}: element ${far} is ${actual[far]}, expected ${expected[far]}\n[${actual}]\n[${expected}]`);
}

/**
 * Operators that newer operator sets do not have, or that have their weights as attributes there, and domains that the engine does not
 * have: they run as what they are read as.
 */
const retired = ["Scatter", "Upsample", "LinearRegressor", "LinearClassifier", "Scaler", "ZipMap"];
const foreign = ["ai.onnx.preview.training"];

/** Runs a graph as it was built, but for operators that models cannot hold. */
async function runUnchanged(inputs: readonly Value[], outputs: readonly Value[], feeds: readonly Tensor[]) {
  const own = rewrite(outputs, (node) => {
    if (retired.includes(node.op.type) || foreign.includes(node.op.domain)) return node.op.simplify(node);
    return node.op.domain === "sardonyx" || node.op.since > opsetVersion ? node.op.lower(node) : undefined;
  });
  const session = await backend.compile(encodeModel(graphOf(inputs, own.outputs)), { threads: 1 });
  return session.run(feeds);
}

const floatsOf = (values: Readonly<Record<string, Value>>) =>
  Object.entries(values).filter(([, value]) => isFloat(value.dtype));

/** Types that ONNX Runtime gives, values that PyTorch gave, and FLOPs. */
async function checkForward(opCase: OpCase, recording: Recording): Promise<Tensor[]> {
  const inputs = inputValues(opCase);
  const outputs = opCase.build(inputs);
  verify(graphOf(Object.values(inputs), outputs));
  const nodes = nodesOf(outputs).filter((node) => node.op === opCase.op);
  expect(nodes.length, `the case uses ${opCase.op.type}`).toBeGreaterThan(0);
  const every = [...new Set([...outputs, ...nodes.flatMap((node) => node.outputs)])];
  const results = await runUnchanged(Object.values(inputs), every, Object.values(inputTensors(opCase)));
  for (const [i, value] of every.entries())
    expect([results[i]?.dtype, results[i]?.shape], "inferred type").toEqual([value.dtype, value.shape]);
  const forward = results.slice(0, outputs.length);
  expect(forward.length, "outputs").toBe(recording.outputs.length);
  for (const [i, result] of forward.entries())
    expectClose(numbersOf(result), recording.outputs[i] ?? [], float32Tolerance, `output ${i}`);
  for (const node of nodes) {
    const flops = node.op.flops(node);
    expect(Number.isFinite(flops) && flops >= 0, `FLOPs ${flops}`).toBe(true);
  }
  if (opCase.flops !== undefined) expect(nodes.map((node) => node.op.flops(node))).toEqual([opCase.flops]);
  return forward;
}

/** The outputs on constant inputs, computed without an engine; `undefined` where the way passes what cannot be. */
function foldedOutputs(opCase: OpCase): (Tensor | undefined)[] {
  const inputs = Object.entries(inputTensors(opCase)).map(([name, host]) => [name, constant(host)] as const);
  return foldConstants(Constant)(opCase.build(Object.fromEntries(inputs))).map((value) => constantOf(value));
}

/** The passes change no output; gradients in float32 are PyTorch's. */
async function checkOptimized(opCase: OpCase, forward: readonly Tensor[], recording: Recording): Promise<void> {
  const inputs = inputValues(opCase);
  const outputs = opCase.build(inputs);
  const floats = opCase.derivative === "none" ? [] : floatsOf(inputs);
  const parameters = floats.map(([, value]) => value);
  let derivatives: readonly Value[] = [];
  if (parameters.length > 0) {
    const loss = lossOf(outputs, lossWeights(opCase));
    derivatives = gradients([loss], [ones([], loss.dtype)], parameters);
    if (recording.hessianVector) derivatives = [...derivatives, ...hessianVector(opCase, derivatives, parameters)];
  }
  const executable = await compile(Object.values(inputs), [...outputs, ...derivatives], { threads: 1 });
  const results = await executable.run(Object.values(inputTensors(opCase)));
  for (const [i, before] of forward.entries())
    expectClose(numbersOf(results[i] as Tensor), numbersOf(before), float32Tolerance, `optimized output ${i}`);
  const expected: [string, readonly number[] | undefined][] = floats.map(([name]) => [
    `gradient of ${name}`,
    recording.gradients?.[name],
  ]);
  if (recording.hessianVector)
    for (const [name] of floats) expected.push([`H v for ${name}`, recording.hessianVector[name]]);
  for (const [i, [what, elements]] of expected.entries())
    expectClose(numbersOf(results[outputs.length + i] as Tensor), elements ?? [], float32Tolerance, what);
}

function hessianVector(opCase: OpCase, first: readonly Value[], parameters: readonly Value[]): readonly Value[] {
  const directions = Object.values(directionOf(opCase, 0));
  const along = first
    .map((g, i) =>
      reduceSum(mul(g, constant(tensor(directions[i] ?? [], { dtype: g.dtype as "float32", shape: g.shape })))),
    )
    .reduce((sum, term) => add(sum, term));
  return gradients([along], [ones([], along.dtype)], parameters);
}

/** Directional derivative, and Hessian-vector product where the case has one, against central differences. */
async function checkDifferences(opCase: OpCase): Promise<void> {
  const inputs = inputValues(opCase, "float64");
  const floats = floatsOf(inputs);
  const parameters = floats.map(([, value]) => value);
  const directions = parameters.map((value) => input(value.dtype, value.shape));
  const loss = lossOf(opCase.build(inputs), lossWeights(opCase));
  const first = gradients([loss], [ones([], loss.dtype)], parameters);
  const along = first.map((g, i) => reduceSum(mul(g, directions[i] as Value))).reduce((sum, term) => add(sum, term));
  const second = opCase.derivative === "twice" ? gradients([along], [ones([], along.dtype)], parameters) : [];
  const compiling = compile([...Object.values(inputs), ...directions], [loss, ...first, ...second], { threads: 1 });
  if (opCase.noFloat64 !== undefined)
    return expect(compiling, `float64 has a kernel after all: ${opCase.noFloat64}`).rejects.toThrow(
      /float64 is not computed by ONNX Runtime/,
    );
  const { run } = await compiling;

  const point = inputTensors(opCase, "float64");
  for (const which of [0, 1]) {
    const v = directionOf(opCase, which);
    const vectors = floats.map(([name, { shape }]) => tensor(v[name] ?? [], { dtype: "float64", shape }));
    const at = async (distance: number) => {
      const moved = Object.entries(point).map(([name, host]) =>
        name in v
          ? tensor(
              numbersOf(host).map((element, i) => element + distance * (v[name]?.[i] ?? 0)),
              { dtype: "float64", shape: host.shape },
            )
          : host,
      );
      const results = (await run([...moved, ...vectors])).map(numbersOf);
      const gs = results.slice(1, 1 + floats.length);
      return { loss: results[0]?.[0] ?? Number.NaN, gs, hv: results.slice(1 + floats.length) };
    };
    const [here, before, after] = [await at(0), await at(-step), await at(step)];
    const slope = here.gs.reduce((sum, g, i) => sum + dot(g, numbersOf(vectors[i] as Tensor)), 0);
    expectClose(
      [slope],
      [(after.loss - before.loss) / (2 * step)],
      differenceTolerance,
      `gradient along direction ${which}`,
    );
    for (const [i, product] of here.hv.entries()) {
      const differences = product.map((_, k) => ((after.gs[i]?.[k] ?? 0) - (before.gs[i]?.[k] ?? 0)) / (2 * step));
      expectClose(product, differences, differenceTolerance, `H v for ${floats[i]?.[0]}, direction ${which}`);
    }
  }
}

const handCounted = [
  "Conv",
  "ConvTranspose",
  "MatMul",
  "FusedMatMul",
  "Gemm",
  "RNN",
  "LSTM",
  "GRU",
  "MatMulInteger",
  "QLinearMatMul",
  "MatMulNBits",
  "ConvInteger",
  "QLinearConv",
];

describe("every operator has a case", () => {
  const cases = Object.values(caseFamilies).flat();
  test.each(allOps.map((op) => [op.type, op] as const))("%s", (type, op) => {
    const own = cases.filter((opCase) => opCase.op === op);
    expect(own.length, `${type} has no case; add a row to its family's *.cases.ts`).toBeGreaterThan(0);
    if (op.differentiable && type !== "Cast")
      expect(
        own.some(({ derivative }) => derivative !== "none"),
        `${type} has a gradient, and no case of it`,
      ).toBe(true);
    if (op.foldable)
      expect(
        own.some((opCase) => foldedOutputs(opCase).every(Boolean)),
        `${type} folds constants, but no case of it`,
      ).toBe(true);
    if (handCounted.includes(type))
      expect(
        own.every(({ flops }) => flops !== undefined),
        "FLOPs by hand",
      ).toBe(true);
  });

  test("no two cases share a name, so that each has its own recording", () => {
    expect(new Set(cases.map(keyOfCase)).size).toBe(cases.length);
  });
});

for (const [family, cases] of Object.entries(caseFamilies))
  describe(family, () => {
    const recordings = recordingsOf(family);
    test.each(cases.map((opCase) => [keyOfCase(opCase), opCase] as const))("%s", async (key, opCase) => {
      const recording = recordings[key];
      if (!recording || recording.digest !== recordingRequest(opCase).digest)
        return expect.fail("no recording of this case; run /usr/bin/python3 scripts/record-op-fixtures.py");
      const forward = await checkForward(opCase, recording);
      for (const [i, folded] of foldedOutputs(opCase).entries())
        if (folded) expectClose(numbersOf(folded), recording.outputs[i] ?? [], float32Tolerance, `folded output ${i}`);
      await checkOptimized(opCase, forward, recording);
      if (opCase.derivative === "twice" || opCase.derivative === "once") await checkDifferences(opCase);
    });
  });
