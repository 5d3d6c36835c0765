/** The layers of a model that have parameters, in the order of the graph. */
import { UnsupportedError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { nodesOf, Value } from "../graph/ir.ts";
import type { Module, Parameter } from "../nn/index.ts";
import { ParameterInputs } from "../nn/parameter-inputs.ts";

/** Parameters of one layer: those whose paths differ in their last name alone, or that one node reads. */
export interface ParameterLayer {
  readonly path: string;
  readonly parameters: readonly (readonly [path: string, parameter: Parameter])[];
}

/** The layers with parameters, the last that the graph uses first. Buffers, such as running statistics, are of data and stay. */
export function layersFromTop<O>(
  where: string,
  model: Module<Value, O>,
  { dtype, shape }: Tensor,
): readonly ParameterLayer[] {
  const inputs = new ParameterInputs();
  const { output } = model.trace({ dtype, shape }, { bind: inputs.bind });
  const used = new Map<Value, number>();
  const outputs = output instanceof Value ? [output] : Object.values(output as Record<string, Value>);
  for (const [at, node] of nodesOf(outputs).entries())
    for (const value of node.inputs) if (value && !used.has(value)) used.set(value, at);
  const byNode = new Map<number | undefined, string>();
  const layers = new Map<string, { last: number; parameters: [string, Parameter][] }>();
  for (const [path, parameter] of model.parameters()) {
    const value = inputs.valueOf(parameter);
    if (parameter.isBuffer || !value) continue;
    if (parameter.packed)
      throw new UnsupportedError(
        `${where}: parameter "${path}" is packed in fewer bits; take the model before it is quantized`,
      );
    // A file may name weights without the layers that they are of: those of one node are of one layer.
    const name = path.slice(0, Math.max(0, path.lastIndexOf("."))) || (byNode.get(used.get(value)) ?? path);
    byNode.set(used.get(value), name);
    const own = layers.get(name) ?? { last: -1, parameters: [] };
    layers.set(name, own);
    own.last = Math.max(own.last, used.get(value) ?? -1);
    own.parameters.push([path, parameter]);
  }
  return [...layers].sort(([, a], [, b]) => b.last - a.last).map(([path, { parameters }]) => ({ path, parameters }));
}
