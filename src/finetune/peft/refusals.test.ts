/** Files of PEFT that do not fit a model, are damaged, or say what is not supported. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { dense } from "../../nn/index.ts";
import { addBottleneck, addIa3, addLora, decodePeft, encodePeft } from "../index.ts";
import { ids, numbersOf, smallLlama } from "../testing/models.ts";
import { changed, given, rename } from "../testing/peft-files.ts";

describe("what is refused, with the model as it was", () => {
  const drop = (pattern: RegExp) => (own: Record<string, Tensor>) =>
    Object.fromEntries(Object.entries(own).filter(([name]) => !pattern.test(name)));
  const replaced = (pattern: RegExp, shape: readonly number[]) => (own: Record<string, Tensor>) =>
    Object.fromEntries(
      Object.entries(own).map(([name, t]) => [
        name,
        pattern.test(name) ? new Tensor("float32", shape, new Float32Array(shape.reduce((a, b) => a * b, 1))) : t,
      ]),
    );

  test.each([
    [
      "a base with other layers",
      {},
      rename(/layers\.1/, "layers.7"),
      /"base_model.model.model.layers.7.self_attn.[qv]_proj.lora_[AB].weight" .* stands beside "model.layers.7.self_attn.[qv]_proj", which the model does not have; the adapter was trained on "meta-llama\/base"/,
    ],
    [
      "a base of another width",
      {},
      replaced(/0.self_attn.q_proj.lora_A/, [2, 4096]),
      /q_proj.lora_A.weight" is \[2, 4096\], expected \[2, 16\]; the adapter was trained on "meta-llama\/base": load it into that model/,
    ],
    [
      "another rank",
      { r: 4 },
      undefined,
      /is \[2, 16\], expected \[4, 16\]: its rank is 2, and that of adapter_config.json \(r, rank_pattern\) 4/,
    ],
    [
      "a tensor that is missing",
      {},
      drop(/layers.1.self_attn.v_proj.lora_B/),
      /there is no tensor for "model.layers.1.self_attn.v_proj.lora_B.weight" \[8, 2\], which adapter_config.json asks for/,
    ],
    [
      "tensors of a module that is no target",
      { target_modules: ["q_proj"] },
      undefined,
      /v_proj.lora_[AB].weight" .* stands beside "model.layers.\d.self_attn.v_proj", and adapter_config.json asks for no such tensor there \(target_modules \["q_proj"\]\)/,
    ],
    [
      "tensors of a block that is not transformed",
      { layers_to_transform: 0 },
      undefined,
      /stands beside "model.layers.1.self_attn.[qv]_proj", and adapter_config.json asks for no such tensor there/,
    ],
    [
      "a target without tensors",
      { target_modules: ["q_proj", "v_proj", "o_proj"] },
      undefined,
      /there is no tensor for "model.layers.0.self_attn.o_proj.lora_A.weight"/,
    ],
    [
      "targets that no layer has",
      { target_modules: ["query"] },
      drop(/./),
      /target_modules is \["query"\], which names no layer of the model/,
    ],
    ["DoRA without magnitudes", { use_dora: true }, undefined, /there is no tensor for ".*lora_magnitude_vector"/],
    [
      "a vocabulary that grew",
      {},
      (own) => ({
        ...own,
        "base_model.model.model.embed_tokens.weight": new Tensor("float32", [21, 16], new Float32Array(336)),
      }),
      /embed_tokens.weight" is \[21, 16\], expected \[20, 16\]; the adapter was trained on/,
    ],
    [
      "another embedding",
      {},
      (own) => ({
        ...own,
        "base_model.model.model.embed_tokens.weight": new Tensor("float32", [20, 16], new Float32Array(320)),
      }),
      /holds other numbers than the model/,
    ],
    [
      "NaN",
      {},
      (own) =>
        Object.fromEntries(
          Object.entries(own).map(([name, { shape, data }]) => [
            name,
            new Tensor(
              "float32",
              shape,
              Float32Array.from(data as Float32Array, () => Number.NaN),
            ),
          ]),
        ),
      /holds numbers that are not finite/,
    ],
    [
      "whole numbers",
      {},
      (own) =>
        Object.fromEntries(
          Object.entries(own).map(([name, { shape, data }]) => [
            name,
            new Tensor("int8", shape, new Int8Array(data.length)),
          ]),
        ),
      /is int8, expected float32, float16 or bfloat16/,
    ],
    [
      "PiSSA",
      { init_lora_weights: "pissa_niter_16" },
      undefined,
      /init_lora_weights is "pissa_niter_16"; such an adapter began by changing the weights of its base/,
    ],
    ["LoftQ", { init_lora_weights: "loftq" }, undefined, /such an adapter began by changing/],
    [
      "a bias of the path",
      { lora_bias: true },
      undefined,
      /lora_bias is true, which changes what is computed and is not supported; merge the adapter/,
    ],
    ["QA-LoRA", { use_qalora: true }, undefined, /use_qalora is true/],
    ["aLoRA", { alora_invocation_tokens: [1] }, undefined, /alora_invocation_tokens is \[1\]/],
    ["trained tokens", { trainable_token_indices: [1] }, undefined, /trainable_token_indices/],
    ["parameters as targets", { target_parameters: ["experts.down_proj"] }, undefined, /target_parameters/],
    ["another kind", { peft_type: "LOHA" }, undefined, /peft_type is "LOHA", supported are LORA, IA3, PROMPT_TUNING/],
    [
      "fields of wrong types",
      { r: "8", lora_alpha: -1 },
      undefined,
      /adapter_config.json: r is "8", expected a whole number from 1; lora_alpha is -1, expected a number above 0; correct the file/,
    ],
    [
      "an expression that is none",
      { target_modules: "(q_proj" },
      undefined,
      /target_modules has .*, which is no regular expression/,
    ],
  ] as readonly (readonly [
    string,
    object,
    ((own: Record<string, Tensor>) => Record<string, Tensor>) | undefined,
    RegExp,
  ])[])("%s", async (_, fields, tensors, message) => {
    const { file } = await given();
    const model = smallLlama();
    const before = await numbersOf(model, ids);
    await expect(decodePeft(model, ...changed(file, fields, tensors))).rejects.toThrow(message);
    expect(await numbersOf(model, ids)).toEqual(before);
    expect([...model.parameters().keys()]).toEqual([...smallLlama().parameters().keys()]);
    expect([...model.parameters().values()].some(({ frozen }) => frozen)).toBe(false);
  });

  test("factors on the other side of a layer", async () => {
    const file = encodePeft(await addIa3(smallLlama()), "default");
    await expect(decodePeft(smallLlama(), ...changed(file, { feedforward_modules: [] }))).rejects.toThrow(
      /down_proj.ia3_l" \[1, 24\] has factors of inputs, and feedforward_modules says that "model.layers.0.mlp.down_proj" has its outputs multiplied/,
    );
  });

  test("kinds that PEFT's files do not have, and the model itself", async () => {
    const set = await addBottleneck(smallLlama(), { units: 2 });
    expect(() => encodePeft(set, "default")).toThrow(/"bottleneck" have no form in PEFT's files/);
    const alone = dense(2);
    alone.initialize(keyOf(0), { dtype: "float32", shape: [1, 3] });
    const own = await addLora(alone, { rank: 1, targets: "model" });
    expect(() => encodePeft(own, "default")).toThrow(/stands beside the model itself/);
  });

  test("files that are cut or whose header has other bits", async () => {
    const { file } = await given();
    for (let end = 0; end < file.weights.length; end += 97)
      await expect(decodePeft(smallLlama(), file.config, file.weights.slice(0, end))).rejects.toThrow(
        /safetensors|tensor/,
      );
    for (let at = 0; at < 400; at += 13) {
      const bytes = file.weights.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      await decodePeft(smallLlama(), file.config, bytes).catch((error: Error) => {
        expect(error).toHaveProperty("code");
        expect(error.message).not.toMatch(/^internal/);
      });
    }
  });
});
