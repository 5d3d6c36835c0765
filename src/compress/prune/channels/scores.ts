/** Scores of channels: how much a model would lose with each. */
import { stridesOf } from "../../../core/shape.ts";
import type { Tensor } from "../../../core/tensor.ts";
import type { AnyModule } from "../../../nn/index.ts";
import { knownValue } from "../../../nn/parameter-inputs.ts";
import { BatchNormalization } from "../../../ops/normalization/normalization.ts";
import { eachGradient, type GradientData } from "../gradients.ts";
import type { FollowedGraph } from "./follow.ts";
import type { Channel, ChannelGroup, ParameterPart } from "./groups.ts";

/** How channels are scored. */
export const channelScores = ["magnitude", "taylor", "bnScale"] as const;
/** What a channel is worth: the size of its weights, the change of the loss without it, or the scale of its normalization. */
export type ChannelScore = (typeof channelScores)[number];

/** The scores of a group's channels, in their order; `undefined` of a group that this score says nothing of. */
export type ScoresOf = (group: ChannelGroup) => readonly number[] | undefined;

/** The root of the sum of squares of all that a channel is of the parameters, over the mean of its group (Fang et al. 2023, equation 4). */
export function magnitudes(model: AnyModule): ScoresOf {
  const parameters = model.parameters();
  return ({ channels }) => {
    const norms = channels.map(({ parts }) => {
      let sum = 0;
      for (const part of parts) {
        const parameter = parameters.get(part.path);
        if (!parameter || parameter.isBuffer) continue;
        const tensor = knownValue(parameter);
        eachElement(tensor, part, (at) => {
          sum += Number(tensor.data[at]) ** 2;
        });
      }
      return Math.sqrt(sum);
    });
    const mean = norms.reduce((sum, norm) => sum + norm, 0) / norms.length;
    return norms.map((norm) => (mean === 0 ? 0 : norm / mean));
  };
}

/**
 * The mean over batches of Σ (Σ gradient · weight)², the inner sum over what a channel is of one parameter: the squared change of the loss,
 * to first order, when that becomes zero (Molchanov et al. 2019, "Importance estimation for neural network pruning", equation 8).
 */
export async function taylorChannels(
  model: AnyModule,
  given: GradientData,
  groups: readonly ChannelGroup[],
): Promise<ScoresOf> {
  const parameters = model.parameters();
  const sums = new Map<Channel, number>(
    groups.flatMap(({ channels }) => channels.map((channel) => [channel, 0] as const)),
  );
  let batches = 0;
  await eachGradient(model, given, (gradients) => {
    batches++;
    const values = new Map(
      Array.from(gradients.keys(), (path) => {
        const parameter = parameters.get(path);
        return [path, parameter && knownValue(parameter)] as const;
      }),
    );
    for (const [channel, sum] of sums) {
      let total = sum;
      for (const part of channel.parts) {
        const [gradient, tensor] = [gradients.get(part.path), values.get(part.path)];
        if (!gradient || !tensor) continue;
        let change = 0;
        eachElement(tensor, part, (at) => {
          change += (gradient[at] as number) * Number(tensor.data[at]);
        });
        total += change ** 2;
      }
      sums.set(channel, total);
    }
  });
  return ({ channels }) => channels.map((channel) => (sums.get(channel) ?? 0) / batches);
}

/** The sum of the sizes of the scales that batch normalizations give a channel (Liu et al. 2017, "Network slimming"). */
export function batchNormScales(model: AnyModule, { graph }: FollowedGraph): ScoresOf {
  const parameters = model.parameters();
  const scales = new Set(
    graph.nodes.flatMap(({ op, inputs }) => (op === BatchNormalization ? (inputs[1]?.name ?? []) : [])),
  );
  return ({ channels }) => {
    const known = channels.map(({ parts }) => parts.filter(({ path }) => scales.has(path)));
    if (known.some((parts) => parts.length === 0)) return undefined;
    return known.map((parts) =>
      parts.reduce((sum, { path, indices }) => {
        const parameter = parameters.get(path);
        const { data } = knownValue(parameter as NonNullable<typeof parameter>);
        return indices.reduce((own, index) => own + Math.abs(Number(data[index])), sum);
      }, 0),
    );
  };
}

/** Calls `visit` with the place of every element of a part. */
function eachElement({ shape }: Tensor, { axis, indices }: ParameterPart, visit: (at: number) => void): void {
  const inner = stridesOf(shape)[axis] as number;
  const extent = shape[axis] as number;
  const outer = shape.slice(0, axis).reduce((product, own) => product * own, 1);
  for (let row = 0; row < outer; row++)
    for (const index of indices) {
      const start = (row * extent + index) * inner;
      for (let at = start; at < start + inner; at++) visit(at);
    }
}
