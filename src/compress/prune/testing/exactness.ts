/** Compares a model whose channels are zero with the model without them. */
import { groupBy } from "../../../core/group-by.ts";
import { Tensor } from "../../../core/tensor.ts";
import { run } from "../../../formats/testing/run.ts";
import type { TensorType } from "../../../graph/ir.ts";
import { integers, signed } from "../../../models/testing/fill.ts";
import type { AnyModule } from "../../../nn/index.ts";
import type { ParameterPart } from "../channels/groups.ts";
import { type ChannelPlan, cutChannels, planChannels } from "../index.ts";

/** Puts zeros where parts of parameters are. */
export function eraseParts(model: AnyModule, parts: readonly ParameterPart[]): void {
  for (const [path, own] of groupBy(parts, (part) => part.path)) {
    const parameter = model.parameters().get(path);
    if (!parameter?.value) throw new Error(`no parameter "${path}"`);
    const { dtype, shape, data } = parameter.value;
    const changed = new Tensor(dtype, shape, data.slice());
    for (const axis of shape.keys()) {
      const gone = new Set(own.flatMap((part) => (part.axis === axis ? part.indices : [])));
      if (gone.size === 0) continue;
      const inner = shape.slice(axis + 1).reduce((product, extent) => product * extent, 1);
      for (let at = 0; at < changed.data.length; at++)
        if (gone.has(Math.floor(at / inner) % (shape[axis] as number))) changed.data[at] = 0;
    }
    parameter.value = changed;
  }
}

/** Zeros in the weights, biases and scales by which layers make the channels that a plan cuts; what reads these stays. */
export function eraseChannels(model: AnyModule, { groups }: ChannelPlan, makingAxis: (path: string) => number): void {
  const parameters = model.parameters();
  const isMade = ({ path, axis }: ParameterPart) =>
    axis === ((parameters.get(path)?.shape.length ?? 1) === 1 ? 0 : makingAxis(path));
  eraseParts(
    model,
    groups.flatMap(({ cut }) => cut.flat().filter(isMade)),
  );
}

/** A batch of a type, of other samples than one alone. */
export const batchOf = ({ dtype, shape }: TensorType, samples: number): Tensor =>
  dtype === "int64"
    ? integers("tokens", [samples, ...shape.slice(1)], 40)
    : signed("image", [samples, ...shape.slice(1)]);

/** The largest difference of outputs, with the largest output. */
export function compared(left: readonly Tensor[], right: readonly Tensor[]): { apart: number; size: number } {
  let [apart, size] = [0, 0];
  for (const [i, { data }] of left.entries())
    for (const [at, value] of data.entries()) {
      const difference = Math.abs(Number(value) - Number(right[i]?.data[at]));
      apart = Math.max(apart, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
      size = Math.max(size, Math.abs(Number(value)));
    }
  return { apart, size };
}

/** The same of two models that take one tensor. */
export async function difference(a: AnyModule, b: AnyModule, x: Tensor): Promise<{ apart: number; size: number }> {
  const given = (model: AnyModule) =>
    typeof model.inputs === "object" ? { [Object.keys(model.inputs)[0] ?? "x"]: x } : x;
  return compared(await run(a, given(a)), await run(b, given(b)));
}

/** Plans, erases what is planned, cuts it, and compares. */
export async function exactness(
  model: AnyModule,
  type: TensorType,
  {
    share = 0.5,
    makingAxis = () => 0,
  }: { readonly share?: number; readonly makingAxis?: (path: string) => number } = {},
) {
  const plan = await planChannels(model, { keep: { macs: share }, inputs: type });
  eraseChannels(model, plan, makingAxis);
  const { model: smaller, notes } = cutChannels(model, plan, { inputs: type });
  // Another batch than that of the plan.
  return { plan, smaller, notes, ...(await difference(model, smaller, batchOf(type, 3))) };
}
