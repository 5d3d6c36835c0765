/** Which nodes a device left to the processor, as the engine itself says: by the profile of a graph's first run, and of that alone. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompiledAs, FirstRun, Placement } from "./session.ts";

/** What is read of a line of a profile, the trace format of Chromium. */
interface TraceEvent {
  readonly cat?: string;
  readonly name?: string;
  readonly args?: { readonly op_name?: string; readonly provider?: string };
}

/** What the engine puts in between providers: no node of the graph. */
const copies = /^Memcpy(?:From|To)Host$/;

/** Where the nodes of a profiled run were computed. A node that ran several times, in a loop, counts once. */
export function placementOf(profile: string): Placement {
  const nodes = new Map<string, { readonly op: string; readonly provider: string }>();
  for (const { cat, name = "", args } of JSON.parse(profile) as readonly TraceEvent[]) {
    const { op_name: op, provider } = args ?? {};
    if (cat !== "Node" || !name.endsWith("_kernel_time") || !op || !provider || copies.test(op)) continue;
    nodes.set(name, { op, provider });
  }
  const onProcessor: Record<string, number> = {};
  for (const { op, provider } of nodes.values())
    if (provider === "CPUExecutionProvider") onProcessor[op] = (onProcessor[op] ?? 0) + 1;
  return { nodes: nodes.size, onProcessor };
}

/** A profile of the first run, which is read, deleted and told; nothing where nobody asks. What cannot be written or read is not told. */
export function firstRunFor({ onPlacement }: CompiledAs): { readonly firstRun?: FirstRun } {
  if (!onPlacement) return {};
  let folder: string;
  try {
    folder = mkdtempSync(join(tmpdir(), "sardonyx-placement-"));
  } catch {
    return {};
  }
  return {
    firstRun: {
      prefix: join(folder, "run"),
      ended(ran) {
        let placement: Placement | undefined;
        try {
          const [file] = ran ? readdirSync(folder) : [];
          if (file !== undefined) placement = placementOf(readFileSync(join(folder, file), "utf8"));
        } catch {
          // The run itself is as it should be.
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
        if (placement) onPlacement(placement);
      },
    },
  };
}
