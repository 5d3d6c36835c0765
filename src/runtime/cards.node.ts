/** Which devices a look at a machine's files speaks for: no engine is loaded and no process started. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cudaHere } from "./cuda-place.node.ts";
import type { Device } from "./session.ts";

/** What is looked at of a machine. */
export interface Surroundings {
  readonly platform: string;
  readonly arch: string;
  /** Whether CUDA's provider lies beside the engine. */
  hasCuda(): boolean;
  exists(path: string): boolean;
  /** Names in a folder; none where it is not there. */
  names(folder: string): readonly string[];
  /** The text of a file; empty where it cannot be read. */
  text(path: string): string;
}

/** What `act` gives, or something else where files cannot be read. */
function attempt<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch {
    return otherwise;
  }
}

/** This machine. */
export const surroundings: Surroundings = {
  platform: process.platform,
  arch: process.arch,
  hasCuda: () => cudaHere().isInstalled,
  exists: existsSync,
  names: (folder) => attempt(() => readdirSync(folder), []),
  text: (path) => attempt(() => readFileSync(path, "utf8"), ""),
};

/** Makers of graphics cards, by the ids of PCI: AMD, NVIDIA, Intel. Those of virtual machines' displays, which compute in software, are others. */
const makers = ["0x1002", "0x10de", "0x8086"];

/**
 * The devices that may compute on a card here, the best first; empty where there is none. WebGPU comes before CUDA, since parameters stay in
 * the card's memory there. Whether one does compute, and how fast, only trying shows.
 */
export function likelyDevices(here: Surroundings = surroundings): readonly Device[] {
  const { platform, arch } = here;
  // Metal is part of the system.
  if (platform === "darwin") return arch === "arm64" ? ["webgpu"] : [];
  // Drivers of cards bring Vulkan's library along; Windows itself has none.
  if (platform === "win32") {
    const system = join(process.env["SystemRoot"] ?? "C:\\Windows", "System32", "vulkan-1.dll");
    return here.exists(system) ? ["webgpu"] : [];
  }
  if (platform !== "linux") return [];
  const isOfNvidia = here.exists("/dev/nvidiactl");
  const isOfMaker = here
    .names("/dev/dri")
    .filter((name) => name.startsWith("renderD"))
    .some((name) => makers.includes(here.text(`/sys/class/drm/${name}/device/vendor`).trim()));
  return [
    ...(isOfNvidia || isOfMaker ? (["webgpu"] as const) : []),
    ...(isOfNvidia && arch === "x64" && here.hasCuda() ? (["cuda"] as const) : []),
  ];
}

/** Vulkan drivers that compute in software, Mesa's and Google's, by globs of their manifests' names. */
const software = ["*lvp*", "*swiftshader*"];

/** The environment in which Vulkan's loader passes over drivers that compute in software (its variable, since 1.3.234). */
export function withoutSoftware(env: NodeJS.ProcessEnv): { readonly VK_LOADER_DRIVERS_DISABLE: string } {
  const own = (env["VK_LOADER_DRIVERS_DISABLE"] ?? "").split(",").filter((glob) => glob && !software.includes(glob));
  return { VK_LOADER_DRIVERS_DISABLE: [...own, ...software].join(",") };
}
