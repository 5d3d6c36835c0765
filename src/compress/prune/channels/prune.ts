/** Cuts channels out of a model: what is left is a smaller graph that runs wherever ONNX does. */
import { InternalError, OptionError } from "../../../core/errors.ts";
import type { Tensor } from "../../../core/tensor.ts";
import type { ChangedGraph, PredictionGraph } from "../../../formats/files/traced-graph.ts";
import type { Value } from "../../../graph/ir.ts";
import type { AnyModule } from "../../../nn/index.ts";
import { knownValue } from "../../../nn/parameter-inputs.ts";
import { type CutOptions, cutOptions, type PrunedModel, prunedModel } from "../pruned-model.ts";
import { cutGraph, taken } from "./cut.ts";
import { followGraph } from "./follow.ts";
import { type ChannelPlan, type PruneChannelsOptions, planChannels } from "./plan.ts";

const checkOptions = cutOptions("cutChannels");

/**
 * Cuts what a plan says. The model itself stays as it is. Throws OptionError for a plan of another model, DataError for parameters without
 * values, and what tracing throws.
 * @example
 * const plan = await planChannels(model, { keep: { macs: 0.5 } });
 * const { model: smaller, bytes } = cutChannels(model, plan);
 */
export function cutChannels(model: AnyModule, plan: ChannelPlan, options: CutOptions = {}): PrunedModel<ChannelPlan> {
  const given = checkOptions(options);
  const parts = plan.groups.flatMap(({ cut }) => cut.flat());
  const change = (traced: PredictionGraph): ChangedGraph => {
    const followed = followGraph(traced.graph, traced.parameters);
    const values = new Map(Array.from(traced.parameters.keys(), (value) => [value.name, value]));
    const gone = new Set(
      parts.flatMap(({ path, axis, indices }) => {
        const value = values.get(path);
        const units = value && followed.unitsOf(value)[axis];
        return indices.map((index) => {
          const unit = units?.[index];
          if (unit !== undefined && followed.units.reason(unit) === undefined) return followed.units.find(unit);
          throw new OptionError(
            `cutChannels: the plan cuts index ${index} of axis ${axis} of "${path}", which ${unit === undefined ? "the model does not have" : `cannot go: ${followed.units.reason(unit)}`}; make the plan of this model`,
          );
        });
      }),
    );
    const { graph, cut } = cutGraph(followed, (set) => !gone.has(set));
    const changed = new Map<Value, Tensor>();
    for (const [value, { value: smaller, kept }] of cut) {
      const parameter = traced.parameters.get(value);
      if (!parameter) throw new InternalError(`cutting changed the input "${value.name}"`);
      changed.set(smaller, taken(knownValue(parameter), kept));
    }
    return { graph, changed };
  };
  return prunedModel(model, plan, { ...given, change });
}

/** Plans which channels a model loses, and cuts them: see `planChannels` and `cutChannels`. The model itself stays as it is. */
export async function pruneChannels(
  model: AnyModule,
  options: PruneChannelsOptions,
): Promise<PrunedModel<ChannelPlan>> {
  const { inputs } = options;
  return cutChannels(model, await planChannels(model, options), inputs ? { inputs } : {});
}
