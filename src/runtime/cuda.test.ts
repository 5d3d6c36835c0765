/** CUDA without a card: what is asked of the engine, where it can be, and what is said where it cannot. */
import { spawnSync } from "node:child_process";
import type { InferenceSession } from "onnxruntime-common";
import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { OptionError, RuntimeError } from "../core/errors.ts";
import { tensor } from "../core/tensor.ts";
import { graphOf, input } from "../graph/ir.ts";
import { encodeModel } from "../onnx/model.ts";
import { add } from "../ops/index.ts";
import { cudaBackend } from "./cuda.node.ts";
import { cudaHere, requireCuda } from "./cuda-place.node.ts";
import { selectBackend } from "./select.ts";

const here = { platform: "linux", arch: "x64", isInstalled: true };

function doubling(): Uint8Array {
  const x = input("float32", [2], "x");
  return encodeModel(graphOf([x], [add(x, x)]), { outputNames: ["y"] });
}

/** An engine that makes sessions as onnxruntime-node does, on the processor, and keeps what it was asked for. */
function recorder() {
  const asked: InferenceSession.SessionOptions[] = [];
  const engine = {
    Tensor: ort.Tensor as never,
    InferenceSession: {
      create(model: Uint8Array, options: InferenceSession.SessionOptions) {
        asked.push(options);
        return ort.InferenceSession.create(model, { ...options, executionProviders: ["cpu"] });
      },
    },
  };
  return { engine, asked };
}

/** An engine that refuses every session in these words. */
const refusing = (words: string) => ({
  Tensor: ort.Tensor as never,
  InferenceSession: { create: () => Promise.reject(new Error(words)) },
});

test("a session is of the provider, outputs are written in place, and products keep float32", async () => {
  const { engine, asked } = recorder();
  const backend = cudaBackend(engine, here);
  expect(backend).toMatchObject({ device: "cuda", blocks: false });
  expect(process.env["NVIDIA_TF32_OVERRIDE"]).toBe("0");
  const session = await backend.compile(doubling(), { threads: 1 });
  const y = tensor([0, 0]);
  expect(await session.run([tensor([1, 2])], [y])).toEqual([y]);
  expect(y.toArray()).toEqual([2, 4]);
  await session.release();
  expect(asked).toEqual([
    {
      executionProviders: [{ name: "cuda", deviceId: 0 }],
      intraOpNumThreads: 1,
      enableMemPattern: true,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    },
  ]);
});

test.each([
  ["darwin", "arm64", true, /is for Linux on x64.*this is darwin on arm64; pass "webgpu"/],
  ["win32", "x64", true, /this is win32 on x64/],
  ["linux", "arm64", true, /this is linux on arm64/],
  ["linux", "x64", false, /ONNXRUNTIME_NODE_INSTALL=true npm rebuild onnxruntime-node/],
])("on %s %s, installed: %s", (platform, arch, isInstalled, message) => {
  const require = () => requireCuda({ platform, arch, isInstalled });
  expect(require).toThrow(OptionError);
  expect(require).toThrow(message);
});

// The first is what onnxruntime-node 1.30 says without libraries; the others are CUDA's texts of its error codes, as the provider cites them.
test.each([
  [
    "OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library",
    OptionError,
    /install CUDA 12 and cuDNN 9/,
  ],
  ["CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=h", OptionError, /nvidia-smi/],
  ["CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version", OptionError, /nvidia-smi/],
  ["CUDA failure 2: out of memory ; GPU=0", RuntimeError, /out of memory/],
])("%s", async (words, kind, message) => {
  const compiled = cudaBackend(refusing(words), here).compile(doubling());
  await expect(compiled).rejects.toThrow(kind);
  await expect(compiled).rejects.toThrow(message);
});

test.skipIf(cudaHere().isInstalled)(
  "the engine of this machine, whose package lacks the provider, says so",
  async () => {
    await expect(selectBackend("cuda")).rejects.toThrow(OptionError);
    // Its words go to the process's error stream too, so another process asks it.
    const program = `
    import * as ort from "onnxruntime-node";
    await ort.InferenceSession.create(Uint8Array.from(${JSON.stringify(Array.from(doubling()))}), { executionProviders: ["cuda"] })
      .catch((error) => console.log(error.message));`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
    if (process.platform === "linux" && process.arch === "x64")
      expect(stdout).toContain("Failed to load shared library");
  },
);
