/** The forms that PEFT's files have beside those that are written here. */
import { describe, expect, test } from "vitest";
import { float16Bits } from "../../core/half.ts";
import { keyOf } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { llamaArchitectures } from "../../models/index.ts";
import type { Module } from "../../nn/index.ts";
import { decodeSafetensors } from "../../storage/safetensors.ts";
import { predict } from "../../train/index.ts";
import { addLora, decodePeft, encodePeft } from "../index.ts";
import { apart, ids, numbersOf, smallLlama, stir } from "../testing/models.ts";
import { changed, given, image, network, rename } from "../testing/peft-files.ts";

describe("forms that files have", () => {
  test.each([
    ["of the bare model", {}, rename(/^base_model\.model\.model\./, "base_model.model.")],
    ["without PEFT's prefix", {}, rename(/^base_model\.model\./, "")],
    ["of a model around it", {}, rename(/^base_model\.model\./, "base_model.model.language_model.")],
    ["targets as a regular expression", { target_modules: ".*\\.(q|v)_proj" }, undefined],
    ["targets and layers", { layers_to_transform: [0, 1], layers_pattern: "layers" }, undefined],
    ["targets that are left out", { target_modules: null }, undefined],
    ["excluded modules", { target_modules: ["q_proj", "v_proj", "o_proj"], exclude_modules: ".*o_proj" }, undefined],
    ["heads that the class does not have", { modules_to_save: ["classifier", "score"] }, undefined],
    [
      "patterns that match nothing",
      { rank_pattern: { k_proj: 9 }, alpha_pattern: { "layers\\.9\\..*": 1 } },
      undefined,
    ],
    [
      "the embedding beside it",
      {},
      (own: Record<string, Tensor>) => {
        const table = smallLlama().parameters().get("model.embed_tokens.weight")?.value as Tensor;
        return { ...own, "base_model.model.model.embed_tokens.base_layer.weight": table };
      },
    ],
  ] as const)("%s", async (_, fields, tensors) => {
    const { file, outputs } = await given();
    const model = smallLlama();
    await decodePeft(model, ...changed(file, fields, tensors));
    expect(apart(outputs, await numbersOf(model, ids))).toBeLessThan(1e-6);
  });

  test("an adapter of the class with a head, for the bare model", async () => {
    const { file } = await given();
    const bare = llamaArchitectures.LlamaModel({
      sizes: { layers: 2, width: 16, heads: 4, feedForward: 24, vocabulary: 20, positions: 24 },
      attention: { keyHeads: 2 },
    }) as unknown as Module;
    bare.initialize(keyOf(3), { dtype: "int32", shape: [2, 6] });
    const set = await decodePeft(
      bare,
      ...changed(file, { target_modules: "model\\.layers\\.\\d\\.self_attn\\.[qv]_proj" }),
    );
    expect(set.placesOf("default").length).toBe(4);
    expect(encodePeft(set, "default").config).toMatchObject({ target_modules: ["q_proj", "v_proj"] });
  });

  test("ranks by regular expressions, the first that matches", async () => {
    const { file, outputs } = await given({
      scaling: { ranks: { "layers.1.self_attn.q_proj": 5 }, alphas: { v_proj: 8 } },
    });
    const model = smallLlama();
    const set = await decodePeft(
      model,
      ...changed(file, {
        rank_pattern: { "layers\\.1\\..*q_proj": 5, q_proj: 2 },
        alpha_pattern: { "self_attn.v.*": 8 },
      }),
    );
    expect(apart(outputs, await numbersOf(model, ids))).toBeLessThan(1e-6);
    expect(encodePeft(set, "default").config).toMatchObject({
      rank_pattern: { "layers\\.1\\..*q_proj": 5, q_proj: 2 },
    });
  });

  test("bfloat16 becomes float32", async () => {
    const { file, outputs } = await given();
    const { tensors } = decodeSafetensors(file.weights);
    // The upper halves of float32.
    const halves = Object.entries(tensors).map(([name, { shape, data }]) => {
      const bits = new Uint32Array(Float32Array.from(data as Float32Array).buffer);
      return { name, shape, bytes: new Uint8Array(Uint16Array.from(bits, (own) => own >>> 16).buffer) };
    });
    let end = 0;
    const header = halves.map(({ name, shape, bytes }) => {
      const begin = end;
      end += bytes.length;
      return [name, { dtype: "BF16", shape, data_offsets: [begin, end] }];
    });
    const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
    const length = new Uint8Array(new BigUint64Array([BigInt(json.length)]).buffer);
    const model = smallLlama();
    const bytes = Uint8Array.from([length, json, ...halves.map((own) => own.bytes)].flatMap((part) => [...part]));
    const set = await decodePeft(model, file.config, bytes);
    expect([...set.tensors("default").values()].every(({ dtype }) => dtype === "float32")).toBe(true);
    // bfloat16 has 8 bits, cut off here.
    expect(apart(outputs, await numbersOf(model, ids))).toBeLessThan(0.1);
  });

  test("all linear layers", async () => {
    const { file, outputs } = await given({ targets: "all-linear" });
    const model = smallLlama();
    await decodePeft(model, ...changed(file, { target_modules: "all-linear" }));
    expect(apart(outputs, await numbersOf(model, ids))).toBeLessThan(1e-6);
  });

  test("half floats become float32", async () => {
    const { file, outputs } = await given();
    const half = ({ shape, data }: Tensor) =>
      new Tensor("float16", shape, Uint16Array.from(data as Float32Array, float16Bits));
    const model = smallLlama();
    const set = await decodePeft(
      model,
      ...changed(file, {}, (own) =>
        Object.fromEntries(Object.entries(own).map(([name, tensor]) => [name, half(tensor)])),
      ),
    );
    expect([...set.tensors("default").values()].every(({ dtype }) => dtype === "float32")).toBe(true);
    // float16 has 11 bits.
    expect(apart(outputs, await numbersOf(model, ids))).toBeLessThan(5e-3);
  });

  test("the magnitudes of DoRA with and without .weight, of convolutions with and without axes of 1", async () => {
    const model = network();
    const set = await addLora(model, { rank: 2, dora: true, targets: ["layers.0", "layers.2"] });
    stir(model);
    const file = encodePeft(set, "default");
    for (const tensors of [
      rename(/vector$/, "vector.weight"),
      (own: Record<string, Tensor>) =>
        Object.fromEntries(
          Object.entries(own).map(([name, t]) => [
            name,
            name.endsWith("vector") ? new Tensor("float32", [t.data.length], t.data as Float32Array<ArrayBuffer>) : t,
          ]),
        ),
    ]) {
      const fresh = network();
      await decodePeft(fresh, ...changed(file, {}, tensors));
      expect((await predict(fresh, image)).toNumbers()).toEqual((await predict(model, image)).toNumbers());
    }
  });

  test("fields that are not known are reported, and saved again", async () => {
    const { file } = await given();
    const notes: string[] = [];
    const fields = { task_type: "CAUSAL_LM", velora_config: { rank: 1 }, peft_version: "0.19.0", new_flag: false };
    const set = await decodePeft(smallLlama(), ...changed(file, fields), { report: (note) => notes.push(note) });
    expect(notes).toEqual([
      "adapter_config.json: velora_config is not known here and changed nothing; a file that is saved of the adapter has it again",
    ]);
    expect(encodePeft(set, "default").config).toMatchObject(fields);
  });

  test("several in one model, whose rates of dropout differ", async () => {
    const { file, outputs } = await given();
    const model = smallLlama();
    const notes: string[] = [];
    const set = await decodePeft(model, ...changed(file, {}), { name: "a" });
    await decodePeft(model, ...changed(file, { lora_dropout: 0.1 }), { name: "b", report: (note) => notes.push(note) });
    expect(set.names).toEqual(["a", "b"]);
    expect(notes[0]).toMatch(/lora_dropout is 0.1, and the adapters that the model has drop at 0/);
    expect(apart(outputs, await numbersOf(model, ids))).toBeLessThan(1e-6);
  });
});
