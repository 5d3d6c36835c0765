/** Figures and names as a person reads them. */
import { expect, test } from "vitest";
import { resultText, spoken } from "./number-text.ts";

test("names as a person says them", () => {
  expect([spoken("validation_loss"), spoken("learningRate")]).toEqual(["validation loss", "learning rate"]);
});

test("average precision keeps its capitals, and is a share", () => {
  expect([spoken("validation_mAP"), spoken("labelF1"), spoken("mAP_50_95")]).toEqual([
    "validation mAP",
    "label f1",
    "mAP 50 95",
  ]);
  const texts = ["mAP_50_95", "validation_mAP", "mapped"].map((name) => resultText(name, 0.5));
  expect(texts).toEqual(["50.00 %", "50.00 %", "0.5000"]);
});
