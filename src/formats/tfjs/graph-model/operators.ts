/** Every operator of TensorFlow that is supported, by its name. */
import type { Operator } from "./operator.ts";
import { elementwiseOperators } from "./operators/elementwise.ts";
import { matrixOperators } from "./operators/matrix.ts";
import { movementOperators } from "./operators/movement.ts";
import { reductionOperators } from "./operators/reduction.ts";
import { resizeOperators } from "./operators/resize.ts";
import { spaceOperators } from "./operators/space.ts";
import { sparseOperators } from "./operators/sparse.ts";
import { windowOperators } from "./operators/window.ts";

export const operators: ReadonlyMap<string, Operator> = new Map(
  [
    elementwiseOperators,
    matrixOperators,
    movementOperators,
    reductionOperators,
    resizeOperators,
    spaceOperators,
    sparseOperators,
    windowOperators,
  ].flatMap((table) => Object.entries(table)),
);
