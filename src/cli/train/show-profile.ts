/** A profile as tables and as a record. */

import { percent, plural } from "../../core/number-text.ts";
import type { Profile, Share } from "../../runs/training/profile.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";

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
    showTable(columns, rows, output);
  }
  output.line();
  output.prose(
    `${((1000 * seconds) / batches).toFixed(2)} ms a batch over ${plural(batches, "batch", "batches")}, ${(milliseconds / batches).toFixed(2)} ms of them in the engine, ${(kernels / batches).toFixed(2)} ms in its operators`,
  );
  output.prose(
    `Each layer's forward and backward are together. Profiling itself costs time. Raw files: ${shownPath(folder)}`,
  );
}

const right = (head: string) => ({ head, align: "right" as const });
