/** Files of weights, alone and with the config that says what is computed of them. */
import { groupBy } from "../../src/core/group-by.ts";
import { type Tensor, tensor } from "../../src/core/tensor.ts";
import { modelFromConfig } from "../../src/formats/huggingface.ts";
import { fill } from "../../src/models/testing/fill.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/storage/safetensors.ts";
import { safetensorsHeader, within } from "../mutate/frames.ts";
import { ggufHeader } from "../mutate/gguf.ts";
import { jsonIn } from "../mutate/json.ts";
import { type Files, readAll, type Target } from "../target.ts";
import { jsonBytes, jsonFixture, oneFile } from "./fixtures.ts";
import { inspectAndLoad, inspectAndLoadFolder, inspectPath } from "./inspected.ts";

interface Recorded {
  readonly models: Readonly<Record<string, { readonly config?: Readonly<Record<string, unknown>> }>>;
}

/** Configs of every family, of models with two small layers. */
const recordedConfigs = (): readonly (readonly [string, Readonly<Record<string, unknown>>])[] =>
  [
    "families/decoders",
    "families/encoders",
    "families/sound",
    "families/towers",
    "families/translators",
    "families/vision",
    "transformers",
  ].flatMap((name) =>
    Object.entries(jsonFixture<Recorded>(`models/${name}.json`).models).flatMap(([key, { config }]) =>
      config ? [[key, config] as const] : [],
    ),
  );

export const config: Target = {
  name: "config",
  reads: "config.json of Hugging Face's: `inspect`",
  seeds: (): readonly Files[] => recordedConfigs().map(([, own]) => ({ "config.json": jsonBytes(own) })),
  mutations: [jsonIn("config.json"), jsonIn("config.json"), jsonIn("config.json")],
  read: (input) => inspectPath(input.path("config.json")),
};

/** The folder of a model with weights that a test makes up. */
function folderOf(own: Readonly<Record<string, unknown>>): Files {
  const { inputs, build } = modelFromConfig(own);
  const model = build();
  model.trace(inputs);
  fill(model);
  const weights = Object.fromEntries([...model.parameters()].map(([path, { value }]) => [path, value as Tensor]));
  return { "config.json": jsonBytes(own), "model.safetensors": encodeSafetensors(weights) };
}

function sharded(files: Files): Files {
  const { tensors } = decodeSafetensors(files["model.safetensors"] as Uint8Array);
  const halves = [
    ...groupBy(Object.entries(tensors), ([name]) =>
      name.length % 2 === 0 ? "first.safetensors" : "second.safetensors",
    ),
  ];
  const weight_map = Object.fromEntries(halves.flatMap(([file, entries]) => entries.map(([name]) => [name, file])));
  return {
    "config.json": files["config.json"] as Uint8Array,
    ...Object.fromEntries(halves.map(([file, entries]) => [file, encodeSafetensors(Object.fromEntries(entries))])),
    "model.safetensors.index.json": jsonBytes({ metadata: {}, weight_map }),
  };
}

const small = ["LlamaForSequenceClassification", "BertModel", "GPT2LMHeadModel"];

export const folder: Target = {
  name: "model-folder",
  reads: "folders of Hugging Face's models, whole and in shards: `inspect`, `loadModel`",
  seeds() {
    const whole = recordedConfigs()
      .filter(([name]) => small.includes(name))
      .slice(0, 3)
      .map(([, own]) => folderOf(own));
    return [...whole, ...whole.slice(0, 1).map(sharded)];
  },
  mutations: [
    jsonIn("config.json"),
    jsonIn("model.safetensors.index.json"),
    within("model.safetensors", safetensorsHeader),
    within("first.safetensors", safetensorsHeader),
  ],
  read: inspectAndLoadFolder,
};

const file = "model.safetensors";

export const safetensors: Target = {
  name: "safetensors",
  reads: "safetensors: `decodeSafetensors`, `inspect`",
  seeds: (): readonly Files[] => [
    {
      [file]: encodeSafetensors(
        {
          "layers.0.weight": tensor([
            [1, 2, 3],
            [4, 5, 6],
          ]),
          "layers.0.bias": tensor([1, 2]),
          ids: tensor([1, 2, 3], { dtype: "int64" }),
          mask: tensor([1, 0], { dtype: "bool" }),
          scalar: tensor(7),
        },
        { format: "pt" },
      ),
    },
    // A matrix in blocks of GPTQ's, and one of bitsandbytes.
    {
      [file]: encodeSafetensors({
        "h.0.q.qweight": tensor(new Int32Array(8 * 16), { shape: [8, 16], dtype: "int32" }),
        "h.0.q.qzeros": tensor(new Int32Array(4), { shape: [2, 2], dtype: "int32" }),
        "h.0.q.scales": tensor(new Float32Array(32), { shape: [2, 16] }),
        "h.0.q.g_idx": tensor(new Int32Array(64), { dtype: "int32" }),
        "h.0.attn.bias": tensor(new Float32Array(16), { shape: [1, 1, 4, 4] }),
      }),
    },
  ],
  mutations: [within(file, safetensorsHeader), within(file, safetensorsHeader)],
  read: (input) =>
    readAll(
      () => decodeSafetensors(input.bytes(file)),
      () => inspectPath(input.path(file)),
    ),
};

export const gguf: Target = {
  name: "gguf",
  reads: "GGUF: `inspect`, `loadModel`",
  seeds: (): readonly Files[] => oneFile("model.gguf", "gguf/qwen2.gguf", "gguf/llama.gguf"),
  mutations: [within("model.gguf", ggufHeader), within("model.gguf", ggufHeader)],
  read: inspectAndLoad("model.gguf"),
};
