/** What Sardonyx asks of an execution engine. */
import type { Tensor } from "../core/tensor.ts";
import type { MakeLoopMemory } from "./loops.ts";

/**
 * Where graphs run. `cpu` needs Node; `wasm` runs in a browser, and in Node when onnxruntime-web is installed; `webgpu` needs a graphics
 * card, or a program that acts as one, by Vulkan, Metal or Direct3D in Node and by WebGPU in a browser; `cuda` needs a card of NVIDIA's and
 * Node on Linux.
 */
export const devices = ["cpu", "wasm", "webgpu", "cuda"] as const;
/** Name of a device, see `devices`. */
export type Device = (typeof devices)[number];
/** What may stand for a device: `auto` is the one that is best here. */
export const deviceChoices = ["auto", ...devices] as const;
/** Name of a device, or `auto`. */
export type DeviceChoice = (typeof deviceChoices)[number];

/** Whether a device is a graphics card. */
export const isCard = (device: Device): boolean => device === "webgpu" || device === "cuda";

/** What matrix products and convolutions may be computed in. */
export const computePrecisions = ["float32", "float16"] as const;
/** Name of a precision of products, see `computePrecisions`. */
export type ComputePrecision = (typeof computePrecisions)[number];

/** A device in a sentence, behind "on the". */
export const deviceText = (device: Device): string =>
  ({
    cpu: "processor",
    wasm: "processor by WebAssembly",
    webgpu: "graphics card by WebGPU",
    cuda: "graphics card by CUDA",
  })[device];

/**
 * Whether what a device computed can be left in a memory of its own, so that what is used again is not copied. onnxruntime-node does so for
 * WebGPU alone: of CUDA it returns every output to the host.
 */
export const ownsMemory = (device: DeviceChoice | undefined): boolean => device === "webgpu";

/**
 * How a device computes products of float16: `rounded`, in float32, of numbers that are rounded to float16 before and after, since its engine
 * has no such products; or as they are, adding up in `float32` or in `float16`.
 */
export type HalfSums = "rounded" | "float32" | "float16";

export interface SessionOptions {
  /** Threads that one operator may use; default: all cores. */
  readonly threads?: number;
  /**
   * Whether threads that wait for the next operator keep their cores busy; default true. A little faster where nothing else runs, and several
   * times slower where something does, such as the clients of a server. In Node on the processor alone.
   */
  readonly spinning?: boolean;
  /**
   * Plan all memory of a run as one block, from the second run on; default true. A little faster, but the memory of the
   * first run stays beside it.
   */
  readonly memoryPattern?: boolean;
  /** Path prefix of a profile (JSON) that is written when the session is released. */
  readonly profilePrefix?: string;
}

/** What decides how a model is compiled, beside what the user says. */
export interface CompiledAs {
  /** Names of the outputs that stay in the device's memory: each run gives them as DeviceTensor. Default none. */
  readonly staying?: readonly string[];
  /** Names of the nodes that the processor is to compute, where the device does it wrongly or not at all. Default none. */
  readonly onProcessor?: readonly string[];
  /** Whether the engine keeps to itself what it logs of errors, since whoever compiles expects one. Default false. */
  readonly quiet?: boolean;
  /** Is told after the first run which nodes the engine left to the processor, where the backend can tell. */
  readonly onPlacement?: ((placement: Placement) => void) | undefined;
}

/** Where the nodes of a compiled graph are computed, after the engine fused and folded what it could. */
export interface Placement {
  /** All nodes. */
  readonly nodes: number;
  /** How many of each operator the processor computes, in the order in which they run. */
  readonly onProcessor: Readonly<Record<string, number>>;
}

/** A profile of the first run of a session. */
export interface FirstRun {
  /** Path prefix of the file. */
  readonly prefix: string;
  /** The file is complete; `ran` is false where the session was released before it ran. */
  ended(ran: boolean): void;
}

/** A compiled model. */
export interface Session {
  /**
   * Runs the model on inputs in the order of its inputs. A tensor in `outputs` receives that output in place; it may
   * share memory with an input when every operator between them is elementwise. A DeviceTensor there takes over an output that stays
   * on the device, once the run has succeeded.
   */
  run(inputs: readonly Tensor[], outputs?: readonly (Tensor | undefined)[]): Promise<Tensor[]>;
  /** Writes the profile that `profilePrefix` asked for, and frees the engine's memory ahead of the garbage collector. */
  release(): Promise<void>;
}

/** Name of the empty sequence that models have as their first output for a backend that `copiesOutputs`. */
export const endOutput = "end";
/** Bytes of preallocated outputs from which such a backend is kept from copying them: of fewer a copy takes less time than that does. */
export const leastUncopied = 2 ** 20;

export interface Backend {
  readonly device: Device;
  /**
   * Whether it copies outputs that it has written in place, unless a model has a first output named `endOutput` (ort.ts). Default false.
   */
  readonly copiesOutputs?: boolean;
  /** Bytes of memory that there are to compute in. */
  readonly memory: number;
  /** Whether it has operators on channels in blocks (ops/windows/nchwc.ts). */
  readonly blocks: boolean;
  /** How it computes products of float16. */
  readonly halfSums: HalfSums;
  compile(model: Uint8Array, options?: SessionOptions, as?: CompiledAs): Promise<Session>;
  /** Memory of vectors whose loops so many threads compute; default that of one. */
  loopMemories?(threads: number | undefined): MakeLoopMemory;
}
