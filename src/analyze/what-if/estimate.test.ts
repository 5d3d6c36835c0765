/** What training takes, and networks side by side: against counts by hand. */
import { describe, expect, test } from "vitest";
import { dense, sequential } from "../../nn/index.ts";
import { adam, sgd } from "../../train/optimizers/index.ts";
import { measureStep } from "../cost/measure.ts";
import { weightsNetwork } from "../networks/weights-network.ts";
import { compare } from "../report/compare.ts";
import { inspectionOf, networkOf, presetNetwork } from "../testing/networks.ts";
import { costOfWay, waysToTrain } from "./estimate.ts";

const network = networkOf(sequential([dense(8), dense(8), dense(2)]), { dtype: "float32", shape: [4, 8] });
const training = { optimizer: sgd(), precision: "float32" } as const;

describe("ways to train", () => {
  test("all parameters, and the output layer alone", () => {
    const [all, head, ...others] = waysToTrain(network).map((way) => costOfWay(way, training));
    expect([all?.name, all?.trainable]).toEqual(["all parameters", 2 * 72 + 18]);
    expect([head?.name, head?.trainable]).toEqual(["output layers only", 18]);
    expect(others).toEqual([]);
    // Forward 2 · 4 · (64 + 64 + 16), biases within; back, the same for weights, and for inputs but those of the first.
    const forward = 2 * 4 * 144;
    expect(all?.stepFlops).toBeGreaterThanOrEqual(forward + 2 * 4 * (144 + 80));
    expect(all?.stepFlops).toBeLessThan(1.1 * (forward + 2 * 4 * (144 + 80)));
    expect(head?.stepFlops).toBeGreaterThanOrEqual(forward + 2 * 4 * 16);
    expect(head?.stepFlops).toBeLessThan(1.1 * (forward + 2 * 4 * 16) + 8);
    expect(head?.bytes).toBeLessThan(all?.bytes ?? 0);
  });

  test("transformers with adapters too, on 4-bit weights in less memory", () => {
    const ways = waysToTrain(presetNetwork("distilbert_base_uncased")).map((way) =>
      costOfWay(way, { optimizer: adam(), precision: "float32" }),
    );
    expect(ways.map(({ name }) => name)).toContain("LoRA on 4-bit weights");
    const of = (name: string) => ways.find((way) => way.name === name);
    // Query and value of 6 layers: 2 · 8 · (768 + 768) each.
    expect(of("LoRA, rank 8")?.trainable).toBe(6 * 2 * 8 * (768 + 768));
    expect(of("LoRA on 4-bit weights")?.bytes).toBeLessThan(of("LoRA, rank 8")?.bytes ?? 0);
    expect(of("LoRA, rank 8")?.bytes).toBeLessThan(of("all parameters")?.bytes ?? 0);
  });

  test("weights alone cannot be trained", () => {
    const weights = weightsNetwork("w", "", [{ name: "fc.weight", shape: [2, 2], type: "float32", bits: 32 }]);
    expect(() => costOfWay({ name: "all", network: weights }, training)).toThrow(
      "w cannot be trained here: only its weights are known; give its config.json too",
    );
  });

  test("a step is measured by running it", async () => {
    const step = await measureStep(network, { threads: 1 });
    expect(step?.seconds).toBeGreaterThan(0);
    expect(step?.seconds).toBeLessThan(0.1);
    expect(step?.flops).toBeGreaterThan(1000);
  });
});

describe("compare", () => {
  const comparison = compare(["lenet5", "resnet18", "lstm"].map((name) => inspectionOf(presetNetwork(name))));
  const valuesOf = (section: string, row: string) =>
    comparison.sections.find(({ name }) => name === section)?.rows.find(({ name }) => name === row)?.values;

  test("has a column a model, and null for what one has not", () => {
    expect(comparison.models).toEqual(["lenet5", "resnet18", "lstm"]);
    expect(valuesOf("Depth", "weighted layers")).toEqual([5, 18, 2]);
    expect(valuesOf("Depth", "unrolled")).toEqual([null, null, 121]);
    expect(valuesOf("Parameters", "all")).toEqual([61_706, 11_689_512, 1_412_354]);
    for (const { rows } of comparison.sections) for (const { values } of rows) expect(values).toHaveLength(3);
  });

  test("divides the parameters by kind, every kind that one of them has", () => {
    const kinds = comparison.sections.find(({ name }) => name === "Parameters by kind of layer")?.rows ?? [];
    const sums = comparison.models.map((_, i) => kinds.reduce((sum, { values }) => sum + Number(values[i]), 0));
    expect(sums).toEqual(valuesOf("Parameters", "all"));
    expect(kinds.map(({ name }) => name)).toEqual(expect.arrayContaining(["convolution", "recurrent", "embedding"]));
  });
});
