/** The rules of all operators through which channels are followed. An operator without one keeps every axis whole. */
import type { OpDef } from "../../../../graph/op.ts";
import { elementwiseRules } from "./elementwise.ts";
import { movementRules } from "./movement.ts";
import { normalizationRules } from "./normalization.ts";
import { productRules } from "./products.ts";
import { type ChannelRule, wholeAxes } from "./rule.ts";

/** Nothing that such an operator reads or gives is cut. */
const unfollowed: ChannelRule = {
  follow: ({ node, inputs, units, place, makes }) => {
    const reason = `${place} is not followed`;
    for (const [operand, axes] of inputs.entries())
      for (const axis of axes ?? []) {
        units.holdAxis(axis, reason);
        makes(axis, operand);
      }
    return node.outputs.map(({ shape }) => wholeAxes(shape, units, reason));
  },
};

const rules: ReadonlyMap<OpDef, ChannelRule> = new Map([
  ...elementwiseRules,
  ...movementRules,
  ...normalizationRules,
  ...productRules,
]);

/** The rule of an operator. */
export const ruleOf = (op: OpDef): ChannelRule => rules.get(op) ?? unfollowed;
