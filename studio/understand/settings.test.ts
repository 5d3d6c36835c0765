/** What the sliders ask, and how changes are told. */
import { expect, test } from "vitest";
import type { Inspection } from "../shared/api.ts";
import {
  asItIs,
  batchStops,
  changeText,
  commandOf,
  ownSequence,
  sequenceStops,
  whatIfOf,
  withTrainingOf,
} from "./settings.ts";

const model = (dtype: string, ...shape: number[]) =>
  ({ inputs: [{ name: "x", dtype, shape }] }) as unknown as Inspection;

test("a model as it is asks nothing; LoRA leaves out what it freezes anyway", () => {
  expect(whatIfOf(asItIs)).toEqual({});
  const changed = { ...asItIs, frozenBlocks: 3, freeze: " a ", memory: 8, quantize: "4", loraTargets: "x" };
  expect(whatIfOf(changed)).toEqual({ freezeBlocks: 3, freeze: "a", memory: "8GB", quantize: 4 });
  expect(whatIfOf({ ...changed, lora: 8 })).toEqual({ lora: 8, loraTargets: "x", memory: "8GB", quantize: 4 });
  expect(commandOf("gpt2", { freezeBlocks: 3, batch: 8 })).toBe("sardonyx inspect gpt2 --freeze-blocks=3 --batch=8");
});

test("stops have the model's own batch and length among them", () => {
  expect(batchStops(model("float32", 3, 4, 4))).toEqual([1, 2, 3, 4, 8, 16, 32, 64, 128, 256]);
  expect(ownSequence(model("int64", 1, 512))).toBe(512);
  expect(ownSequence(model("float32", 1, 512))).toBeUndefined();
  expect(sequenceStops(77)).toContain(77);
});

test("changes", () => {
  expect(
    [
      [100, 55],
      [100, 104.26],
      [100, 320],
      [10, 1000],
      [109e6, 73e3],
      [4, 0],
      [5, 5],
      [0, 5],
      [null, 5],
    ].map(([a, b]) => changeText(a as number, b as number)),
  ).toEqual(["−45 %", "+4.3 %", "×3.2", "×100", "÷1493", "−100 %", "", "", ""]);
});

test("until the training is reckoned, its figures are those of before", () => {
  const cost = (macs: number, trainingBytes: number | null) =>
    ({ cost: { macs, trainingBytes } }) as unknown as Inspection;
  expect(withTrainingOf(cost(2, null), cost(1, 7)).cost).toMatchObject({ macs: 2, trainingBytes: 7 });
});
