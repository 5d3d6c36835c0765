/** Low-rank adaptation as a what-if: a narrow path beside each chosen weight, everything else frozen (Hu et al. 2021). */

import { bytesPerElement } from "../../core/dtype.ts";
import { OptionError } from "../../core/errors.ts";
import { count, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { size } from "../../core/shape.ts";
import { type Graph, graphOf, input, type Value } from "../../graph/ir.ts";
import { assignScope, rewrite } from "../../graph/rewrite.ts";
import { kindOf } from "../../ops/registry.ts";
import { type AdapterSite, defaultTargets, isTarget } from "../../transform/adapter-targets.ts";
import {
  type LinearUse,
  learnedSources,
  linearUse,
  lowRankOutput,
  scoringNodes,
  wholeSource,
} from "../../transform/low-rank.ts";
import { flowOf } from "../networks/flow.ts";
import { formulaOf } from "../networks/formula.ts";
import { type Network, type NetworkParameter, parameterValues } from "../networks/network.ts";

/** Options of `withLora`. */
export interface LoraOptions {
  /** Inner extent of the narrow path. */
  readonly rank: number;
  /** Layers to adapt: paths with `*`, last parts of paths, `all-linear`; several with commas. Default `defaultTargets`. */
  readonly targets?: string | undefined;
}

/** The two small matrices beside one weight. */
interface LowRankAdapter {
  readonly layer: string;
  readonly values: readonly [a: Value, b: Value];
}

const checkOptions = optionsOf<LoraOptions>("withLora", { rank: required(count()), targets: string });

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
  const chosen = targets?.split(",").map((target) => target.trim());
  // Nodes of the rewritten graphs are new: scores are known by the layers that give them.
  const { forward: plain } = network.graphs;
  const scoring = new Set(
    [...scoringNodes(plain.outputs, flowOf(plain, parameterValues(network)).isLearned)].map(({ scope }) => scope?.path),
  );
  // Graphs that share weights share their adapters.
  const adapters = new Map<Value, LowRankAdapter>();
  const adapt = (graph: Graph): Graph => {
    const { isLearned } = flowOf(graph, parameterValues(network));
    const sources = learnedSources(graph.nodes, new Map([...parameterValues(network)].map((value) => [value, value])));
    const { outputs } = rewrite(graph.outputs, (node) => {
      const layer = node.scope && layerOf.get(node.scope.path);
      const use = layer === undefined ? undefined : linearUse(node, isLearned);
      const source = use && wholeSource(use, sources);
      if (!source || layer === undefined || !isTarget(siteOf(layer, use, scoring), chosen)) return undefined;
      const [a, b] = use.form.shapes(rank);
      const known = adapters.get(source) ?? {
        layer,
        values: [input(use.weight.dtype, a, `${layer}.lora_A`), input(use.weight.dtype, b, `${layer}.lora_B`)] as const,
      };
      adapters.set(source, known);
      const output = lowRankOutput(use, { a: known.values[0], b: known.values[1] });
      assignScope([output], node.scope);
      return [output];
    });
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
    graphs: { ...network.graphs, forward, training, plain: network.graphs.plain ?? network.graphs.forward },
  };
}

const siteOf = (layer: string, { node }: LinearUse, scoring: ReadonlySet<string | undefined>): AdapterSite => ({
  names: [layer],
  isDense: kindOf(node.op) === "dense",
  givesScores: scoring.has(node.scope?.path),
});

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
