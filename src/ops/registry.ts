/** Every operator, collected from the families; nothing is listed by hand. */
import { OpDef } from "../graph/op.ts";
import * as constants from "./constant.ts";
import * as convolution from "./convolution.ts";
import * as elementwise from "./elementwise.ts";
import * as indexing from "./indexing.ts";
import * as matmul from "./matmul.ts";
import * as movement from "./movement.ts";
import * as normalization from "./normalization.ts";
import * as pooling from "./pooling.ts";
import * as random from "./random.ts";
import * as reduce from "./reduce.ts";

const families = [
  constants,
  elementwise,
  matmul,
  reduce,
  movement,
  convolution,
  pooling,
  indexing,
  normalization,
  random,
];

/** All operators, family by family. */
export const allOps: readonly OpDef[] = families.flatMap((family) =>
  Object.values(family).filter((item): item is OpDef => item instanceof OpDef),
);

/** Operators whose output elements depend on the operands' elements at the same place alone, under broadcasting. */
export const elementwiseOps: ReadonlySet<OpDef> = new Set(
  Object.values(elementwise).filter((item): item is OpDef => item instanceof OpDef),
);
