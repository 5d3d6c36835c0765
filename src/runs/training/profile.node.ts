/** ONNX Runtime's profiles of a run, summed by operator and by layer. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "../../core/json.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { makeFolder } from "../../storage/disk.node.ts";

/** Batches of a profile that was not given a number of epochs. */
export const profileBatches = 50;

/** The compile options of a profiled run: every session writes a file of its own below `folder`. */
export function profiled(compile: CompileOptions, folder: string): CompileOptions {
  makeFolder(folder);
  let sessions = 0;
  return {
    ...compile,
    // Read once by each compilation. ONNX Runtime adds only the second to the name, in which several may begin.
    get profilePrefix() {
      return join(folder, `session-${++sessions}`);
    },
  };
}

interface Event {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur?: number;
  readonly args?: { readonly op_name?: string };
}

/** Milliseconds and calls. */
export interface Share {
  readonly name: string;
  readonly milliseconds: number;
  readonly calls: number;
}

export interface Profile {
  readonly operators: readonly Share[];
  /** By path of the layer, forward and backward together; also `loss` and `metrics`. */
  readonly layers: readonly Share[];
  /** All runs of all sessions. */
  readonly milliseconds: number;
}

/** The profile with the optimizer, which runs beside the engine as loops of its own. */
export function withUpdates({ operators, layers, milliseconds }: Profile, seconds: number, calls: number): Profile {
  const add = (shares: readonly Share[], name: string): Share[] =>
    [...shares, { name, milliseconds: 1000 * seconds, calls }].sort((a, b) => b.milliseconds - a.milliseconds);
  return {
    operators: add(operators, "update (fused loop)"),
    layers: add(layers, "optimizer"),
    milliseconds: milliseconds + 1000 * seconds,
  };
}

/** Sums the profiles below a folder. */
export function readProfile(folder: string): Profile {
  const operators = new Map<string, { milliseconds: number; calls: number }>();
  const layers = new Map<string, { milliseconds: number; calls: number }>();
  let total = 0;
  for (const file of readdirSync(folder)) {
    if (!/^session-.*\.json$/.test(file)) continue;
    for (const event of parseJson(readFileSync(join(folder, file), "utf8")) as Event[]) {
      const milliseconds = (event.dur ?? 0) / 1000;
      if (event.cat === "Session" && event.name === "model_run") total += milliseconds;
      if (event.cat !== "Node" || !event.name.endsWith("_kernel_time")) continue;
      add(operators, event.args?.op_name ?? "unknown", milliseconds);
      add(layers, layerOf(event.name), milliseconds);
    }
  }
  return { operators: sorted(operators), layers: sorted(layers), milliseconds: total };
}

/** `layers.0/Conv_3_kernel_time` belongs to `layers.0`; nodes that the engine made itself to none. */
function layerOf(name: string): string {
  const scope = /^(?:fused )?([^/]+)\//.exec(name)?.[1];
  return scope === undefined || scope === "graph" ? "other" : scope;
}

function add(sums: Map<string, { milliseconds: number; calls: number }>, name: string, milliseconds: number): void {
  const sum = sums.get(name) ?? { milliseconds: 0, calls: 0 };
  sum.milliseconds += milliseconds;
  sum.calls++;
  sums.set(name, sum);
}

const sorted = (sums: ReadonlyMap<string, { milliseconds: number; calls: number }>): Share[] =>
  Array.from(sums, ([name, sum]) => ({ name, ...sum })).sort((a, b) => b.milliseconds - a.milliseconds);
