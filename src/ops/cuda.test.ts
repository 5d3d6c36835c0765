/**
 * Every operator by the passes for CUDA, without rows and blocks, with its gradients: what the recordings say. The processor computes them
 * here, by the same session that a card would have: no test has a card of NVIDIA's.
 */
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { graphOf } from "../graph/ir.ts";
import { optimize, pipelineFor } from "../jit/compile.ts";
import { encodeModel } from "../onnx/model.ts";
import { cudaBackend } from "../runtime/cuda.node.ts";
import type { OrtModule } from "../runtime/ort.ts";
import { caseFamilies, keyOfCase } from "./all.cases.ts";
import { farthest, type Run, recordingsOf } from "./testing/recordings.ts";

const onProcessor: OrtModule = {
  Tensor: ort.Tensor as never,
  InferenceSession: {
    create: (model, options) => ort.InferenceSession.create(model, { ...options, executionProviders: ["cpu"] }),
  },
};
const backend = cudaBackend(onProcessor, { platform: "linux", arch: "x64", isInstalled: true });

const run: Run = async (inputs, outputs, given) => {
  const graph = optimize(graphOf(inputs, outputs), pipelineFor(backend));
  const session = await backend.compile(encodeModel(graph), { threads: 1 });
  const results = await session.run(given);
  await session.release();
  return results;
};

for (const [family, cases] of Object.entries(caseFamilies))
  describe(`${family} by the passes for CUDA`, () => {
    const recordings = recordingsOf(family);
    test.each(cases.map((opCase) => [keyOfCase(opCase), opCase] as const))("%s", async (key, opCase) => {
      expect(await farthest(opCase, recordings[key], run)).toBeLessThan(1e-4);
    });
  });
