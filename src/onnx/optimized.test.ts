/** Files as ONNX Runtime's optimizer writes them, at each of its levels: opened, run and counted as the files that they were. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { onnxNetwork } from "../analyze/networks/onnx-network.ts";
import { inspectionOf } from "../analyze/testing/networks.ts";
import { memorySource } from "../core/byte-source.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import type { Message } from "./codec.ts";
import { importModel, refuseExternal } from "./import.ts";
import { readModelFile } from "./model-file.ts";
import { expectAsRuntime, uniform, whole } from "./testing/beside-runtime.ts";
import { fileOfGraph, node, stored, typed } from "./testing/build-file.ts";

const levels = ["basic", "extended", "all"] as const;
const folder = mkdtempSync(join(tmpdir(), "optimized-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The file as the optimizer writes it. */
async function optimized(file: Uint8Array, level: (typeof levels)[number]): Promise<Uint8Array> {
  const [from, to] = [join(folder, "file.onnx"), join(folder, "optimized.onnx")];
  writeFileSync(from, file);
  const options = { graphOptimizationLevel: level, optimizedModelFilePath: to, logSeverityLevel: 4 } as const;
  await (await ort.InferenceSession.create(from, options)).release();
  return new Uint8Array(readFileSync(to));
}

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../test/fixtures/onnx/${name}.onnx`, import.meta.url)));
const ids = tensor(whole(1, [2, 8], 0, 20), { dtype: "int64", shape: [2, 8] });

describe.each<[string, readonly Tensor[]]>([
  ["resnet50-narrow", [uniform(1, 2, 3, 64, 64)]],
  ["mobile", [uniform(1, 1, 3, 16, 24)]],
  ["encoder", [ids]],
  ["lstm", [ids]],
])("%s", (name, feeds) => {
  const named = Object.fromEntries(
    readModelFile(memorySource(fixture(name)), refuseExternal).graph.inputs.map((own, i) => [
      own.name,
      feeds[i] as Tensor,
    ]),
  );
  test.each(levels)("level %s", async (level) => expectAsRuntime(await optimized(fixture(name), level), named));
});

/** A network of quantized layers as PyTorch and ONNX Runtime export them: each tensor quantized and dequantized. */
function quantizedFile(): Uint8Array {
  const nodes: Message[] = [];
  const tensors: Message[] = [];
  const hold = (name: string, value: Tensor) => {
    tensors.push(stored(name, value));
    return name;
  };
  let [at, scale] = ["x", 1];
  const step = (type: string, inputs: readonly string[], attributes: Parameters<typeof node>[3] = {}) => {
    const name = `v${nodes.length}`;
    nodes.push(node(type, inputs, [name], attributes));
    return name;
  };
  const quantized = (own: number, zero: number) => {
    const n = nodes.length;
    const operands = [hold(`s${n}`, tensor(own)), hold(`z${n}`, tensor(zero, { dtype: "uint8" }))];
    at = step("DequantizeLinear", [step("QuantizeLinear", [at, ...operands]), ...operands]);
    scale = own;
  };
  const convolution = (filters: number, channels: number, kernel: number, group = 1) => {
    const n = nodes.length;
    const shape = [filters, channels, kernel, kernel];
    const scales = Array.from({ length: filters }, (_, i) => Math.fround(0.001 + i * 0.0001));
    const dequantized = (name: string, value: Tensor, own: readonly number[]) => {
      const zero = tensor(new Array<number>(filters).fill(0), { dtype: value.dtype as "int8" });
      return step(
        "DequantizeLinear",
        [hold(`${name}${n}`, value), hold(`${name}s${n}`, tensor([...own])), hold(`${name}z${n}`, zero)],
        { axis: 0 },
      );
    };
    const w = dequantized("w", tensor(whole(n, shape, -100, 100), { dtype: "int8", shape }), scales);
    const sums = tensor(whole(n, [filters], -50, 50), { dtype: "int32" });
    const b = dequantized(
      "b",
      sums,
      scales.map((own) => Math.fround(Math.fround(scale) * own)),
    );
    const pad = kernel >> 1;
    at = step("Relu", [step("Conv", [at, w, b], { pads: [pad, pad, pad, pad], group })]);
  };
  quantized(0.01, 128);
  convolution(16, 3, 3);
  quantized(0.02, 0);
  at = step("MaxPool", [at], { kernel_shape: [2, 2], strides: [2, 2] });
  quantized(0.02, 0);
  convolution(16, 1, 3, 16);
  quantized(0.02, 0);
  const before = at;
  convolution(16, 16, 1);
  quantized(0.03, 0);
  at = step("Add", [at, before]);
  quantized(0.05, 0);
  at = step("GlobalAveragePool", [at]);
  quantized(0.05, 0);
  at = step("Sigmoid", [at]);
  quantized(1 / 256, 0);
  const input = [typed("x", "float32", 1, 3, 16, 16)];
  return fileOfGraph({ input, node: nodes, output: [{ name: at }], initializer: tensors }, 13, { ir_version: 8 });
}

describe("a quantized network", () => {
  const feeds = { x: uniform(1, 1, 3, 16, 16) };
  test.each(levels)("level %s", async (level) => {
    const file = await optimized(quantizedFile(), level);
    await expectAsRuntime(file, feeds);
    const { cost, parameters } = inspectionOf(onnxNetwork("test", importModel(memorySource(file))));
    // Filters and biases of three convolutions; products at 256, 64 and 64 places.
    expect(parameters.total).toBe(16 * 3 * 9 + 16 * 9 + 16 * 16 + 3 * 16);
    expect(cost.macs).toBe(256 * 16 * 3 * 9 + 64 * 16 * 9 + 64 * 16 * 16);
  });
});
