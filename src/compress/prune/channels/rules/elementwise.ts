/** How units run through what is computed element by element, and along axes that stay as they are. */
import type { OpDef } from "../../../../graph/op.ts";
import { Dropout } from "../../../../ops/random.ts";
import { elementwiseOps } from "../../../../ops/registry.ts";
import type { AxisUnits, Units, ValueUnits } from "../units.ts";
import type { ChannelRule } from "./rule.ts";

/**
 * The units of operands that are broadcast to one shape: indices that meet are cut together. An axis of extent 1 beside a longer one is
 * read by all of its indices, whichever stay.
 */
export function broadcastUnits(operands: readonly ValueUnits[], units: Units): AxisUnits[] {
  const rank = Math.max(...operands.map((axes) => axes.length));
  return Array.from({ length: rank }, (_, at) => {
    const meeting = operands.flatMap((axes) => axes[at - rank + axes.length] ?? []);
    const extent = Math.max(...meeting.map(({ length }) => length));
    const [first, ...others] = meeting.filter(({ length }) => length === extent) as [AxisUnits, ...AxisUnits[]];
    for (const axis of others) units.joinAxes(first, axis);
    return first;
  });
}

/** Of all operands, broadcast. */
const elementwise: ChannelRule = {
  follow: ({ node, inputs, units }) => {
    const y = broadcastUnits(
      inputs.filter((axes) => axes !== undefined),
      units,
    );
    return node.outputs.map(() => y);
  },
};

/** Of the first operand alone. */
const asFirst: ChannelRule = {
  follow: ({ node, inputs }) => node.outputs.map(() => inputs[0] as ValueUnits),
};

/** Operators that compute element by element. */
export const elementwiseRules: readonly (readonly [OpDef, ChannelRule])[] = [
  ...Array.from(elementwiseOps, (op) => [op, elementwise] as const),
  [Dropout, asFirst],
];
