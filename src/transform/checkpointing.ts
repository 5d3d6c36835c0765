/** Which results of a step's way forward are kept for the way back, and which are computed again: by module, or by what they cost. */
import { OptionError } from "../core/errors.ts";
import { matchesPath } from "../core/path-pattern.ts";
import { bytesOf, type Node, type Scope, type Value } from "../graph/ir.ts";
import { isView, storageOf } from "../ops/registry.ts";
import { namedBlocks } from "./named-blocks.ts";
import { type Group, type Groups, isTied, join, type Step } from "./recompute.ts";

/** The part of a step that a node is in: what other parts read of it is kept. `undefined` where everything is. */
export type Segments = (node: Node) => string | undefined;

/** Multiply-adds of a product in the time that one byte of a result takes on its way to memory. */
const workOfByte = 20;
/** A result so many times smaller than what it is computed from, such as a mean, is kept. */
const muchSmaller = 32;

/** What computing a node takes, in multiply-adds: its products, and the way of its results to memory. */
export const workOf = (node: Node): number =>
  node.op.macs(node) +
  (node.inputs.length === 0 || isView(node.op) ? 0 : workOfByte * node.outputs.reduce((sum, y) => sum + bytesOf(y), 0));

/**
 * The results that are computed again: those within a segment whose computing, from what is kept, takes at most so many multiply-adds for each
 * of their bytes. With no bound all but what other segments read (Chen et al. 2016, sec. 4).
 */
export function checkpointed(step: Step, segmentOf: Segments, mostWork: (segment: string) => number): Groups {
  const [crossing, readers] = readersOf(step, segmentOf);
  for (const value of step.forward) crossing.add(storageOf(value));
  const groups = new Map<Value, Group>();
  /** What computing a value again takes, from what is kept. */
  const works = new Map<Value, number>();
  const varying = new Set<Value>();
  for (const node of step.before) {
    const operands = node.inputs.flatMap((value) => (value ? [storageOf(value)] : []));
    if (!operands.some((value) => !value.producer || varying.has(value))) continue;
    for (const y of node.outputs) varying.add(y);
    const segment = segmentOf(node);
    const again = operands.filter((value) => groups.has(value));
    if (isView(node.op) || segment === undefined || !(again.length > 0 || operands.some(isTied))) continue;
    const most = Math.max(0, ...operands.map((value) => (value.producer ? bytesOf(value) : 0)));
    const bytes = node.outputs.reduce((sum, y) => sum + bytesOf(y), 0);
    // What several read is made once for them.
    const work = again.reduce((sum, y) => sum + (works.get(y) ?? 0) / (readers.get(y) ?? 1), workOf(node));
    const isDear = work > mostWork(segment) * bytes && node.outputs.some((y) => step.kept.has(y));
    if (isDear || node.outputs.some((y) => crossing.has(y)) || bytes * muchSmaller <= most) continue;
    join(groups, node.outputs, again);
    for (const y of node.outputs) works.set(y, work);
  }
  return groups;
}

/** Values that another segment reads than their own, and how many nodes read each value. */
function readersOf({ before }: Step, segmentOf: Segments): readonly [Set<Value>, ReadonlyMap<Value, number>] {
  const crossing = new Set<Value>();
  const readers = new Map<Value, number>();
  for (const node of before) {
    if (isView(node.op)) continue;
    const segment = segmentOf(node);
    for (const operand of node.inputs) {
      const value = operand && storageOf(operand);
      if (!value?.producer) continue;
      readers.set(value, (readers.get(value) ?? 0) + 1);
      if (segmentOf(value.producer) !== segment) crossing.add(value);
    }
  }
  return [crossing, readers];
}

/** The modules that match, each run of one by itself. Throws OptionError for a pattern that nothing matches. */
export function segmentsOfModules(step: Step, patterns: readonly (string | RegExp)[]): Segments {
  const paths = new Set([...step.before].flatMap(({ scope }) => (scope ? ancestors(scope.path) : [])));
  const unused = patterns.find((pattern) => ![...paths].some((path) => matchesPath(path, pattern)));
  if (unused !== undefined)
    throw new OptionError(
      `checkpoint names "${unused}", and no module of the model has such a path; pass one such as "${[...paths][0] ?? "layers.0"}"`,
    );
  return segmentsBy(step, (path) =>
    ancestors(path).find((own) => patterns.some((pattern) => matchesPath(own, pattern))),
  );
}

/** A path's modules, outermost first: `h`, `h.0`, `h.0.attn`. */
const ancestors = (path: string): readonly string[] =>
  path.split(".").map((_, i, parts) => parts.slice(0, i + 1).join("."));

/** The blocks that an architecture repeats; all layers as one segment where there are none. */
export function segmentsOfBlocks(step: Step): { readonly segmentOf: Segments; readonly names: readonly string[] } {
  const runs = new Map<string, Set<Scope>>();
  for (const { op, scope } of step.before)
    if (scope && op.contracts) runs.set(scope.path, (runs.get(scope.path) ?? new Set()).add(scope));
  const blocks = namedBlocks(new Map(Array.from(runs, ([path, scopes]) => [path, scopes.size])));
  const paths = blocks.map(({ path }) => path);
  const segmentOf =
    paths.length > 1
      ? segmentsBy(step, (path) => paths.find((block) => path === block || path.startsWith(`${block}.`)))
      : ({ scope }: Node) => (scope?.path === "loss" ? undefined : "");
  const names = new Set([...step.before].flatMap((node) => segmentOf(node) ?? []));
  return { segmentOf, names: [...names] };
}

/** Segments by what the paths of layers say; a layer that runs several times has a segment for each run. */
function segmentsBy({ before }: Step, segmentOfPath: (path: string) => string | undefined): Segments {
  const known = new Map<Scope, string | undefined>();
  const runs = new Map<string, number>();
  for (const { scope } of before) {
    if (!scope || known.has(scope)) continue;
    const run = runs.get(scope.path) ?? 0;
    runs.set(scope.path, run + 1);
    const segment = segmentOfPath(scope.path);
    known.set(scope, segment === undefined || run === 0 ? segment : `${segment} (run ${run + 1})`);
  }
  return ({ scope }) => scope && known.get(scope);
}
