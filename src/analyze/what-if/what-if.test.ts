/** What-ifs: precisions, freezing, quantization, low-rank adapters; each changes the counts and the memory as computed by hand. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { conv2d, dense, flatten, lstm, sequential } from "../../nn/index.ts";
import { weightsNetwork } from "../networks/weights-network.ts";
import { inspect } from "../report/inspect.ts";
import { inspectionOf, networkOf, options, presetNetwork } from "../testing/networks.ts";
import { withLora } from "./lora.ts";
import { atPrecision, blocksOf, frozen, frozenBlocks, quantized, quantizedBitsOf } from "./what-if.ts";

const mlp = () => networkOf(sequential([dense(64), dense(64), dense(10)]), { dtype: "float32", shape: [1, 32] });

describe("precision", () => {
  test("halves what is stored", () => {
    const { parameters } = inspectionOf(atPrecision(mlp(), "bfloat16"));
    expect(parameters.bytes).toBe(2 * parameters.total);
    expect(parameters.bytesByPrecision).toEqual({
      float32: 4 * parameters.total,
      float16: 2 * parameters.total,
      int8: parameters.total,
      int4: parameters.total / 2,
    });
  });

  test("training in 16 bits keeps float32 originals", () => {
    const { inspection } = inspect(atPrecision(mlp(), "float16"), { ...options, precision: "float16" });
    const { total } = inspection.parameters;
    // Adam's two vectors and the originals.
    expect(inspection.cost.memory).toMatchObject({ weights: 2 * total, optimizer: 12 * total });
  });
});

describe("freezing", () => {
  test("a layer by its path: counts, gradients and the optimizer's memory", () => {
    const { parameters, cost, layers } = inspectionOf(frozen(mlp(), "layers.0"));
    const first = 32 * 64 + 64;
    expect(parameters).toMatchObject({ frozen: first, trainable: parameters.total - first });
    expect(layers.map(({ trainable }) => trainable)).toEqual([0, 64 * 64 + 64, 64 * 10 + 10]);
    expect(cost.memory?.optimizer).toBe(8 * parameters.trainable);
    // No gradient of the first weight, and none of its output, on the way to which nothing else lies.
    const whole = inspectionOf(mlp()).cost;
    expect((whole.backwardFlops ?? 0) - (cost.backwardFlops ?? 0)).toBeGreaterThanOrEqual(2 * (32 * 64 + 64 * 64));
  });

  test("patterns, and one that matches nothing", () => {
    expect(inspectionOf(frozen(mlp(), "*.bias")).parameters.frozen).toBe(64 + 64 + 10);
    expect(inspectionOf(frozen(presetNetwork("resnet18"), "layer1")).parameters.frozen).toBe(
      4 * (3 * 3 * 64 * 64 + 128),
    );
    expect(() => frozen(mlp(), "layer.0")).toThrow('unknown parameter to freeze "layer.0"; did you mean "layers.0"?');
  });

  test("the first blocks, and what comes before them", () => {
    const resnet = presetNetwork("resnet18");
    // conv1 and bn1; two basic blocks of 64 channels; the first of 128 with its projection (He et al. 2016, table 1).
    const [stem, block] = [7 * 7 * 3 * 64 + 128, 2 * (3 * 3 * 64 * 64 + 128)];
    const wider = 9 * 64 * 128 + 9 * 128 * 128 + 64 * 128 + 3 * 256;
    expect(inspectionOf(frozenBlocks(resnet, 3)).parameters.frozen).toBe(stem + 2 * block + wider);
    expect(inspectionOf(frozenBlocks(resnet, 0)).parameters.frozen).toBe(0);
    // All blocks: the classifier of 512 features is left.
    expect(inspectionOf(frozenBlocks(resnet, 8)).parameters.trainable).toBe(513 * 1000);
    expect(inspectionOf(resnet).blocks.slice(0, 3)).toEqual(["layer1.0", "layer1.1", "layer2.0"]);
    expect(() => frozenBlocks(resnet, 9)).toThrow("resnet18 has 8, pass a whole number from 0 to that");
  });

  test("blocks without names are layers, and weights alone are cut by their names", () => {
    expect(blocksOf(mlp())).toEqual(["layers.0", "layers.1"]);
    expect(inspectionOf(frozenBlocks(mlp(), 1)).parameters.frozen).toBe(32 * 64 + 64);
    const one = networkOf(dense(2), { dtype: "float32", shape: [1, 2] });
    expect(() => frozenBlocks(one, 1)).toThrow("freeze layers by their names: --freeze");
    const stored = ["h.0.a", "h.0.b", "h.1.a", "h.1.b", "head"].map((name) => ({
      name: `${name}.weight`,
      shape: [2, 2],
      type: "float32",
      bits: 32,
    }));
    expect(blocksOf(weightsNetwork("w", "test", stored))).toEqual(["h.0", "h.1"]);
  });

  test("everything frozen leaves nothing to train", () => {
    const { cost, parameters } = inspectionOf(frozen(mlp(), "*"));
    expect(parameters.trainable).toBe(0);
    expect(cost.backwardFlops).toBe(0);
    expect(cost.memory).toMatchObject({ gradients: 0, optimizer: 0 });
  });
});

describe("quantization", () => {
  test("4 bits with a scale for 32 weights; biases stay", () => {
    const { parameters } = inspectionOf(quantized(mlp(), 4));
    const weights = 32 * 64 + 64 * 64 + 64 * 10;
    expect(parameters.trainable).toBe(64 + 64 + 10);
    expect(parameters.bytes).toBe(weights / 2 + (4 * weights) / 32 + 4 * (64 + 64 + 10));
  });

  test("8 bits with a scale for each output", () => {
    const { parameters } = inspectionOf(quantized(mlp(), 8));
    const weights = 32 * 64 + 64 * 64 + 64 * 10;
    expect(parameters.bytes).toBe(weights + 4 * (64 + 64 + 10) + 4 * (64 + 64 + 10));
  });

  test("of embeddings, normalizations and biases nothing is quantized, of convolutions and recurrences the weights", () => {
    const model = sequential([conv2d(4, 3), flatten(), dense(6)]);
    const network = quantized(networkOf(model, { dtype: "float32", shape: [1, 2, 5, 5] }), 8);
    expect(network.parameters.filter(({ type }) => type === "int8").map(({ name }) => name)).toEqual([
      "layers.0.weight",
      "layers.2.weight",
    ]);
    const recurrent = quantized(networkOf(lstm(3), { dtype: "float32", shape: [1, 4, 2] }), 8);
    expect(recurrent.parameters.filter(({ trainable }) => !trainable).map(({ name }) => name)).toEqual([
      "weight_ih_l0",
      "weight_hh_l0",
    ]);
    const gpt = quantized(presetNetwork("gpt2"), 4).parameters.filter(({ trainable }) => trainable);
    expect(gpt.some(({ name }) => name.includes("ln_"))).toBe(true);
    expect(gpt.every(({ name }) => !name.endsWith("c_attn.weight"))).toBe(true);
  });

  test("other numbers of bits are refused", () => {
    expect(() => quantizedBitsOf("3")).toThrow(OptionError);
  });
});

describe("low-rank adapters", () => {
  test("of rank 8 on the queries and values of Llama 2 7B", () => {
    const { parameters, layers } = inspectionOf(withLora(presetNetwork("llama2_7b"), { rank: 8 }));
    // 32 layers, two weights each, 8·4096 + 4096·8.
    expect(parameters.trainable).toBe(4_194_304);
    expect(parameters.total).toBe(6_738_415_616 + 4_194_304);
    expect(layers.find(({ name }) => name === "model.layers.0.self_attn.q_proj")).toMatchObject({
      trainable: 65_536,
      formula: "4096·4096 + 8·4096 + 4096·8 = 16,842,752",
    });
  });

  test("cost the products through them, and do not change the depth", () => {
    const [plain, adapted] = [inspectionOf(mlp()), inspectionOf(withLora(mlp(), { rank: 2, targets: "layers.1" }))];
    expect((adapted.cost.macs ?? 0) - (plain.cost.macs ?? 0)).toBe(64 * 2 + 2 * 64);
    expect(adapted.depth).toEqual(plain.depth);
    expect(adapted.parameters.trainable).toBe(2 * 64 + 64 * 2);
    expect(adapted.cost.backwardFlops).toBeLessThan(plain.cost.backwardFlops ?? 0);
  });

  test("of a convolution: a narrow one with the same window, and a mix of its channels", () => {
    const network = networkOf(sequential([conv2d(8, 3)]), { dtype: "float32", shape: [1, 4, 6, 6] });
    const { parameters } = inspectionOf(withLora(network, { rank: 2, targets: "*" }));
    expect(parameters.trainable).toBe(2 * 4 * 9 + 8 * 2);
  });

  test("of the weights that GPT-2 keeps the other way round, and of those that share", () => {
    // c_attn: 768 to 3·768.
    expect(inspectionOf(withLora(presetNetwork("gpt2"), { rank: 4 })).parameters.trainable).toBe(12 * 4 * (768 + 2304));
    // ALBERT's twelve layers have one set of weights, and so one set of adapters.
    expect(inspectionOf(withLora(presetNetwork("albert_base_v2"), { rank: 4 })).parameters.trainable).toBe(
      2 * 4 * (768 + 768),
    );
  });

  test("what cannot be adapted is reported with what can", () => {
    expect(() => withLora(mlp(), { rank: 4 })).toThrow(
      "no layer has one of the usual names (q_proj, v_proj, query, value, q_lin, v_lin, q, v, c_attn, in_proj); pass --lora-targets with a pattern of layers, which here are layers.0, layers.1, layers.2",
    );
    expect(() => withLora(mlp(), { rank: 4, targets: "head" })).toThrow('no layer that can be adapted matches "head"');
    const weights = weightsNetwork("w", "test", [{ name: "a.weight", shape: [2, 2], type: "float32", bits: 32 }]);
    expect(() => withLora(weights, { rank: 4 })).toThrow("give its config.json too");
  });

  test("on 4-bit weights: both", () => {
    const { parameters, cost } = inspectionOf(withLora(quantized(presetNetwork("llama2_7b"), 4), { rank: 8 }));
    expect(parameters.trainable).toBe(4_194_304);
    // Some 4 GB in place of 27; in all 12 GB, most of them activations, in place of 171.
    expect(cost.memory?.weights).toBeLessThan(4.9e9);
    expect(cost.trainingBytes).toBeLessThan(13e9);
  });
});
