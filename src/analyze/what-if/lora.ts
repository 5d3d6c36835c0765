/** Low-rank adaptation as a what-if: a narrow path beside each chosen weight, everything else frozen (Hu et al. 2021). */

import { bytesPerElement } from "../../core/dtype.ts";
import { OptionError } from "../../core/errors.ts";
import { count, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { size } from "../../core/shape.ts";
import { type Graph, graphOf, type Node, type Value } from "../../graph/ir.ts";
import { matchesPath } from "../../nn/index.ts";
import { addLowRankPaths, type LowRankAdapter } from "../../transform/low-rank.ts";
import { flowOf } from "../networks/flow.ts";
import { formulaOf } from "../networks/formula.ts";
import { type Network, type NetworkParameter, parameterValues } from "../networks/network.ts";

/** Options of `withLora`. */
export interface LoraOptions {
  /** Inner extent of the narrow path. */
  readonly rank: number;
  /** Layers to adapt: paths with `*`, several with commas; default `defaultTargets`. */
  readonly targets?: string | undefined;
}

const checkOptions = optionsOf<LoraOptions>("withLora", { rank: required(count()), targets: string });

/**
 * Last parts of the names of the layers that PEFT adapts where nothing is said: the query and value projections, in the
 * families' own words (peft.utils.constants, TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING).
 */
export const defaultTargets = ["q_proj", "v_proj", "query", "value", "q_lin", "v_lin", "q", "v", "c_attn", "in_proj"];

/**
 * The network with low-rank adapters beside the chosen layers, and everything else frozen (Hu et al. 2021): each adds B
 * A with A [rank, in] and B [out, rank]. Throws OptionError when no layer that can be adapted matches.
 * @example
 * const adapted = withLora(network, { rank: 8, targets: "*.q_proj, *.v_proj" });
 */
export function withLora(network: Network, options: LoraOptions): Network {
  const { rank, targets } = checkOptions(options);
  if (!network.graphs)
    throw new OptionError("LoRA needs to know the layers, and a file of weights has none; give its config.json too");
  const layerOf = new Map(network.layers.flatMap(({ name, scopes }) => scopes.map(({ path }) => [path, name])));
  const isTarget = (name: string): boolean =>
    targets === undefined
      ? defaultTargets.includes(name.slice(name.lastIndexOf(".") + 1))
      : targets.split(",").some((pattern) => matchesPath(name, pattern.trim()));
  const adapters = new Map<Value, LowRankAdapter>();
  const adapt = (graph: Graph): Graph => {
    const { isLearned } = flowOf(graph, parameterValues(network));
    const chosen = (node: Node) => {
      const layer = node.scope && layerOf.get(node.scope.path);
      return layer !== undefined && isTarget(layer) ? layer : undefined;
    };
    const outputs = addLowRankPaths(graph.outputs, { rank, layerOf: chosen, isLearned }, adapters);
    return graphOf([...graph.inputs, ...[...adapters.values()].flatMap(({ values }) => values)], outputs);
  };
  const forward = adapt(network.graphs.forward);
  const training = network.graphs.training && adapt(network.graphs.training);
  if (adapters.size === 0) throw noTargets(network, targets);
  const made = [...adapters.values()];
  return {
    ...network,
    parameters: [
      ...network.parameters.map((parameter) => ({ ...parameter, trainable: false })),
      ...made.flatMap(({ layer, values }) => values.map((value, i) => adapterParameter(layer, value, i))),
    ],
    layers: network.layers.map((layer) => {
      const shapes = made
        .filter((adapter) => adapter.layer === layer.name)
        .flatMap(({ values }) => values.map((v) => v.shape));
      return shapes.length === 0
        ? layer
        : { ...layer, formula: [layer.formula, formulaOf(shapes)].filter(Boolean).join(" + ") };
    }),
    // Adapters can be merged into the weights that they stand beside: they make a network no deeper.
    graphs: { forward, training, plain: network.graphs.plain ?? network.graphs.forward },
  };
}

const adapterParameter = (layer: string, value: Value, index: number): NetworkParameter => ({
  name: `${layer}.lora_${"AB"[index]}.weight`,
  layer,
  shape: value.shape,
  elements: size(value.shape),
  type: value.dtype,
  bits: 8 * bytesPerElement(value.dtype),
  isBuffer: false,
  trainable: true,
  value,
});

function noTargets({ layers }: Network, targets: string | undefined): OptionError {
  const dense = layers.filter(({ kind }) => kind === "dense" || kind === "convolution").map(({ name }) => name);
  const examples = dense.length > 6 ? [...dense.slice(0, 5), "…"] : dense;
  const what =
    targets === undefined
      ? `no layer has one of the usual names (${defaultTargets.join(", ")})`
      : `no layer that can be adapted matches "${targets}"`;
  return new OptionError(
    `LoRA: ${what}; pass --lora-targets with a pattern of layers, which here are ${examples.join(", ")}`,
  );
}
