/** Which layers ran in a traced call, what they gave, and which parameters are theirs: of modules, and of the graphs of files. */
import { isFloat } from "../../core/dtype.ts";
import { unknownName } from "../../core/errors.ts";
import { matchesPath, type PathPatterns } from "../../core/path-pattern.ts";
import { ImportedModule } from "../../formats/imported-module.ts";
import { type Node, nodesOf, type Scope, type Value } from "../../graph/ir.ts";
import type { Context, LayerRecord } from "../../nn/context.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { Cast, Conv, Flatten, Identity, Reshape, Squeeze, Transpose, Unsqueeze } from "../../ops/index.ts";

/** One output of a layer. */
export interface ObservedLayer {
  /** Its path in the model, or its name in the file; a later run of it is `path#2`, of several outputs the i-th `path.i`. */
  readonly path: string;
  /** Its class, `Dense`, or the operator of a file that gives the output. */
  readonly type: string;
  /** Floats, [N, …]. */
  readonly output: Value;
  /** The axis of `output` that counts its units: 1 of images, the last of rows and sequences. */
  readonly unitAxis: number;
  /** Its own parameters without buffers, with the values that stand for them; each at the first output of its first run only. */
  readonly parameters: readonly (readonly [Parameter, Value])[];
}

type Found = Omit<ObservedLayer, "unitAxis"> & { readonly isConvolution: boolean; readonly keepsUnits: boolean };

/** Operators that compute nothing new. */
const moving = [Reshape, Flatten, Transpose, Squeeze, Unsqueeze, Cast, Identity];
/** Layers whose output has the units of what they were given. */
const pointwise = ["activation", "normalization", "regularization", "pooling"];

/** Values that depend on the data. */
function activeValues(outputs: readonly Value[], data: readonly Value[]): ReadonlySet<Value> {
  const active = new Set(data);
  for (const node of nodesOf(outputs))
    if (node.inputs.some((value) => value && active.has(value))) for (const value of node.outputs) active.add(value);
  return active;
}

/** The layers of a file: what its nodes of one name give to those of others, in the order in which they are computed. */
function layersOfFile(
  path: string,
  outputs: readonly Value[],
  active: ReadonlySet<Value>,
  { own, context }: { readonly own: ReadonlySet<Scope>; readonly context: Context },
): readonly Found[] {
  const parameterOf = new Map(Array.from(context.values, ([parameter, value]) => [value, parameter] as const));
  const last = new Map<Scope, Node>();
  const parameters = new Map<Scope, Map<Parameter, Value>>();
  const leaving = new Set<Value>(outputs);
  const nodes = nodesOf(outputs);
  for (const node of nodes)
    for (const value of node.inputs) if (value?.producer && value.producer.scope !== node.scope) leaving.add(value);
  for (const node of nodes) {
    const { scope, op } = node;
    if (!scope || own.has(scope)) continue;
    const bound = parameters.get(scope) ?? new Map<Parameter, Value>();
    parameters.set(scope, bound);
    for (const value of node.inputs) {
      if (!value || active.has(value)) continue;
      // A weight may be cast or transposed on its way.
      const before = [value, ...nodesOf([value]).flatMap(({ inputs }) => inputs)];
      for (const weight of before) {
        const parameter = weight && parameterOf.get(weight);
        if (parameter && !parameter.isBuffer) bound.set(parameter, weight);
      }
    }
    if (node.outputs.some((value) => leaving.has(value) && active.has(value)) && !moving.includes(op))
      last.set(scope, node);
  }
  return Array.from(last, ([scope, { op, outputs: given }]) => ({
    path: [path, scope.path].filter(Boolean).join("."),
    type: op.type,
    output: given[0],
    parameters: [...(parameters.get(scope) ?? [])],
    isConvolution: op === Conv,
    keepsUnits: op.kind === undefined ? false : pointwise.includes(op.kind),
  }));
}

/** Every layer of a call: what computes, not what only holds others or moves elements. */
function found(context: Context, data: readonly Value[], records: readonly LayerRecord[]): readonly Found[] {
  const active = activeValues(
    records.flatMap(({ outputs }) => outputs),
    data,
  );
  const own = new Set(records.map(({ scope }) => scope));
  const taken = new Set<Parameter>();
  return records.flatMap(({ module, path, kind, outputs }): readonly Found[] => {
    if (module instanceof ImportedModule) return layersOfFile(path, outputs, active, { own, context });
    const parameters = Array.from(module.own.values()).flatMap((parameter) => {
      const value = context.values.get(parameter);
      return value && !parameter.isBuffer && !taken.has(parameter) ? [[parameter, value] as const] : [];
    });
    if (kind === "reshape" || (kind === "container" && parameters.length === 0)) return [];
    for (const [parameter] of parameters) taken.add(parameter);
    return outputs.map((output, i) => ({
      path: outputs.length === 1 ? path : `${path}.${i}`,
      type: module.constructor.name,
      output,
      parameters: i === 0 ? parameters : [],
      isConvolution: kind === "convolution",
      keepsUnits: pointwise.includes(kind),
    }));
  });
}

/** Which layers of a traced call are meant. */
export interface Observation {
  /** The graph inputs of the batch. */
  readonly data: readonly Value[];
  /** Of the paths; default all layers. */
  readonly layers?: PathPatterns | undefined;
  /** What ran of the model that is observed; default all of the call. */
  readonly records?: readonly LayerRecord[];
  /** The path of that model within what was called, which is left out of the layers' paths; default none. */
  readonly root?: string;
  /** Only outputs with so many rows; default any. */
  readonly samples?: number;
}

/**
 * The layers of a traced call whose outputs are floats that depend on the data, in the order in which they ran; the model itself, where it is
 * one layer, is called `model`. Throws OptionError, with the nearest path, for a pattern that none matches.
 */
export function observedLayers(
  context: Context,
  { data, layers, records = context.records, root = "", samples }: Observation,
): readonly ObservedLayer[] {
  const pathBelow = (path: string) => (root === "" ? path : path.slice(root.length + 1)) || "model";
  const runs = new Map<string, number>();
  let before: { readonly output: Value; readonly unitAxis: number } | undefined;
  const all = found(context, data, records)
    .filter(({ output: { dtype, rank, shape } }) => isFloat(dtype) && rank > 0 && shape[0] === (samples ?? shape[0]))
    .map(({ isConvolution, keepsUnits, ...layer }): ObservedLayer => {
      const path = pathBelow(layer.path);
      const run = (runs.get(path) ?? 0) + 1;
      runs.set(path, run);
      const { rank } = layer.output;
      // Of rank 3 are sequences [N, time, width], and what convolutions of one axis give, [N, channels, length].
      const follows = keepsUnits && before?.output.rank === 3 && rank === 3 ? before.unitAxis : rank - 1;
      const unitAxis = rank > 3 || (rank === 3 && isConvolution) ? 1 : follows;
      before = { output: layer.output, unitAxis };
      return { ...layer, path: run === 1 ? path : `${path}#${run}`, unitAxis };
    });
  if (layers === undefined) return all;
  const patterns = [layers].flat() as readonly (string | RegExp)[];
  const stray = patterns.find((pattern) => !all.some(({ path }) => matchesPath(path, pattern)));
  if (stray !== undefined)
    throw unknownName(
      "layer",
      String(stray),
      all.map(({ path }) => path),
    );
  return all.filter(({ path }) => patterns.some((pattern) => matchesPath(path, pattern)));
}
