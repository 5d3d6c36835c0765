/** Whether CUDA's provider can be on a machine, without loading the engine. */
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { OptionError } from "../core/errors.ts";

/** What decides whether the provider can be here. */
export interface CudaPlace {
  readonly platform: string;
  readonly arch: string;
  /** Whether the libraries of the provider lie beside the engine. */
  readonly isInstalled: boolean;
}

/** The libraries of the provider, which npm does not hold: the package's install script fetches them. */
const libraries = ["libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"];

/** This machine. */
export function cudaHere(): CudaPlace {
  const { platform, arch } = process;
  const bin = join(dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json")), "bin");
  const folders = existsSync(bin) ? readdirSync(bin).map((version) => join(bin, version, platform, arch)) : [];
  const isInstalled = folders.some((folder) => libraries.every((name) => existsSync(join(folder, name))));
  return { platform, arch, isInstalled };
}

/** Throws OptionError with the mend where the provider cannot be. */
export function requireCuda({ platform, arch, isInstalled }: CudaPlace): void {
  if (platform !== "linux" || arch !== "x64")
    throw new OptionError(
      `device "cuda" is for Linux on x64, where onnxruntime-node has NVIDIA's provider, and this is ${platform} on ${arch}; pass "webgpu" for the graphics card here, or leave the device out`,
    );
  if (!isInstalled)
    throw new OptionError(
      'device "cuda" lacks the libraries that onnxruntime-node downloads when it is installed; run: ONNXRUNTIME_NODE_INSTALL=true npm rebuild onnxruntime-node (its install script fetches them from nuget.org), or pass "webgpu", which needs none',
    );
}
