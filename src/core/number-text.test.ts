/** Figures and names as a person reads them. */
import { expect, test } from "vitest";
import { spoken } from "./number-text.ts";

test("names as a person says them", () => {
  expect([spoken("validation_loss"), spoken("learningRate")]).toEqual(["validation loss", "learning rate"]);
});
