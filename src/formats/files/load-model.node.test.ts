/** Models from files and folders of every kind, and what is said of those that are none. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FileError, OptionError } from "../../core/errors.ts";
import { float16Bits } from "../../core/half.ts";
import { keyOf } from "../../core/random.ts";
import type { Shape } from "../../core/shape.ts";
import { sameTensor, Tensor, tensor } from "../../core/tensor.ts";
import { graphOf, input, type Value } from "../../graph/ir.ts";
import { fill, integers, signed } from "../../models/testing/fill.ts";
import { type AnyModule, dense, type Module, sequential } from "../../nn/index.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import { encodeMessage } from "../../onnx/codec.ts";
import { encodeModel } from "../../onnx/model.ts";
import { ModelProto } from "../../onnx/schema.ts";
import * as ops from "../../ops/index.ts";
import { encodeSafetensors } from "../../storage/safetensors.ts";
import { predict } from "../../train/predict.ts";
import { modelFromConfig } from "../huggingface.ts";
import { ImportedModule } from "../imported-module.ts";
import { run } from "../testing/run.ts";
import { exportOnnx } from "./export-onnx.node.ts";
import { loadModel } from "./load-model.node.ts";
import { saveModel } from "./save-model.node.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "sardonyx-load-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Writes a file of a folder that is made for it, and returns its path. */
function put(path: string, content: Uint8Array | string | object): string {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content instanceof Uint8Array || typeof content === "string" ? content : JSON.stringify(content));
  return full;
}

const type = { dtype: "float32", shape: [1, 4] } as const;

/** A small network with the values of a seed. */
function network(seed: number) {
  const model = sequential([dense(3, { activation: "relu" }), dense(2)]);
  model.trace(type);
  model.initialize(keyOf(seed));
  return model;
}

const tensorsOf = (model: AnyModule) =>
  Object.fromEntries([...model.parameters()].map(([path, { value }]) => [path, value as Tensor]));

const x = signed("x", [3, 4]);
const ask = (model: AnyModule) => predict(model as Module<Value, Value>, x);

async function expectSame(model: AnyModule, other: AnyModule): Promise<void> {
  expect(sameTensor(await ask(model), await ask(other))).toBe(true);
}

const refuses = async (loading: Promise<unknown>, message: string) => {
  const error = await loading.then(
    () => undefined,
    (own: unknown) => own,
  );
  expect(error).toBeInstanceOf(FileError);
  expect((error as Error).message).toContain(message);
};

describe("saved models", () => {
  test("come back from their folder, which holds one file", async () => {
    const model = network(1);
    const folder = join(root, "saved", "deep");
    expect(await saveModel(model, folder)).toEqual({ obstacle: undefined });
    expect(readdirSync(folder)).toEqual(["model.onnx"]);
    const again = await loadModel<Value, Value>(folder);
    await expectSame(again, model);
    // Another one takes its place as a whole.
    await saveModel(network(2), folder);
    expect(readdirSync(folder)).toEqual(["model.onnx"]);
    await expectSame(await loadModel(folder), network(2));
    await expectSame(again, model);
  });

  test("and exported ones come back from their file", async () => {
    const path = join(root, "exported.onnx");
    expect(await exportOnnx(network(1), path)).toEqual({ obstacle: undefined });
    const model = await loadModel(path, { inputs: [2, 4] });
    expect(model).toBeInstanceOf(ImportedModule);
    expect(model.inputTypes).toEqual({ input: { dtype: "float32", shape: [2, 4] } });
    await expectSame(model, network(1));
  });

  test("are not half-written where a folder cannot be made", async () => {
    const file = put("no-folder", "text");
    await expect(saveModel(network(1), join(file, "inside"))).rejects.toThrow(FileError);
  });
});

describe("the folder of a run", () => {
  const runFolder = async (name: string, files: Readonly<Record<string, Record<string, Tensor>>>) => {
    const folder = join(root, name);
    await saveModel(network(1), folder);
    put(`${name}/run.json`, { format: "sardonyx-run-1" });
    for (const [file, tensors] of Object.entries(files)) put(`${name}/${file}`, encodeSafetensors(tensors));
    return folder;
  };
  const remembered = { "optimizer/m/layers.0.weight": tensor([1]), "callbacks/0": tensor([2]) };

  test("has the weights of its checkpoint, and of its best epoch where that is asked for", async () => {
    const folder = await runFolder("run", {
      "checkpoint.safetensors": { ...tensorsOf(network(2)), ...remembered },
      "best.safetensors": { ...tensorsOf(network(3)), ...remembered },
    });
    await expectSame(await loadModel(folder), network(2));
    await expectSame(await loadModel(folder, { best: true }), network(3));
  });

  test("has those of its model without a checkpoint", async () => {
    const folder = await runFolder("fresh-run", {});
    await expectSame(await loadModel(folder), network(1));
    await refuses(loadModel(folder, { best: true }), "has no best.safetensors; leave out best");
  });

  test("is refused where the two do not fit, or the model is not there", async () => {
    const { "layers.0.bias": bias, ...rest } = tensorsOf(network(2));
    const lacking = await runFolder("lacking-run", { "checkpoint.safetensors": { ...rest, ...remembered } });
    await refuses(loadModel(lacking), 'it lacks the parameter "layers.0.bias" of the model.onnx beside it');
    const other = await runFolder("other-run", { "checkpoint.safetensors": { ...rest, "layers.0.bias": tensor([1]) } });
    await refuses(loadModel(other), 'parameter "layers.0.bias" is [1] in it and [3] in the model.onnx beside it');
    expect(bias?.shape).toEqual([3]);
    put("empty-run/run.json", {});
    await refuses(loadModel(join(root, "empty-run")), "is the folder of a run without model.onnx");
  });

  test("is what best is for", async () => {
    await saveModel(network(1), join(root, "no-run"));
    await expect(loadModel(join(root, "no-run"), { best: true })).rejects.toThrow(OptionError);
    await expect(loadModel(join(root, "no-run"), { best: true })).rejects.toThrow("best is for the folder of a run");
  });
});

describe("ONNX files", () => {
  test("of which nothing is needed any more when they are loaded", async () => {
    const [value, w] = [input("float32", [1, 2], "x"), input("float32", [2, 2], "w")];
    const y = ops.add(ops.matmul(value, w), ops.constant(tensor([[10, 20]])));
    const initializers = new Map([
      [
        w,
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ],
    ]);
    const path = put("plain/matrix.onnx", encodeModel(graphOf([value, w], [y]), { initializers }));
    const model = await loadModel(path);
    rmSync(path);
    expect(((await predict(model, tensor([[1, 1]]))) as Tensor).toArray()).toEqual([[14, 26]]);
  });

  /** y = x w, of which w lies in another file. */
  const outside = (location: string) =>
    encodeMessage(ModelProto, {
      ir_version: 8,
      opset_import: [{ domain: "", version: 17 }],
      graph: {
        input: [
          { name: "x", type: { tensor_type: { elem_type: 1, shape: { dim: [{ dim_value: 1 }, { dim_value: 2 }] } } } },
        ],
        output: [{ name: "y" }],
        node: [{ op_type: "MatMul", input: ["x", "w"], output: ["y"] }],
        initializer: [
          {
            name: "w",
            dims: [2, 1],
            data_type: 1,
            data_location: 1,
            external_data: [{ key: "location", value: location }],
          },
        ],
      },
    });

  test("with tensors in a file beside them, and none outside their folder", async () => {
    put("parts/w.bin", new Uint8Array(Float32Array.of(3, 5).buffer));
    const model = await loadModel(put("parts/matrix.onnx", outside("w.bin")));
    expect(((await predict(model, tensor([[1, 10]]))) as Tensor).toArray()).toEqual([[53]]);
    await refuses(loadModel(put("parts/stray.onnx", outside("../plain/w.bin"))), "lies outside the folder");
    await refuses(loadModel(put("parts/alone.onnx", outside("v.bin"))), "v.bin cannot be read: there is no such file");
  });
});

interface Plain {
  readonly shape: Shape;
  readonly data: readonly number[];
}
interface RecordedModel {
  readonly config: Readonly<Record<string, unknown>>;
  readonly runs: { readonly plain: { readonly output: Plain; readonly pooled?: Plain } };
}

/** Written by scripts/record-transformer-fixtures.py: outputs of Hugging Face's library. */
const { models } = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/models/transformers.json", import.meta.url), "utf8"),
) as { readonly models: Readonly<Record<string, RecordedModel>> };

describe("Hugging Face folders", () => {
  const { config, runs } = models["BertModel"] as RecordedModel;
  const filled = () => {
    const { build, inputs } = modelFromConfig(config);
    const model = build();
    model.trace(inputs);
    fill(model);
    return tensorsOf(model);
  };
  const check = async (folder: string) => {
    const model = await loadModel(folder);
    const [output, pooled] = await run(model, integers("ids", [2, 7], 31));
    const { output: wanted, pooled: wantedPooled } = runs.plain;
    expectClose(output, tensor(wanted.data, { shape: wanted.shape }), "states");
    if (wantedPooled) expectClose(pooled, tensor(wantedPooled.data, { shape: wantedPooled.shape }), "pooled");
  };

  test("of one file", async () => {
    put("bert/config.json", config);
    const path = put("bert/model.safetensors", encodeSafetensors(filled()));
    for (const given of [join(root, "bert"), join(root, "bert", "config.json"), path]) await check(given);
  });

  test("with other types of inputs than the config's", async () => {
    const load = (inputs: Parameters<typeof loadModel>[1]) => loadModel(join(root, "bert"), inputs);
    const type = (length: number) => ({ dtype: "int64", shape: [2, length] });
    expect((await load({ inputs: [2, 5] })).inputTypes).toEqual({ x: type(5) });
    expect((await load({ inputs: { x: [2, 5], mask: [2, 5] } })).inputTypes).toEqual({ x: type(5), mask: type(5) });
    await expect(load({ inputs: { ids: [2, 5] } })).rejects.toThrow('unknown input "ids"');
  });

  test("what the class does not have is reported, but for buffers and copies of tied weights", async () => {
    const more = {
      "cls.bias": tensor([1]),
      "embeddings.position_ids": tensor([[0n]]),
      "lm_head.weight": tensor([[1]]),
    };
    put("beyond/config.json", config);
    put("beyond/model.safetensors", encodeSafetensors({ ...filled(), ...more }));
    const notes: string[] = [];
    await loadModel(join(root, "beyond"), { report: (note) => notes.push(note) });
    expect(notes).toEqual([
      "Not in a BertModel: 1 tensor of the checkpoint, cls.bias. Name the class that it was saved from in config.json where they are to be loaded.",
    ]);
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    await loadModel(join(root, "beyond"));
    expect(await warned).toMatchObject({ name: "LoadWarning", message: notes[0] });
  });

  test("of shards with their index", async () => {
    const entries = Object.entries(filled());
    put("sharded/config.json", config);
    const map = Object.fromEntries(entries.map(([name], i) => [name, i % 2 ? "b.safetensors" : "a.safetensors"]));
    for (const file of ["a.safetensors", "b.safetensors"])
      put(`sharded/${file}`, encodeSafetensors(Object.fromEntries(entries.filter(([name]) => map[name] === file))));
    put("sharded/model.safetensors.index.json", { weight_map: map });
    await check(join(root, "sharded"));
    put("sharded/model.safetensors.index.json", { weight_map: { ...map, "more.weight": "a.safetensors" } });
    await refuses(
      loadModel(join(root, "sharded")),
      'its weight_map places "more.weight" in a.safetensors, which has no such tensor',
    );
    put("sharded/model.safetensors.index.json", { weight_map: { ...map, x: "../bert/model.safetensors" } });
    await refuses(loadModel(join(root, "sharded")), "lies outside the folder");
  });

  test("of a class with a head, with TensorFlow's names and tensors beyond", async () => {
    const tensors = Object.fromEntries(
      Object.entries(filled()).map(([name, own]) => [
        `bert.${name.replace(/LayerNorm\.weight$/, "LayerNorm.gamma").replace(/LayerNorm\.bias$/, "LayerNorm.beta")}`,
        own,
      ]),
    );
    put("headed/config.json", config);
    const ids = new Tensor("int64", [1, 2], BigInt64Array.of(0n, 1n));
    put(
      "headed/model.safetensors",
      encodeSafetensors({ ...tensors, "bert.embeddings.position_ids": ids, "cls.bias": tensor([1]) }),
    );
    await check(join(root, "headed"));
  });

  test("of a language model that was saved without its head, as gpt2 is published", async () => {
    const gpt2 = {
      ...{ model_type: "gpt2", architectures: ["GPT2LMHeadModel"], vocab_size: 11, n_positions: 8, n_embd: 8 },
      ...{ n_layer: 1, n_head: 2 },
    };
    const whole = modelFromConfig(gpt2).build();
    const ids = integers("x", [1, 5], 11);
    whole.initialize(keyOf(3), { x: ids });
    const stripped = Object.entries(tensorsOf(whole)).map(([name, own]) => [name.replace(/^transformer\./, ""), own]);
    const mask = new Tensor("float32", [1, 1, 8, 8], new Float32Array(64).fill(1));
    put("published/config.json", gpt2);
    put("published/model.safetensors", encodeSafetensors({ ...Object.fromEntries(stripped), "h.0.attn.bias": mask }));
    const loaded = await loadModel(join(root, "published"));
    const logits = (model: AnyModule) => predict(model as Module<{ x: Value }, Value>, { x: ids });
    expect(sameTensor(await logits(loaded), await logits(whole))).toBe(true);
  });

  test("whose weights are packed are unpacked, and refused where a part is missing", async () => {
    const [name] = Object.keys(filled()).filter((own) => own.endsWith("query.weight"));
    const { [name as string]: matrix, ...others } = filled();
    const layer = (name as string).replace(/\.weight$/, "");
    const [out = 1, into = 1] = (matrix as Tensor).shape;
    // Every number is 9 - (7 + 1) = 1, times the scale of its column.
    const words = (rows: number, columns: number, word: number) =>
      new Tensor("int32", [rows, columns], new Int32Array(rows * columns).fill(word));
    const scales = new Tensor(
      "float32",
      [1, out],
      Float32Array.from({ length: out }, (_, i) => i + 1),
    );
    const packed = {
      [`${layer}.qweight`]: words(into / 8, out, 0x99999999 | 0),
      [`${layer}.qzeros`]: words(1, out / 8, 0x77777777),
      [`${layer}.scales`]: scales,
    };
    put("packed/config.json", config);
    put("packed/model.safetensors", encodeSafetensors({ ...others, ...packed }));
    const parameter = (await loadModel(join(root, "packed"))).parameters().get(name as string);
    expect(parameter?.value?.shape).toEqual([out, into]);
    expect(Array.from((parameter?.value?.data ?? []) as ArrayLike<number>)).toEqual(
      Array.from({ length: out * into }, (_, i) => Math.floor(i / into) + 1),
    );
    const { [`${layer}.qzeros`]: _, ...less } = packed;
    put("packed/model.safetensors", encodeSafetensors({ ...others, ...less }));
    await refuses(loadModel(join(root, "packed")), `the checkpoint lacks 1 of the`);
  });

  test("of half floats", async () => {
    const halves = Object.fromEntries(
      Object.entries(filled()).map(([name, { shape, data }]) => [
        name,
        new Tensor("float16", shape, Uint16Array.from(data as Float32Array, float16Bits)),
      ]),
    );
    put("half/config.json", config);
    put("half/model.safetensors", encodeSafetensors(halves));
    const model = await loadModel(join(root, "half"));
    const [path, { value }] = [...model.parameters()][0] as [string, { value: Tensor }];
    expect(value.dtype).toBe("float32");
    expect(value.toNumbers()).toEqual((halves[path] as Tensor).toNumbers());
  });

  test("are refused with what they lack", async () => {
    const [[first, value], ...rest] = Object.entries(filled()) as [[string, Tensor], ...[string, Tensor][]];
    put("lacking/config.json", config);
    put("lacking/model.safetensors", encodeSafetensors(Object.fromEntries(rest)));
    await refuses(
      loadModel(join(root, "lacking")),
      `tensors of a BertModel: ${first}; name the class that it was saved from`,
    );
    put("lacking/model.safetensors", encodeSafetensors({ ...Object.fromEntries(rest), [first]: tensor([1]) }));
    await refuses(
      loadModel(join(root, "lacking")),
      `the tensor "${first}" is [1], and the config.json beside it wants [${value.shape.join(", ")}]`,
    );
    const alone = put("alone/model.safetensors", encodeSafetensors(filled()));
    await refuses(loadModel(alone), "no config.json beside it says what is computed of them");
    put("pickled/config.json", config);
    put("pickled/pytorch_model.bin", Uint8Array.from([0x50, 0x4b, 3, 4, 0, 0]));
    await refuses(
      loadModel(join(root, "pickled")),
      "pickled code, which is never run here; save the weights as safetensors",
    );
  });
});

describe("TensorFlow.js folders", () => {
  const layers = {
    modelTopology: {
      class_name: "Sequential",
      config: { layers: [{ class_name: "Dense", config: { name: "only", units: 1, batch_input_shape: [null, 2] } }] },
    },
    weightsManifest: [
      {
        paths: ["w1.bin", "w2.bin"],
        weights: [
          { name: "only/kernel", shape: [2, 1], dtype: "float32" },
          { name: "only/bias", shape: [1], dtype: "float32" },
        ],
      },
    ],
  };

  test("of layers, whose weights lie in several files", async () => {
    const path = put("keras/model.json", layers);
    const bytes = new Uint8Array(Float32Array.of(2, 3, 4).buffer);
    put("keras/w1.bin", bytes.slice(0, 5));
    put("keras/w2.bin", bytes.slice(5));
    for (const given of [path, dirname(path)])
      expect(((await predict(await loadModel(given), tensor([[10, 100]]))) as Tensor).toArray()).toEqual([[324]]);
  });

  test("without the files of weights are refused", async () => {
    put("keras-alone/model.json", layers);
    await refuses(loadModel(join(root, "keras-alone")), 'the elements of "only/kernel" are not there');
  });
});

/** Written by scripts/make-keras-fixtures.py. */
const kerasFile = (name: string) => readFileSync(new URL(`../../../test/fixtures/keras/${name}`, import.meta.url));

test("Keras's own files are models, by their paths and by their folder", async () => {
  const images = signed("images", [2, 5, 6, 2]);
  const answers = await Promise.all(
    ["own.h5", "own.keras"].map(async (name) => {
      const path = put(`${name}-folder/${name}`, kerasFile(`separable.${name.slice(4)}`));
      const [given, folder] = await Promise.all([loadModel(path), loadModel(dirname(path))]);
      expect([...folder.parameters().keys()]).toEqual([...given.parameters().keys()]);
      return (await run(given, images))[0] as Tensor;
    }),
  );
  expectClose(answers[0], answers[1] as Tensor, "output");
  await expect(
    loadModel(put("keras-3-folder/model.keras", kerasFile("nested.keras").subarray(0, 9000))),
  ).rejects.toThrow("no whole .keras file");
});

describe("what is no model", () => {
  test.each<[string, string, Uint8Array | string, string]>([
    ["a pickle", "model.pt", Uint8Array.of(0x80, 2, 0x7d), "a Python pickle, which is code that is never run here"],
    [
      "an archive",
      "pytorch_model.bin",
      Uint8Array.of(0x50, 0x4b, 3, 4),
      "it may hold pickled code, which is never run here",
    ],
    ["an HDF5 file cut off", "model.h5", kerasFile("nested.h5").subarray(0, 4000), "hdf5: the file has 4000 of"],
    ["an empty file", "model.onnx", new Uint8Array(), "the file is empty"],
    ["text", "model.txt", "words", "is no model that is supported; pass an .onnx file"],
    ["a cut file", "model.onnx", Uint8Array.of(0x08, 0x08), "onnx: the file has no graph"],
    [
      "JSON of something else",
      "package.json",
      '{"name":"x"}',
      "it is JSON with name; a Hugging Face config.json has model_type",
    ],
    ["JSON that is cut off", "model.json", '{"modelTopology":', "it is not valid JSON"],
  ])("%s", async (name, file, content, message) => {
    const path = put(`none/${name}/${file}`, content);
    await refuses(loadModel(path), message);
    await refuses(loadModel(path), path);
  });

  test("a folder without any, and a path where nothing is", async () => {
    put("empty/readme.md", "words");
    await refuses(
      loadModel(join(root, "empty")),
      "holds no model: looked for model.onnx, for model.json, and for config.json with model.safetensors or model.safetensors.index.json",
    );
    await refuses(loadModel(join(root, "nothing")), "there is no file or folder");
    await expect(loadModel(root, { shape: [1] } as never)).rejects.toThrow('unknown option of loadModel: "shape"');
  });
});
