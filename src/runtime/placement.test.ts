/** What is left to the processor: read from the engine's profile of a first run, and counted on a card of software. */
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { hasSoftwareGpu } from "../../test/software-gpu.ts";
import { tensor } from "../core/tensor.ts";
import { input } from "../graph/ir.ts";
import { compile } from "../jit/compile.ts";
import { add, bitwiseXor, exp } from "../ops/index.ts";
import { firstRunFor, placementOf } from "./placement.node.ts";
import type { Placement } from "./session.ts";

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("sardonyx-placement-"));

// Lines of a profile that ONNX Runtime 1.30 wrote for a graph of two outputs, with the arguments that are not read left out.
const line = (name: string, op: string, provider: string) => ({
  cat: "Node",
  name,
  ph: "X",
  args: { op_name: op, provider: `${provider}ExecutionProvider` },
});
const profile = [
  { cat: "Session", name: "model_run", args: {} },
  line("graph/Exp_1_kernel_time", "Exp", "WebGpu"),
  line("Memcpy_kernel_time", "MemcpyToHost", "WebGpu"),
  line("graph/BitwiseXor_0_kernel_time", "BitwiseXor", "CPU"),
  line("graph/BitwiseXor_0_kernel_time", "BitwiseXor", "CPU"),
  line("graph/BitShift_2_kernel_time", "BitShift", "CPU"),
  { cat: "Api", name: "graph/Exp_1&Exp&Exp", args: { shapes: "inputs[0] = {16}" } },
];

test("a profile says which operators the processor computed", () => {
  expect(placementOf(JSON.stringify(profile))).toEqual({ nodes: 3, onProcessor: { BitwiseXor: 1, BitShift: 1 } });
});

test("nothing is profiled where nobody asks, and a run that never came is not told", () => {
  expect(firstRunFor({})).toEqual({});
  const told: Placement[] = [];
  const { firstRun } = firstRunFor({ onPlacement: (placement) => told.push(placement) });
  firstRun?.ended(false);
  expect(existsSync(firstRun?.prefix ?? "")).toBe(false);
  expect(told).toEqual([]);
});

test.skipIf(!hasSoftwareGpu)("on a card: bits are the processor's, told after the first run alone", async () => {
  const before = folders();
  const told: Placement[] = [];
  const [bits, x] = [input("uint32", [2], "bits"), input("float32", [2], "x")];
  const options = { device: "webgpu", onPlacement: (placement: Placement) => told.push(placement) } as const;
  const { run, session } = await compile([bits, x], [bitwiseXor(bits, bits), add(exp(x), x)], options);
  const given = [tensor([1, 2], { dtype: "uint32" }), tensor([0, 0])];
  await run(given);
  expect(told).toEqual([{ nodes: 3, onProcessor: { BitwiseXor: 1 } }]);
  expect((await run(given))[1]?.toArray()).toEqual([1, 1]);
  expect(told.length).toBe(1);
  await session.release();
  expect(folders()).toEqual(before);
});
