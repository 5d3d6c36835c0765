/** Plans which channels a model loses, before anything is cut. */
import { OptionError, unknownName } from "../../../core/errors.ts";
import { percent } from "../../../core/number-text.ts";
import {
  count,
  eitherOf,
  fraction,
  listOf,
  oneOf,
  pathPatternsType,
  positiveFraction,
} from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import { matchesPath, type PathPatterns } from "../../../core/path-pattern.ts";
import { size } from "../../../core/shape.ts";
import type { Batch, Dataset } from "../../../data/pipeline/dataset.ts";
import { inputsType, typesToTrace } from "../../../formats/files/export-onnx.ts";
import { sampleGraph } from "../../../formats/files/traced-graph.ts";
import { optimize, tidy } from "../../../jit/compile.ts";
import type { AnyModule, TypeTree } from "../../../nn/index.ts";
import type { LossSpec } from "../../../train/index.ts";
import { dataType, gradientData, lossType } from "../gradients.ts";
import { chooseByChannels, chooseByMacs, Extents, type Scored, type ScoredGroup } from "./choose.ts";
import { type FollowedGraph, followGraph } from "./follow.ts";
import { type Channel, type ChannelGroup, channelGroups, type ParameterPart, type UncutLayer } from "./groups.ts";
import {
  batchNormScales,
  type ChannelScore,
  channelScores,
  magnitudes,
  type ScoresOf,
  taylorChannels,
} from "./scores.ts";

/** A share of a model's multiply-adds that stays, chosen among all layers. */
export interface KeptMacs {
  /** The share, above 0 and below 1. */
  readonly macs: number;
  /** Share of its channels that every layer keeps, from 0; one stays in any case. Default 0.1. */
  readonly least?: number;
}

/** The same share of each layer's channels. */
export interface KeptChannels {
  /** The share, above 0 and below 1, rounded up. */
  readonly channels: number;
}

/** How much of a model stays. */
export type KeptShare = KeptMacs | KeptChannels;

/** Options of `planChannels` and `pruneChannels`. */
export interface PruneChannelsOptions {
  /** What stays, each in (0, 1): `{ macs: 0.5 }` of the multiply-adds, or `{ channels: 0.5 }` of the channels of every layer. */
  readonly keep: KeptShare;
  /**
   * What a channel is worth: `"magnitude"`, the size of its weights beside that of the others of its layers; `"taylor"`, the squared change of the
   * loss without it, to first order; `"bnScale"`, the scale that its batch normalization gives it, for models that were trained with a
   * penalty on these. Default `"magnitude"`.
   */
  readonly score?: ChannelScore;
  /** Batches for `"taylor"`, of the training part; a few hundred samples do. */
  readonly data?: Dataset<Batch>;
  /** The loss for `"taylor"`. */
  readonly loss?: LossSpec;
  /**
   * What stays of a layer's channels is a multiple of this, and a layer with fewer keeps them: processors with AVX-512 compute channels by 16, others by 8. Several
   * are tried in their order, until one allows the multiply-adds that `keep` asks for. Default 1.
   */
  readonly multiple?: number | readonly number[];
  /** Layers of which nothing is cut, by paths of their weights. Default none. */
  readonly exclude?: PathPatterns;
  /** Types of the inputs, nested as the model takes them; default those it was last applied to. */
  readonly inputs?: TypeTree;
}

const checkOptions = optionsOf<PruneChannelsOptions>("pruneChannels", {
  keep: required(
    eitherOf<KeptMacs, KeptChannels>(
      optionsOf<KeptMacs>("keep", { macs: required(positiveFraction), least: fraction }).type,
      optionsOf<KeptChannels>("keep", { channels: required(positiveFraction) }).type,
      "{ macs: 0.5 } or { channels: 0.5 }, above 0 and below 1",
    ),
  ),
  score: oneOf(...channelScores),
  data: dataType,
  loss: lossType,
  multiple: eitherOf<number, readonly number[]>(
    count(),
    listOf(count(), "whole numbers"),
    "a whole number from 1, or several",
  ),
  exclude: pathPatternsType,
  inputs: inputsType,
});

/** A number before and after. */
export interface BeforeAndAfter {
  readonly before: number;
  readonly after: number;
}

/** What layers that make the same channels lose. */
export interface PlannedGroup {
  /** Paths of their weights. */
  readonly weights: readonly string[];
  /** How many channels they make: units of a dense layer, heads of attention. */
  readonly channels: BeforeAndAfter;
  /** Elements of the weights. */
  readonly parameters: BeforeAndAfter;
  /** Multiply-adds of these layers, for one sample. */
  readonly macs: BeforeAndAfter;
  /** The highest score that was cut; `undefined` where nothing is. */
  readonly threshold: number | undefined;
  /** What is cut, channel by channel: indices of parameters, also of the layers that read the channels. */
  readonly cut: readonly (readonly ParameterPart[])[];
}

/** What a model would lose. */
export interface ChannelPlan {
  /** Layers whose channels can be cut, also those that lose none. */
  readonly groups: readonly PlannedGroup[];
  /** Layers of which nothing is cut, with the reason. */
  readonly uncut: readonly UncutLayer[];
  /** Elements of all parameters, buffers not counted. */
  readonly parameters: BeforeAndAfter;
  /** Multiply-adds of the whole model for one sample, or for the batch of `inputs` where the model takes no other. */
  readonly macs: BeforeAndAfter;
}

/**
 * Which channels a model loses, without cutting any. Channels are followed through the graph from the layers that make them to those that
 * read them: through normalization, residual sums, concatenations, grouped convolutions, flattening and heads of attention (the idea is
 * that of Fang et al. 2023, "DepGraph"). What cannot be followed is left whole, and `uncut` says why. Throws OptionError for a model of
 * which nothing can be cut, for a pattern that matches no parameter, and for more than can be cut; DataError for parameters without values.
 * @example const { groups, macs } = await planChannels(model, { keep: { macs: 0.5 }, multiple: [16, 8] });
 */
export async function planChannels(model: AnyModule, options: PruneChannelsOptions): Promise<ChannelPlan> {
  const { keep, score = "magnitude", data, loss, multiple = 1, exclude, inputs } = checkOptions(options);
  const given = gradientData("planChannels", { score, data, loss });
  const { graph, parameters } = sampleGraph(model, typesToTrace(model, inputs, "planChannels"));
  const followed = followGraph(optimize(graph, tidy), parameters);
  const paths = new Map(Array.from(parameters.keys(), (value) => [value, value.name ?? ""]));
  const all = channelGroups(followed, paths);
  const uncut = [...all.uncut];
  const refuse = ({ weights }: ChannelGroup, reason: string) => {
    for (const weight of weights) uncut.push({ weight, reason });
  };
  const patterns = exclude === undefined ? [] : [exclude].flat();
  const stray = patterns.find((pattern) => ![...paths.values()].some((path) => matchesPath(path, pattern)));
  if (stray !== undefined) throw unknownName("parameter", String(stray), paths.values());
  const allowed = all.groups.filter((group) => {
    const pattern = patterns.find((own) => group.weights.some((weight) => matchesPath(weight, own)));
    if (pattern !== undefined) refuse(group, `it is excluded by ${pattern}`);
    return pattern === undefined;
  });
  const scoresOf: ScoresOf = given
    ? await taylorChannels(model, given, allowed)
    : score === "bnScale"
      ? batchNormScales(model, followed)
      : magnitudes(model);
  const scored = allowed.flatMap((group): ScoredGroup[] => {
    const scores = scoresOf(group);
    if (!scores) refuse(group, "no batch normalization scales its channels");
    return scores ? [{ group, channels: sorted(group.channels, scores), isRelative: score === "magnitude" }] : [];
  });
  if (scored.length === 0)
    throw new OptionError(
      `planChannels: nothing of the model can be cut${uncut.length > 0 ? `: ${uncut[0]?.weight}: ${uncut[0]?.reason}` : ", which has no layer that makes channels"}`,
    );
  const multiples = [multiple].flat();
  const chosen =
    "macs" in keep
      ? byMacs(followed, scored, keep, multiples)
      : chooseByChannels(followed, scored, { least: keep.channels, multiple: multiples[0] ?? 1 });
  return { ...described(model, followed, scored, chosen), uncut };
}

/** By the first multiple that saves enough. Throws OptionError where none does. */
function byMacs(
  followed: FollowedGraph,
  scored: readonly ScoredGroup[],
  { macs: share, least = 0.1 }: KeptMacs,
  multiples: readonly number[],
) {
  let fewest = 1;
  for (const multiple of multiples) {
    const { chosen, left, isEnough } = chooseByMacs(followed, scored, { share, least, multiple });
    if (isEnough) return chosen;
    fewest = Math.min(fewest, left);
  }
  throw new OptionError(
    `planChannels: ${percent(share)} of the multiply-adds are to stay, and ${percent(fewest)} stay when all is cut that can be; pass a larger share, a smaller least or multiple, or exclude less`,
  );
}

const sorted = (channels: readonly Channel[], scores: readonly number[]): ScoredGroup["channels"] =>
  channels
    .map((channel, i) => [channel, scores[i] as number] as const)
    .sort(([a, first], [b, second]) => first - second || a.index - b.index);

function described(
  model: AnyModule,
  followed: FollowedGraph,
  scored: readonly ScoredGroup[],
  chosen: readonly (readonly Scored[])[],
): Omit<ChannelPlan, "uncut"> {
  const extents = new Extents(followed);
  extents.take(chosen.flatMap((own) => own.map(([channel]) => channel)));
  const lost = new Map<string, number[]>();
  for (const [{ parts }] of chosen.flat())
    for (const { path, axis, indices } of parts) {
      const own = lost.get(path) ?? [];
      own[axis] = (own[axis] ?? 0) + indices.length;
      lost.set(path, own);
    }
  const all = model.parameters();
  const sizes = (path: string): BeforeAndAfter => {
    const shape = all.get(path)?.shape ?? [];
    return { before: size(shape), after: size(shape.map((extent, axis) => extent - (lost.get(path)?.[axis] ?? 0))) };
  };
  const costs = new Map(followed.costs.map((cost) => [cost.node, cost]));
  const macsOf = (nodes: ChannelGroup["nodes"]): BeforeAndAfter => {
    const known = nodes.map((node) => ({ before: node.op.macs(node), cost: costs.get(node) }));
    return total(known.map(({ before, cost }) => ({ before, after: cost ? extents.macsOf(cost) : before })));
  };
  return {
    groups: scored.map(({ group }, i) => {
      const own = chosen[i] ?? [];
      return {
        weights: group.weights,
        channels: { before: group.channels.length, after: group.channels.length - own.length },
        parameters: total(group.weights.map(sizes)),
        macs: macsOf(group.nodes),
        threshold: own.at(-1)?.[1],
        cut: own.map(([{ parts }]) => parts),
      };
    }),
    parameters: total([...all].filter(([, { isBuffer }]) => !isBuffer).map(([path]) => sizes(path))),
    macs: macsOf(followed.graph.nodes),
  };
}

const total = (parts: readonly BeforeAndAfter[]): BeforeAndAfter =>
  parts.reduce((sum, own) => ({ before: sum.before + own.before, after: sum.after + own.after }), {
    before: 0,
    after: 0,
  });
