/** Which parameters of a model normalize, also where a file for inference has them as plain factors and sums. */
import { OptionError } from "../../core/errors.ts";
import { type Node, nodesOf, type Value } from "../../graph/ir.ts";
import { type AnyModule, type Parameter, valuesOf } from "../../nn/index.ts";
import { kindOf } from "../../ops/registry.ts";
import { learnedSources } from "../../transform/low-rank.ts";
import { inputTypesOf } from "../adapters/sites.ts";

/** Paths of what normalizes in a model. */
export interface NormalizationParameters {
  /** Factors and biases of normalizations. */
  readonly affine: readonly string[];
  /** Running statistics. */
  readonly statistics: readonly string[];
  /** Factors and sums of channels behind a convolution or a product, which a batch normalization was folded into. */
  readonly folded: readonly string[];
}

/** Finds what normalizes in a model's graph. Throws OptionError for a model that was not traced. */
export function normalizationParameters(model: AnyModule): NormalizationParameters {
  const { context, output } = model.trace(inputTypesOf(model));
  const nodes = nodesOf([...valuesOf(output), ...context.updates.values()]);
  const sources = learnedSources(nodes, new Map(Array.from(context.values, ([own, value]) => [value, own])));
  const pathOf = new Map(Array.from(model.parameters(), ([path, parameter]) => [parameter, path]));
  const found = { affine: new Set<string>(), statistics: new Set<string>(), folded: new Set<string>() };
  for (const node of nodes) {
    const learned = node.inputs.flatMap((value) => (value && sources.get(value)) || []);
    const isNorm = kindOf(node.op) === "normalization" && !/softmax/i.test(node.op.type);
    for (const parameter of isNorm || isFolded(node, sources) ? learned : []) {
      const path = pathOf.get(parameter);
      if (path === undefined) continue;
      found[parameter.isBuffer ? "statistics" : isNorm ? "affine" : "folded"].add(path);
    }
  }
  return { affine: [...found.affine], statistics: [...found.statistics], folded: [...found.folded] };
}

/** Whether a node scales or shifts the channels of what a convolution or a product gave, by a learned vector. */
function isFolded(node: Node, sources: ReadonlyMap<Value, Parameter>): boolean {
  if (!["Mul", "Add", "Sub", "Div"].includes(node.op.type)) return false;
  const [vector] = node.inputs.filter((value) => value && sources.has(value));
  const [data] = node.inputs.filter((value) => value && !sources.has(value));
  if (!vector || !data || vector.shape.filter((extent) => extent > 1).length !== 1) return false;
  const before = data.producer;
  // The sum right behind a product is its bias; a factor is a normalization's, and so is what follows it.
  return (
    before !== undefined &&
    (node.op.type === "Mul" || node.op.type === "Div"
      ? before.op.contracts || isFolded(before, sources)
      : isFolded(before, sources))
  );
}

/**
 * Freezes what normalizes: `"statistics"` keeps running statistics while factors and biases learn, `"all"` keeps those too, and what a batch
 * normalization was folded into by whoever wrote a file for inference. Returns how many tensors it froze. Throws OptionError where nothing
 * normalizes.
 * @example freezeNormalization(mobilenet, "all");
 */
export function freezeNormalization(model: AnyModule, what: "statistics" | "all" = "all"): number {
  const { affine, statistics, folded } = normalizationParameters(model);
  const paths = what === "all" ? [...affine, ...statistics, ...folded] : statistics;
  if (paths.length === 0)
    throw new OptionError(
      `freezeNormalization: the model has no ${what === "all" ? "normalization" : "running statistics"}; a batch normalization that is folded into the weights of a convolution is frozen with it: model.freeze("…")`,
    );
  const parameters = model.parameters();
  for (const path of paths) {
    const parameter = parameters.get(path);
    if (parameter) parameter.frozen = true;
  }
  return paths.length;
}
