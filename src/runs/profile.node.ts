/** ONNX Runtime's profiles of a run, summed by operator and by layer. */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CompileOptions } from "../jit/compile.ts";
import type { Output } from "../cli/output.ts";
import { shown } from "./run-folder.node.ts";
import { percent, table } from "../cli/text.ts";

/** Batches of a profile that was not given a number of epochs. */
export const profileBatches = 50;

/** The compile options of a profiled run: every session writes a file of its own below `folder`. */
export function profiled(compile: CompileOptions, folder: string): CompileOptions {
  mkdirSync(folder, { recursive: true });
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
    for (const event of JSON.parse(readFileSync(join(folder, file), "utf8")) as Event[]) {
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

/** Shows a profile of so many batches; `types` are the layers' types by path, `seconds` the time of the loop. */
export function showProfile(
  { operators, layers, milliseconds }: Profile,
  { batches, types, seconds, folder }: { batches: number; types: Map<string, string>; seconds: number; folder: string },
  output: Output,
): void {
  const perBatch = (share: Share) => ({ ...share, milliseconds: share.milliseconds / batches });
  const kernels = operators.reduce((sum, share) => sum + share.milliseconds, 0);
  output.record("profile", {
    batches,
    millisecondsPerBatch: (1000 * seconds) / batches,
    engineMillisecondsPerBatch: milliseconds / batches,
    operators: operators.map(perBatch),
    layers: layers.map((share) => ({ ...perBatch(share), type: types.get(share.name) })),
    folder,
  });
  const tables = [
    ["Operator", operators, (name: string) => name],
    ["Layer", layers, (name: string) => (types.has(name) ? `${name} ${types.get(name)}` : name)],
  ] as const;
  for (const [head, shares, nameOf] of tables) {
    output.line();
    const columns = [{ head }, ...["ms a batch", "share", "calls a batch"].map((name) => right(name))];
    const rows = shares.map(({ name, milliseconds: own, calls }) => [
      nameOf(name),
      (own / batches).toFixed(3),
      percent(own / kernels),
      (calls / batches).toFixed(calls % batches === 0 ? 0 : 1),
    ]);
    for (const line of table(columns, rows)) output.line(line);
  }
  output.line();
  output.prose(
    `${((1000 * seconds) / batches).toFixed(2)} ms a batch over ${batches} batches, ${(milliseconds / batches).toFixed(2)} ms of them in the engine, ${(kernels / batches).toFixed(2)} ms in its operators`,
  );
  output.prose(
    `Each layer's forward and backward are together. Profiling itself costs time. Raw files: ${shown(folder)}`,
  );
}

const right = (head: string) => ({ head, align: "right" as const });
