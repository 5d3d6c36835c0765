/** Execution on NVIDIA's graphics cards in Node, by the CUDA provider of onnxruntime-node. */
import * as ort from "onnxruntime-node";
import { OptionError } from "../core/errors.ts";
import { type CudaPlace, cudaHere, requireCuda } from "./cuda-place.node.ts";
import { createSession, type OrtModule } from "./ort.ts";
import { firstRunFor } from "./placement.node.ts";
import type { Backend } from "./session.ts";

/** The engine cannot load the provider, whose libraries are there: what it is linked to is not. */
const unlinked = /Failed to load (?:shared )?library/i;
/** What CUDA says where there is no card, or a driver too old for it: cudaErrorInsufficientDriver, NoDevice, InvalidDevice and the like. */
const noCard =
  /no CUDA-capable device|driver version is insufficient|CUDA (?:failure|error) (?:35|100|101|209|803|804)\b/i;

/** What the engine says when it makes a session, in our words where the machine is at fault; else what it said. */
function refusal(cause: unknown): unknown {
  const said = cause instanceof Error ? cause.message : "";
  if (unlinked.test(said))
    return new OptionError(
      'device "cuda" found its provider, but not what that is linked to; install CUDA 12 and cuDNN 9 where the loader finds them (LD_LIBRARY_PATH), or leave the device out',
      { cause },
    );
  if (noCard.test(said))
    return new OptionError(
      'device "cuda" found no card of NVIDIA\'s that it can use; check with nvidia-smi that the driver is for CUDA 12, and CUDA_VISIBLE_DEVICES, or leave the device out',
      { cause },
    );
  return cause;
}

/**
 * The provider, on the first of the cards that CUDA_VISIBLE_DEVICES shows. onnxruntime-node hands no other option of it on: the arena of its
 * memory grows by doubling, and cuDNN tries its algorithms for a convolution of new shapes and takes the fastest, so that two runs agree to
 * rounding. Inputs are copied to the card at each run and outputs back, parameters too. Throws OptionError where it cannot be.
 * @param engine onnxruntime-node, or what stands in for it
 */
export function cudaBackend(engine: OrtModule = ort, place: CudaPlace = cudaHere()): Backend {
  requireCuda(place);
  // Products of float32 in 10 bits of mantissa are the provider's default; this is how NVIDIA's libraries are told to keep all 23.
  process.env["NVIDIA_TF32_OVERRIDE"] ??= "0";
  return {
    device: "cuda",
    // The engine does not say how much a card has.
    memory: Number.POSITIVE_INFINITY,
    blocks: false,
    halfSums: "float32",
    async compile(model, { threads, memoryPattern = true, profilePrefix } = {}, as = {}) {
      const options = {
        executionProviders: [{ name: "cuda", deviceId: 0 }],
        ...(threads !== undefined && { intraOpNumThreads: threads }),
        enableMemPattern: memoryPattern,
        graphOptimizationLevel: "all",
        logSeverityLevel: 3,
        ...(profilePrefix !== undefined && { enableProfiling: true, profileFilePrefix: profilePrefix }),
      } as const;
      const observed = profilePrefix === undefined ? firstRunFor(as) : {};
      return createSession(engine, model, options, { ...as, ...observed, writesInPlace: true }).catch(
        (cause: unknown) => {
          throw refusal(cause);
        },
      );
    },
  };
}
