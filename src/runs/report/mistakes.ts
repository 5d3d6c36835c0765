/** The worst mistakes of a model with their inputs, as a person can look at them. */
import type { Deployment } from "../recipes/recipe.ts";
import type { TestOutputs } from "./outputs.ts";
import type { Mistake } from "./report.ts";
import { shownInput } from "./shown-input.ts";

/** The wrong samples of the highest losses, as plain data. */
export const mistakesOf = (
  { kind, worst }: TestOutputs,
  { classes = [], format = {}, reader }: Pick<Deployment, "classes" | "format" | "reader">,
): Mistake[] =>
  worst.map(({ sample, actual, predicted, confidence, loss, input }) => {
    const nameOf = (value: number) =>
      kind === "classes" ? (classes[value] ?? String(value)) : String(Number(value.toPrecision(6)));
    return {
      sample,
      actual: nameOf(actual),
      predicted: nameOf(predicted),
      ...(kind === "classes" && { confidence }),
      loss,
      ...shownInput(input, format, reader),
    };
  });
