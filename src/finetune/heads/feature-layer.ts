/** Where the features of a pretrained model are: what its last layer, which gives the scores, reads. */
import { nodesOf, type Value } from "../../graph/ir.ts";
import { type AnyModule, valuesOf } from "../../nn/index.ts";
import { learnedSources, linearUse, scoringNodes } from "../../transform/low-rank.ts";
import { inputTypesOf } from "../adapters/sites.ts";

/**
 * The layer whose output the scores of a model are made of, for `withHead(model, head, { at })`; `undefined` for a model that gives features
 * already. Throws OptionError for a model that was not traced.
 */
export function featureLayer(model: AnyModule): string | undefined {
  const { context, output } = model.trace(inputTypesOf(model));
  const outputs = valuesOf(output);
  const nodes = nodesOf(outputs);
  const sources = learnedSources(nodes, new Map(Array.from(context.values, ([own, value]) => [value, own])));
  const isLearned = (value: Value) => sources.has(value);
  const [scoring] = scoringNodes(outputs.slice(0, 1), isLearned);
  const use = scoring && linearUse(scoring, isLearned);
  if (!use) return undefined;
  const named = new Map<Value, string>();
  for (const node of nodes) if (node.scope) named.set(node.outputs[0], node.scope.path);
  for (const { path, outputs: own } of context.records) {
    const [only, ...others] = own;
    if (only && path !== "") named.set(only, path);
    for (const [i, value] of others.entries()) named.set(value, `${path}.${i + 1}`);
  }
  // Back through what only moves elements or drops some, to a value that has a name.
  for (let value: Value | undefined = use.form.x; value; value = value.producer?.inputs[0]) {
    const name = named.get(value);
    if (name !== undefined && name !== scoring.scope?.path) return name;
  }
  return undefined;
}
