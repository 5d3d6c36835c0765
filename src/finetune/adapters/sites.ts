/** Where adapters can stand: the weights of a model that its layers use linearly. */
import { OptionError } from "../../core/errors.ts";
import { matching } from "../../core/option-types.ts";
import { type Node, nodesOf, type Value } from "../../graph/ir.ts";
import {
  type AdaptedRun,
  type AnyModule,
  type Parameter,
  type Trace,
  type TypeTree,
  valuesOf,
} from "../../nn/index.ts";
import { kindOf } from "../../ops/registry.ts";
import {
  type AdapterSite,
  type AdapterTargets,
  defaultTargets,
  isNamed,
  isTarget,
  targetList,
} from "../../transform/adapter-targets.ts";
import { type LinearUse, learnedSources, linearUse, scoringNodes, wholeSource } from "../../transform/low-rank.ts";
import type { Place, Placed } from "./method.ts";

/** A weight that a module uses linearly. */
export interface WeightSite extends AdapterSite, Place {
  readonly parameter: Parameter;
  /** How it is used in the trace in which it was found, where this value stood for it. */
  readonly use: LinearUse;
  readonly source: Value;
  /** The bias that the same node adds, where it does. */
  readonly bias?: { readonly parameter: Parameter; readonly source: Value };
}

/** The types of a model's inputs. Throws OptionError for a model that was never traced. */
export function inputTypesOf(model: AnyModule): TypeTree {
  if (model.inputTypes === undefined)
    throw new OptionError(
      'the model has not seen inputs yet, so its layers are not known; trace it first: model.trace({ dtype: "float32", shape: [1, 4] })',
    );
  return model.inputTypes;
}

/** The weights that a traced model uses linearly, in the order of the graph. */
export function weightSites(model: AnyModule, trace: Trace<unknown>): readonly WeightSite[] {
  const { context, output } = trace;
  const outputs = valuesOf(output);
  const nodes = nodesOf(outputs);
  const sources = learnedSources(nodes, new Map(Array.from(context.values, ([own, value]) => [value, own])));
  const isLearned = (value: Value) => sources.has(value);
  const scoring = scoringNodes(outputs, isLearned);
  const modules = model.modules();
  const owners = new Map([...modules.keys()].flatMap((own) => Array.from(own.own.values(), (item) => [item, own])));
  const runs = new Map(context.records.map(({ scope, module }) => [scope, module]));
  const found = new Map<string, WeightSite>();
  for (const node of nodes) {
    const use = linearUse(node, isLearned);
    const parameter = use && wholeSource(use, sources);
    const module = (node.scope && runs.get(node.scope)) ?? (parameter && owners.get(parameter));
    if (!use || !parameter || !module) continue;
    const path = modules.get(module) ?? "";
    const prefix = module.own.get(parameter.name) === parameter ? prefixOf(parameter.name) : "";
    const name = [path, prefix].filter(Boolean).join(".") || "model";
    const others = node.scope && node.scope.path !== name ? [node.scope.path] : [];
    if (found.has(name)) continue;
    found.set(name, {
      name,
      names: [name, ...others],
      isDense: kindOf(node.op) === "dense",
      givesScores: scoring.has(node),
      module,
      parameter,
      prefix,
      use,
      source: context.values.get(parameter) as Value,
      ...biasOf(node, sources, context.values),
    });
  }
  return [...found.values()];
}

export const targetsType = matching<AdapterTargets>(
  '"all-linear", a target such as "q_proj" or "layers.*.query", or a list of them',
  (given) => [given].flat().every((own) => typeof own === "string" || own instanceof RegExp),
);

/** The sites that targets choose. Throws OptionError for a target that matches none. */
export function chosenSites(model: AnyModule, targets: AdapterTargets | undefined): readonly WeightSite[] {
  const sites = weightSites(model, model.trace(inputTypesOf(model)));
  const chosen = sites.filter((site) => isTarget(site, targets));
  if (chosen.length === 0 && targetList(targets).length === 0) throw noTarget("no layer has one of the usual names");
  if (chosen.length === 0 && targets === undefined)
    throw noTarget(`no layer has one of the usual names (${defaultTargets.join(", ")})`);
  for (const target of targets === undefined ? [] : targetList(targets))
    if (!sites.some((site) => isTarget(site, target))) throw noTarget(whyNot(model, target));
  return chosen;

  function noTarget(why: string): OptionError {
    const usable = sites.map(({ name }) => name);
    const shown = usable.length > 8 ? [...usable.slice(0, 4), "…", ...usable.slice(-3)] : usable;
    return new OptionError(
      `adapter: ${why}; pass targets among the layers that can be adapted, ${shown.join(", ") || "of which there are none"}`,
    );
  }
}

/** Why a target matches no layer that can be adapted. */
function whyNot(model: AnyModule, target: string | RegExp): string {
  const named = [...model.modules()].find(([, path]) => path !== "" && isNamed([path], target));
  if (!named) return `the target ${typeof target === "string" ? `"${target}"` : String(target)} matches no layer`;
  const [module, path] = named;
  return `"${path}" is a ${module.constructor.name}, which has no weight that an adapter could stand beside`;
}

/** The outputs of a run with others in place of what the nodes give that use adapted weights. */
export function rewriteUses(
  outputs: readonly Value[],
  run: AdaptedRun,
  placed: readonly Placed<WeightSite>[],
  replace: (use: LinearUse, own: Placed<WeightSite>) => Value,
): readonly Value[] {
  const learned = new Map(Array.from(run.context.values, ([own, value]) => [value, own]));
  const sources = learnedSources(nodesOf(outputs, new Set(run.inputs)), learned);
  const byParameter = new Map(placed.map((own) => [own.place.parameter, own]));
  return run.rewrite(outputs, (node) => {
    const use = run.made(node) ? linearUse(node, (value) => sources.has(value)) : undefined;
    const parameter = use && wholeSource(use, sources);
    const own = parameter && byParameter.get(parameter);
    return use && own ? [replace(use, own)] : undefined;
  });
}

/** The vector that a node adds to what it gives, as it is stored. */
function biasOf(
  { inputs }: Node,
  sources: ReadonlyMap<Value, Parameter>,
  values: ReadonlyMap<Parameter, Value>,
): Pick<WeightSite, "bias"> {
  const vector = inputs.find((value) => value?.rank === 1 && sources.has(value));
  const parameter = vector && sources.get(vector);
  return vector && parameter && values.get(parameter) === vector ? { bias: { parameter, source: vector } } : {};
}

/** `query` of `query.weight`; nothing of `weight` alone. */
const prefixOf = (name: string): string => name.replace(/(^|\.)weight$/, "");
