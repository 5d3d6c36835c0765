/** What a run on a graphics card says of the nodes that the processor computes. */
import { plural } from "../../core/number-text.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import type { Placement } from "../../runtime/session.ts";
import type { RunObserver } from "./observer.ts";

/** The operators that are named; of more, only how many there are. */
const named = 6;

/** Where the nodes of a step are computed, in a sentence; nothing where the card computes all. */
export function placementText({ nodes, onProcessor }: Placement): string | undefined {
  const operators = Object.entries(onProcessor).sort(([, one], [, other]) => other - one);
  const count = operators.reduce((sum, [, own]) => sum + own, 0);
  if (count === 0) return undefined;
  const list = operators.slice(0, named).map(([operator, own]) => `${operator} ${own}`);
  const rest = operators.slice(named).reduce((sum, [, own]) => sum + own, 0);
  const all = rest > 0 ? [...list, `others ${rest}`] : list;
  return `${count} of ${plural(nodes, "node")} of a step ${count === 1 ? "is" : "are"} computed by the processor: ${all.join(", ")}`;
}

/** The compile options of training, which say once in a run, after its first batch, what the processor computes of a step on a card. */
export function tellingPlacement({
  compile,
  observer,
}: {
  readonly compile: CompileOptions;
  readonly observer: Pick<RunObserver, "onNote">;
}): CompileOptions {
  if (compile.device !== "webgpu" && compile.device !== "cuda") return compile;
  let isTold = false;
  return {
    ...compile,
    onPlacement(placement) {
      const text = isTold ? undefined : placementText(placement);
      if (text === undefined) return;
      isTold = true;
      observer.onNote?.(text);
    },
  };
}
