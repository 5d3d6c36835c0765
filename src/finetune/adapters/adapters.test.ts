/** Every kind of adapter on transformers: what is trained, switching, merging, generation. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { sameTensor, Tensor } from "../../core/tensor.ts";
import { fromTensors } from "../../data/index.ts";
import { decoder } from "../../decode/index.ts";
import { classifier, runImported } from "../../formats/testing/onnx-files.ts";
import { crossEntropy, type Module, quantizeFrozen } from "../../nn/index.ts";
import { adam, fit, predictor } from "../../train/index.ts";
import { apart, ids, numbersOf, smallGpt2, smallLlama, stir } from "../testing/models.ts";
import type { AdapterSet, AdapterSettings } from "./adapter-set.ts";
import { addBottleneck } from "./bottleneck.ts";
import { addIa3 } from "./ia3.ts";
import { addLora } from "./lora.ts";
import { merge } from "./merge.ts";
import { addPrefix } from "./prefix.ts";
import { addPrompt, withVirtualTokens } from "./prompt.ts";

type Add = (
  model: Module,
  settings?: AdapterSettings,
) => Promise<Pick<AdapterSet, "use" | "names"> & Parameters<typeof merge>[0]>;
const kinds = [
  ["LoRA", (model, settings) => addLora(model, { rank: 2, alpha: 4, targets: "all-linear" }, settings)],
  [
    "LoRA of embeddings",
    (model, settings) => addLora(model, { rank: 2, targets: ["*embed_tokens", "q_proj"] }, settings),
  ],
  ["DoRA", (model, settings) => addLora(model, { rank: 2, dora: true, targets: "all-linear" }, settings)],
  ["(IA)3", (model, settings) => addIa3(model, {}, settings)],
  ["bottleneck", (model, settings) => addBottleneck(model, { units: 3 }, settings)],
  ["prefix", (model, settings) => addPrefix(model, { tokens: 3 }, settings)],
  [
    "prefix before the positions",
    (model, settings) => addPrefix(model, { tokens: 3, shiftsPositions: true }, settings),
  ],
] as readonly (readonly [string, Add])[];

const data = () => fromTensors({ x: ids, y: new Tensor("int32", [2, 6], Int32Array.from(ids.data)) }).batch(2);
const train = (model: Module) =>
  fit(model, data(), { loss: crossEntropy(), optimizer: adam({ learningRate: 0.02 }), epochs: 12 });

describe.each(kinds)("%s", (kind, add) => {
  const hasNeutral = !kind.startsWith("prefix");

  test("begins at the base, learns, and leaves the base alone", async () => {
    const model = smallLlama();
    const base = await numbersOf(model, ids);
    const before = [...model.parameters()].map(([path, { value }]) => [path, value?.toNumbers()] as const);
    await add(model);
    if (hasNeutral) expect(apart(base, await numbersOf(model, ids))).toBeLessThan(1e-6);
    const { history } = await train(model);
    expect(history.at(-1)?.loss).toBeLessThan(0.97 * (history[0]?.loss ?? 0));
    for (const [path, value] of before) expect(model.parameters().get(path)?.value?.toNumbers(), path).toEqual(value);
  });

  test("several adapters are switched without compiling anew", async () => {
    const model = smallLlama();
    const base = await numbersOf(model, ids);
    const set = await add(model);
    stir(model, 1);
    const first = await numbersOf(model, ids);
    await add(model, { name: "other", seed: 2 });
    stir(model, 2);
    const second = await numbersOf(model, ids);
    const ask = predictor(model);
    const now = async () => ((await ask(ids)) as Tensor).toNumbers();
    expect(await now()).toEqual(second);
    const structure = model.modules().size;
    await set.use("default");
    expect(apart(first, await now())).toBeLessThan(1e-6);
    await set.use("other");
    expect(await now()).toEqual(second);
    await set.use(undefined);
    expect(apart(base, await now())).toBeLessThan(1e-6);
    expect(model.modules().size).toBe(structure);
    expect(set.names).toEqual(["default", "other"]);
    expect(apart(first, second)).toBeGreaterThan(0.01);
    await ask.release();
  });

  test("generation has it in every step", async () => {
    const model = smallLlama();
    await add(model);
    stir(model);
    const whole = await numbersOf(model, ids);
    const machine = await decoder(model, { capacity: 12, chunk: 4 });
    const last = await machine.feed(Array.from(ids.data.subarray(0, 6)));
    expect(apart(whole.slice(5 * 20, 6 * 20), [...last])).toBeLessThan(1e-5);
    await machine.release();
  });
});

test.each(kinds.filter(([kind]) => !/bottleneck|prefix/.test(kind)))(
  "%s merges to the same outputs",
  async (_, add) => {
    const model = smallLlama();
    const own = [...model.parameters().keys()];
    const set = await add(model);
    stir(model);
    const adapted = await numbersOf(model, ids);
    const { difference, unmerge } = await merge(set, { probe: ids });
    expect(difference).toBeLessThan(1e-5);
    expect([...model.parameters().keys()]).toEqual(own);
    expect(apart(adapted, await numbersOf(model, ids))).toBeLessThan(1e-5);
    await unmerge();
    expect(await numbersOf(model, ids)).toEqual(adapted);
  },
);

test("adapters of several ranks share one graph, and the smaller trains as it would alone", async () => {
  const [alone, shared] = [smallLlama(), smallLlama()];
  await addLora(alone, { rank: 2, alpha: 4 });
  const set = await addLora(shared, { rank: 2, alpha: 4 });
  await addLora(shared, { rank: 5, scaling: { rankStabilized: true } }, { name: "wide" });
  await set.use("default");
  await train(alone);
  await train(shared);
  expect(apart(await numbersOf(alone, ids), await numbersOf(shared, ids))).toBeLessThan(1e-5);
  const a = set.tensors("default").get("model.layers.0.self_attn.q_proj.lora_A.weight");
  expect(a?.shape).toEqual([2, 16]);
  const wide = set.tensors("wide").get("model.layers.0.self_attn.q_proj.lora_A.weight");
  expect(wide?.shape).toEqual([5, 16]);
});

test("beside weights in 4 bits, whose elements stay, and merged out of them", async () => {
  const model = smallLlama();
  model.freeze();
  quantizeFrozen(model, { bits: 4, parameters: /proj/ });
  const packed = [...model.parameters().values()].filter((parameter) => parameter.packed);
  const elements = packed.map((parameter) => [...((parameter.packed?.parts.elements?.data ?? []) as Uint8Array)]);
  const set = await addLora(model, { rank: 4, targets: "all-linear" });
  const { history } = await train(model);
  expect(history.at(-1)?.loss).toBeLessThan(0.95 * (history[0]?.loss ?? 0));
  expect(packed.map((parameter) => [...((parameter.packed?.parts.elements?.data ?? []) as Uint8Array)])).toEqual(
    elements,
  );
  const adapted = await numbersOf(model, ids);
  const { difference, unmerge } = await merge(set, { probe: ids });
  expect(difference).toBeLessThan(1e-5);
  await unmerge();
  expect(packed.every((parameter) => parameter.packed?.bits === 4)).toBe(true);
  expect(await numbersOf(model, ids)).toEqual(adapted);
});

test("learned positions begin behind a prefix: GPT-2 generates as it reads, and has fewer of them", async () => {
  const model = smallGpt2();
  const outputs = async (shiftsPositions: boolean) => {
    const set = await addPrefix(model, { tokens: 3, shiftsPositions });
    stir(model);
    const found = await numbersOf(model, ids);
    return { set, found };
  };
  const { set, found: plain } = await outputs(false);
  await set.detach();
  const { found: shifted } = await outputs(true);
  expect(apart(plain, shifted)).toBeGreaterThan(0.01);
  const machine = await decoder(model, { capacity: 12, chunk: 4 });
  const last = await machine.feed(Array.from(ids.data.subarray(0, 6)));
  expect(apart(shifted.slice(5 * 20, 6 * 20), [...last])).toBeLessThan(1e-5);
  await machine.release();
  await expect(decoder(model, { capacity: 22 })).rejects.toThrow(/pass a capacity of at most 21/);
});

test("a graph of a file is adapted and merged like a module", async () => {
  const model = classifier();
  const one = new Tensor(
    "float32",
    [1, 1, 6, 6],
    Float32Array.from({ length: 36 }, (_, i) => Math.sin(i)),
  );
  const base = await runImported(model, one);
  const set = await addLora(model, { rank: 2, targets: ["conv", "head"] });
  expect(sameTensor(base, await runImported(model, one))).toBe(true);
  expect([...model.parameters()].flatMap(([path, { trainable }]) => (trainable ? [path] : []))).toEqual([
    "conv.lora_A.weight",
    "conv.lora_B.weight",
    "head.lora_A.weight",
    "head.lora_B.weight",
  ]);
  stir(model);
  const adapted = (await runImported(model, one)).toNumbers();
  expect(apart(adapted, base.toNumbers())).toBeGreaterThan(0.01);
  const { difference } = await merge(set, { probe: one });
  expect(difference).toBeLessThan(1e-5);
  expect(apart(adapted, (await runImported(model, one)).toNumbers())).toBeLessThan(1e-5);
});

test("a weight that is shared cannot take up an adapter, which stays as it was", async () => {
  const model = smallGpt2();
  const set = await addLora(model, { rank: 2, targets: ["lm_head"] });
  stir(model);
  const adapted = await numbersOf(model, ids);
  await expect(merge(set, { probe: ids })).rejects.toThrow(/which is beyond rounding; a weight that two layers share/);
  expect(await numbersOf(model, ids)).toEqual(adapted);
});

test("virtual tokens stand before a text, and generation reads them like others", async () => {
  const model = smallGpt2();
  const base = await numbersOf(model, ids);
  const set = await addPrompt(model, { tokens: 3 });
  expect(await numbersOf(model, ids)).toEqual(base);
  stir(model);
  const longer = withVirtualTokens(ids, { vocabulary: 20, tokens: 3 });
  expect(Array.from(longer.data.subarray(0, 4))).toEqual([20, 21, 22, ids.data[0]]);
  const prompted = await numbersOf(model, longer);
  const machine = await decoder(model, { capacity: 12, chunk: 4 });
  const last = await machine.feed(Array.from(longer.data.subarray(0, 9)));
  expect(apart(prompted.slice(8 * 20, 9 * 20), [...last])).toBeLessThan(1e-5);
  await machine.release();
  expect([...set.tensors("default").values()].map(({ shape }) => shape)).toEqual([[3, 16]]);
  const beyond = new Tensor("int32", [1, 1], Int32Array.of(23));
  await expect(numbersOf(model, beyond)).rejects.toThrow(
    /is 23, expected a whole number from 0 to 22; it has 20 tokens and 3 virtual ones/,
  );
});

test("a head that is saved with its adapter, and biases", async () => {
  const model = classifier();
  const set = await addLora(model, { rank: 1, targets: "conv", bias: "adapted" }, { modulesToSave: ["head"] });
  const trained = () => [...model.parameters()].flatMap(([path, { trainable }]) => (trainable ? [path] : []));
  expect(trained()).toEqual(["conv.bias", "head.weight", "head.bias", "conv.lora_A.weight", "conv.lora_B.weight"]);
  const head = model.parameters().get("head.weight");
  const before = head?.value?.toNumbers();
  stir(model);
  const after = head?.value?.toNumbers();
  expect(after).not.toEqual(before);
  await set.use(undefined);
  expect(head?.value?.toNumbers()).toEqual(before);
  expect(trained()).toEqual([]);
  await set.use("default");
  expect(head?.value?.toNumbers()).toEqual(after);
});

describe("what is refused", () => {
  test("targets that match nothing", async () => {
    const model = smallLlama();
    await expect(addLora(model, { rank: 2, targets: "q_porj" })).rejects.toThrow(
      /the target "q_porj" matches no layer; pass targets among the layers that can be adapted, model.embed_tokens, model.layers.0/,
    );
    await expect(addLora(model, { rank: 2, targets: ["q_proj", "*norm"] })).rejects.toThrow(
      /"model.layers.0.input_layernorm" is a RmsNorm, which has no weight/,
    );
    await expect(addLora(smallGpt2(), { rank: 2, targets: "nothing" })).rejects.toThrow(/matches no layer/);
    await expect(addPrefix(classifier() as never, { tokens: 2 })).rejects.toThrow(/as graphs of files do not/);
    expect(model.parameters().size).toBe(smallLlama().parameters().size);
  });

  test("a second adapter of the same name, and one that cannot share the graph", async () => {
    const model = smallLlama();
    const set = await addLora(model, { rank: 2 });
    await expect(addLora(model, { rank: 2 })).rejects.toThrow(/there is an adapter "default" already/);
    await expect(addLora(model, { rank: 2, dora: true }, { name: "d" })).rejects.toThrow(
      /dora is false there and true here/,
    );
    await expect(set.use("none")).rejects.toThrow(/unknown adapter "none"/);
  });
});

describe("beside adapters that are there", () => {
  test("one that is refused leaves them in use", async () => {
    const model = smallLlama();
    const set = await addLora(model, { rank: 2 });
    stir(model);
    const adapted = await numbersOf(model, ids);
    await expect(addLora(model, { rank: 2, targets: "q_porj" }, { name: "b" })).rejects.toThrow(/matches no layer/);
    await expect(addLora(model, { rank: 2 }, { name: "b", modulesToSave: ["head"] })).rejects.toThrow(
      /parameter to save/,
    );
    expect(set.active).toBe("default");
    expect(set.names).toEqual(["default"]);
    expect(await numbersOf(model, ids)).toEqual(adapted);
  });

  test("one of another kind stands beside the base alone, and leaves theirs in use", async () => {
    const model = smallLlama();
    const lora = await addLora(model, { rank: 2, targets: "all-linear" });
    stir(model);
    const adapted = await numbersOf(model, ids);
    const factors = await addIa3(model, { targets: "all-linear" });
    expect(factors.places.map(({ name }) => name)).toEqual(lora.places.map(({ name }) => name));
    expect(apart(adapted, await numbersOf(model, ids))).toBeLessThan(1e-6);
  });

  test("factors of inputs and of outputs of one layer cannot share a graph", async () => {
    const model = smallLlama();
    const set = await addIa3(model, { targets: "q_proj" });
    await expect(addIa3(model, { feedForward: "q_proj" }, { name: "b" })).rejects.toThrow(
      /of "model.layers.0.self_attn.q_proj" the outputs are multiplied there and the inputs here; list it alike in feedForward/,
    );
    expect(set.names).toEqual(["default"]);
  });
});

test("random values come from the seed", async () => {
  const values = async (seed: number) => {
    const set = await addLora(smallLlama(), { rank: 2 }, { seed });
    return [...set.tensors("default").values()][0]?.toNumbers();
  };
  expect(await values(1)).toEqual(await values(1));
  expect(await values(1)).not.toEqual(await values(2));
  expect(new Random(keyOf(1)).uniform()).toBeLessThan(1);
});
