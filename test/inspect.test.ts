/** `sardonyx inspect`, `compare` and `estimate` as a person runs them: what they print, and what they refuse. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { inspectionSchema } from "../src/analyze/report/schema.ts";
import { tensor } from "../src/core/tensor.ts";
import { presets } from "../src/models/index.ts";
import { encodeMessage } from "../src/onnx/codec.ts";
import { ModelProto } from "../src/onnx/schema.ts";
import { encodeSafetensors } from "../src/storage/safetensors.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const fixtures = join(root, "test/fixtures/onnx");
const folder = mkdtempSync(join(tmpdir(), "sardonyx-inspect-"));

const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, "bin/sardonyx.mjs"), ...args], {
    encoding: "utf8",
    cwd: folder,
    maxBuffer: 2 ** 28,
  });

const inspection = (...args: string[]) => {
  const { stdout, stderr, status } = run("inspect", ...args, "--format", "json");
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return inspectionSchema.strict().parse(JSON.parse(stdout));
};

function write(path: string, content: string | Uint8Array): string {
  const target = join(folder, path);
  mkdirSync(join(target, ".."), { recursive: true });
  writeFileSync(target, content);
  return target;
}

describe("architectures", () => {
  test("the document has the form that its schema says, for each preset", () => {
    for (const name of ["lenet5", "googlenet", "lstm", "albert_base_v2", "t5_small", "llama2_7b"]) {
      const { model, parameters, layers, byKind, byRole } = inspection(name);
      expect(model).toBe(name);
      expect(Object.hasOwn(presets, name)).toBe(true);
      for (const list of [layers, byKind, byRole])
        expect(
          list.reduce((sum: number, own) => sum + own.parameters, 0),
          name,
        ).toBe(parameters.total);
    }
  });

  test("a sequence, a batch and an image of another size", () => {
    const of = (...args: string[]) => inspection(...args).cost.macs ?? 0;
    expect(of("bert_base_uncased", "--batch", "2", "--sequence", "128")).toBeGreaterThan(2 * 128 * 85e6);
    expect(of("resnet18", "--input-shape", "4,3,64,64")).toBeLessThan(of("resnet18"));
    expect(inspection("t5_small", "--input-shape", "x=1,20;decoder=1,7").inputs.map(({ shape }) => shape)).toEqual([
      [1, 20],
      [1, 7],
    ]);
  });
});

test("an architecture with other classes, and without its auxiliary heads", () => {
  const of = (...args: string[]) => inspection(...args).parameters.total;
  expect(of("googlenet")).toBe(13_004_888);
  expect(of("googlenet", "--without-auxiliary")).toBe(6_624_904);
  expect(of("inception_v3", "--without-auxiliary")).toBe(23_834_568);
  expect(of("resnet18", "--classes", "10")).toBe(11_689_512 - 513 * 990);
});

describe("your own recipes and modules", () => {
  test("a recipe, without loading its data", () => {
    expect(inspection("lenet-mnist").parameters.total).toBe(225_034);
    expect(inspection("iris", "--freeze", "layers.0").parameters.frozen).toBe(320);
  });

  test.each([
    [
      "a model and its input",
      'export default { model: sequential([dense(3)]), inputs: { dtype: "float32", shape: [1, 4] } };',
      [],
    ],
    ["a model", "export default sequential([dense(3)]);", ["--input-shape", "1,4"]],
    ["a function", "export default () => sequential([dense(3)]);", ["--input-shape", "1,4"]],
  ])("%s", (_, code, more) => {
    const path = write("own.ts", `import { dense, sequential } from "sardonyx";\n${code}\n`);
    expect(inspection(path, ...more).parameters.total).toBe(15);
  });
});

describe("files", () => {
  test("an ONNX file of PyTorch's, by its open extents", () => {
    const path = join(fixtures, "encoder.onnx");
    expect(inspection(path, "--sequence", "8").depth.weighted).toBe(9);
    expect(inspection(path, "--input-shape", "3,12").inputs[0]?.shape).toEqual([3, 12]);
  });

  test.each(["h5", "keras"])("a .%s file, which says its model and its weights", (ending) => {
    const path = join(root, `test/fixtures/keras/batch-normalization.${ending}`);
    const { source, parameters, cost, notes } = inspection(path, "--batch", "2");
    expect(source).toBe(
      ending === "h5" ? "Keras HDF5 file, written by Keras 2.11.0" : "Keras archive, written by Keras 3.9.2",
    );
    // A convolution, beta of two channels, gamma of two, and both of forty features; running statistics beside them.
    expect([parameters.total, parameters.buffers]).toEqual([2 * 2 * 2 * 2 + 2 + 2 + 2 + 80, 4 + 4 + 80]);
    expect(cost.macs).toBe(2 * (4 * 5 * 2 * 8));
    expect(notes).toEqual([]);
  });

  const config = {
    model_type: "bert",
    architectures: ["BertModel"],
    vocab_size: 30,
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 16,
    max_position_embeddings: 10,
  };

  test("a config.json alone", () => {
    const path = write("tiny-bert/config.json", JSON.stringify(config));
    const { model, source, parameters } = inspection(path);
    expect([model, source]).toEqual(["tiny-bert", "Hugging Face config.json: BertModel"]);
    const layer = 4 * (8 * 8 + 8) + (8 * 16 + 16) + (16 * 8 + 8) + 2 * 16;
    expect(parameters.total).toBe((30 + 10 + 2) * 8 + 16 + layer + 72);
  });

  test("weights alone: counted by name; depth and cost are not known", () => {
    const weights = {
      "fc.weight": tensor([
        [1, 2],
        [3, 4],
      ]),
      "fc.bias": tensor([0, 0]),
      "bn.running_mean": tensor([0, 0]),
    };
    const path = write("alone/model.safetensors", encodeSafetensors(weights));
    const { parameters, depth, cost, layers } = inspection(path);
    expect([parameters.total, parameters.buffers]).toEqual([6, 2]);
    expect([depth.weighted, depth.parameterLayers, cost.macs, cost.trainingBytes]).toEqual([null, 1, null, null]);
    expect(layers[1]).toMatchObject({ name: "fc", kind: "dense", formula: "2·2 + 2 = 6" });
  });

  test("a checkpoint of ours: without what the optimizer remembers", () => {
    const tensors = { "layers.0.weight": tensor([[1, 2]]), "optimizer/m/layers.0.weight": tensor([[0, 0]]) };
    const { parameters, notes } = inspection(write("run/checkpoint.safetensors", encodeSafetensors(tensors)));
    expect(parameters.total).toBe(2);
    expect(notes).toContain("Not counted: 1 tensor of the optimizer.");
  });

  test("weights with their config.json, in a folder, as they are stored", () => {
    const path = write("both/config.json", JSON.stringify({ ...config, architectures: ["BertModel"] }));
    const names = inspection(path).layers.length;
    // Every tensor of the model in 16 bits, under the prefix that a model with a head gives them, and one beside.
    const half = (shape: readonly number[]) =>
      tensor(new Uint16Array(shape.reduce((a, b) => a * b, 1)), { dtype: "float16", shape });
    const program = `import { readFileSync } from "node:fs"; import { modelFromConfig } from ${JSON.stringify(join(root, "dist/src/formats/huggingface.js"))};
      const { build, inputs } = modelFromConfig(JSON.parse(readFileSync(${JSON.stringify(path)}, "utf8")));
      const model = build(); model.trace(inputs); console.log(JSON.stringify([...model.parameters()].map(([name, { shape }]) => [name, shape])));`;
    const listed = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
    const shapes = JSON.parse(listed.stdout) as [string, number[]][];
    const tensors = Object.fromEntries(shapes.map(([name, shape]) => [`bert.${name}`, half(shape)]));
    write("both/model.safetensors", encodeSafetensors({ ...tensors, "cls.bias": half([30]) }));
    const { parameters, layers, notes, source } = inspection(join(folder, "both"));
    expect(layers).toHaveLength(names);
    expect(parameters.bytes).toBe(2 * parameters.total);
    expect(source).toBe("safetensors; Hugging Face config.json: BertModel");
    expect(notes).toEqual(["Not counted: 1 tensor of the file beside it: cls.bias."]);
  });

  test("a config.json that says how weights are stored", () => {
    const bytes = (more: object) => {
      const { parameters, notes } = inspection(write("stored/config.json", JSON.stringify({ ...config, ...more })));
      return [parameters.bytes, parameters.frozen, notes.length];
    };
    const total = inspection(write("stored/config.json", JSON.stringify(config))).parameters.total;
    expect(bytes({ torch_dtype: "bfloat16" })).toEqual([2 * total, 0, 0]);
    // Packed are the six matrices of the layer, and the pooler's.
    const packed = 5 * 64 + 2 * 128;
    const quantization_config = { quant_method: "gptq", bits: 4 };
    expect(bytes({ torch_dtype: "float16", quantization_config })).toEqual([
      2 * (total - packed) + packed / 2,
      packed,
      1,
    ]);
  });

  test("weights that are packed, beside their config.json and alone", () => {
    const llama = {
      ...{
        model_type: "llama",
        architectures: ["LlamaForCausalLM"],
        vocab_size: 16,
        hidden_size: 8,
        num_hidden_layers: 1,
      },
      ...{ num_attention_heads: 2, intermediate_size: 16, tie_word_embeddings: false },
    };
    const total = inspection(write("llama/config.json", JSON.stringify(llama))).parameters.total;
    const plain = (...shape: number[]) =>
      tensor(new Uint16Array(shape.reduce((a, b) => a * b, 1)), { dtype: "float16", shape });
    const bytes = (...shape: number[]) =>
      tensor(new Uint8Array(shape.reduce((a, b) => a * b, 1)), { dtype: "uint8", shape });
    const projections = {
      ...{ "self_attn.q_proj": 64, "self_attn.k_proj": 64, "self_attn.v_proj": 64, "self_attn.o_proj": 64 },
      ...{ "mlp.gate_proj": 128, "mlp.up_proj": 128, "mlp.down_proj": 128 },
    };
    const packed = Object.entries(projections).flatMap(([name, elements]) => {
      const weight = `model.layers.0.${name}.weight`;
      return [
        [weight, bytes(elements / 2, 1)],
        [`${weight}.absmax`, bytes(1)],
        [`${weight}.quant_state.bitsandbytes__nf4`, bytes(4)],
      ] as const;
    });
    const tensors = {
      ...Object.fromEntries(packed),
      ...{ "model.embed_tokens.weight": plain(16, 8), "lm_head.weight": plain(16, 8), "model.norm.weight": plain(8) },
      "model.layers.0.input_layernorm.weight": plain(8),
      "model.layers.0.post_attention_layernorm.weight": plain(8),
    };
    write("llama/model.safetensors", encodeSafetensors(tensors));
    const alone = inspection(write("packed/model.safetensors", encodeSafetensors(tensors)));
    for (const { parameters, notes } of [inspection(join(folder, "llama")), alone]) {
      expect([parameters.total, parameters.frozen, parameters.buffers]).toEqual([total, 640, 7 * 5]);
      expect(parameters.bytes).toBe(640 / 2 + 2 * (total - 640));
      expect(notes[0]).toMatch(/^Packed by bitsandbytes: 7 matrices \(nf4\)/);
    }
  });

  test("an index of several files", () => {
    write("shards/a.safetensors", encodeSafetensors({ "one.weight": tensor([[1, 2]]) }));
    write("shards/b.safetensors", encodeSafetensors({ "two.weight": tensor([[1, 2, 3]]) }));
    const index = { weight_map: { "one.weight": "a.safetensors", "two.weight": "b.safetensors" } };
    const path = write("shards/model.safetensors.index.json", JSON.stringify(index));
    expect(inspection(path).parameters.total).toBe(5);
    const wrong = { weight_map: { "three.weight": "a.safetensors" } };
    expect(run("inspect", write("shards/wrong.json", JSON.stringify(wrong))).stderr).toContain(
      'its weight_map places "three.weight" in a.safetensors, which has no such tensor',
    );
  });
});

describe("formats", () => {
  test("CSV has a row for each layer", () => {
    const { stdout } = run("inspect", "lenet5", "--format", "csv");
    const [head, ...rows] = stdout.trimEnd().split("\n");
    expect(head).toBe("name,kind,type,role,outputShape,parameters,trainable,formula,macs,runs");
    expect(rows).toHaveLength(9);
    expect(rows[0]).toBe("c1,convolution,conv2d,input,1×6×28×28,156,156,5·5·1·6 + 6 = 156,117600,1");
  });

  test("Markdown has tables and a chart", () => {
    const { stdout } = run("inspect", "gpt2", "--format", "markdown");
    expect(stdout).toContain("| weighted layers on the longest path | 49 |");
    expect(stdout).toContain("```mermaid\nflowchart TD\n");
    expect(stdout).toContain("**12 × alike:** transformer.h.0 to transformer.h.11");
  });

  test("a file is written whole, and said so", () => {
    const { stdout, status } = run("inspect", "lenet5", "--format", "html", "--out", "report.html");
    expect([stdout, status]).toEqual(["Saved report.html\n", 0]);
    const page = readFileSync(join(folder, "report.html"), "utf8");
    expect(page.startsWith("<!doctype html>")).toBe(true);
    // Self-contained: nothing is fetched from elsewhere.
    expect(page.replaceAll("http://www.w3.org/", "")).not.toMatch(/(src|href)="|https?:\/\//);
  });

  test("--json is one record a line", () => {
    const { stdout } = run("inspect", "lenet5", "--json");
    const records = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records.map(({ type }) => type)).toEqual(["inspection"]);
    expect(records[0].parameters.total).toBe(61_706);
  });

  test("repeated blocks are folded, unless all are asked for", () => {
    const rows = (...args: string[]) => run("inspect", "gpt2", ...args).stdout.split("\n").length;
    expect(rows("--all")).toBeGreaterThan(rows() + 100);
  });
});

describe("compare and estimate", () => {
  test("three networks side by side", () => {
    const { stdout, status } = run("compare", "vgg16", "resnet50", "lenet5");
    expect(status).toBe(0);
    expect(stdout).toMatch(/weighted layers +16 +50 +5\n/);
    expect(stdout).toMatch(/all +138,357,544 +25,557,032 +61,706\n/);
    for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    const { stdout: csv } = run("compare", "vgg16", "resnet50", "--format", "csv");
    expect(csv).toContain("Parameters,all,138357544,25557032\n");
    expect(run("compare", "vgg16").stderr).toContain("compare needs two networks or more");
  });

  test("time and memory on given hardware", () => {
    const { stdout, status } = run(
      "estimate",
      "llama2_7b",
      "--tokens",
      "1000000000",
      "--hardware",
      "a100",
      "--precision",
      "bfloat16",
      "--json",
    );
    expect(status).toBe(0);
    const { ways, steps, flopsPerSecond } = JSON.parse(stdout.trim());
    expect(steps).toBe(Math.ceil(1e9 / 512));
    expect(flopsPerSecond).toBe(0.4 * 312e12);
    // Six FLOPs a parameter and token (Kaplan et al. 2020), embeddings left out and attention added.
    expect(ways[0].flops / (6 * 6.6e9 * 1e9)).toBeGreaterThan(0.98);
    expect(ways[0].flops / (6 * 6.6e9 * 1e9)).toBeLessThan(1.1);
    expect(ways.map(({ name, fits }: { name: string; fits: boolean }) => [name, fits])).toEqual([
      ["all parameters", false],
      ["output layers only", true],
      ["LoRA, rank 8", true],
      ["LoRA on 4-bit weights", true],
    ]);
  });

  test("time here is measured in a step of the network", () => {
    const { stdout, status } = run("estimate", "lenet-mnist", "--batch", "64", "--epochs", "2");
    expect(status).toBe(0);
    expect(stdout).toContain("60,000 samples, 2 times, 64 at a time: 1,876 steps");
    expect(stdout).toMatch(/FLOP\/s measured in a training step of this network/);
    expect(stdout).toMatch(/all parameters +225,034 +[\d.]+ T +[\d.]+ (?:seconds?|minutes?) +[\d.]+ MiB +fits/);
  });
});

describe("what is refused, in a sentence and with exit status 2", () => {
  const onnx = readFileSync(join(fixtures, "mobile.onnx"));
  const safetensors = encodeSafetensors({ w: tensor([1, 2]) });
  const header = (length: bigint) => {
    const bytes = new Uint8Array(64).fill(0x20);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    bytes[8] = 0x7b;
    return bytes;
  };
  const keras = (name: string) => readFileSync(join(fixtures, "..", "keras", name));
  const files: readonly (readonly [string, string, string | Uint8Array, RegExp])[] = [
    ["an empty file", "empty.onnx", "", /empty\.onnx: the file is empty/],
    ["text", "notes.txt", "some words\n", /its format is not known; pass an \.onnx, \.safetensors,/],
    ["an ONNX file cut off", "cut.onnx", onnx.subarray(0, 3000), /cut\.onnx: onnx: .*cut off/],
    ["a zip archive", "model.pt", "PK\u0003\u0004rest", /zip archive.*PyTorch.*save the weights as safetensors/s],
    ["a pickle", "model.pkl", Uint8Array.of(0x80, 0x02, 0x7d), /Python pickle, which is code that is never run/],
    [
      "HDF5 cut off",
      "model.h5",
      keras("nested.h5").subarray(0, 3000),
      /model\.h5: hdf5: the file has 3000 of \d+ bytes/,
    ],
    ["weights of Keras alone", "weights.h5", keras("weights-alone.h5"), /weights\.h5: keras: .*weights alone/],
    [
      "a Keras archive cut off",
      "model.keras",
      keras("nested.keras").subarray(0, 9000),
      /zip archive.*no whole \.keras/,
    ],
    ["GGUF of no version", "model.gguf", "GGUF....", /its GGUF header cannot be read .*; it is cut off or damaged/],
    [
      "safetensors cut off",
      "cut.safetensors",
      safetensors.subarray(0, safetensors.length - 3),
      /safetensors: .*cut off/,
    ],
    [
      "a header of gigabytes",
      "huge.safetensors",
      header(2n ** 31n),
      /the header says it has 2147483648 bytes, at most 56 are possible/,
    ],
    ["JSON cut off", "config.json", '{"model_type": "be', /not valid JSON/],
    ["other JSON", "package.json", '{"name": "x"}', /it is JSON with name; a Hugging Face config\.json has model_type/],
    [
      "an unknown family",
      "odd/config.json",
      '{"model_type": "berd"}',
      /the family "berd" is not among those that are known; a \.safetensors file of it/,
    ],
    ["a config of nonsense", "bad/config.json", '{"model_type": "bert", "hidden_size": -3}', /hidden_size/],
  ];
  test.each(files)("%s", (_, name, content, message) => {
    const { stderr, stdout, status } = run("inspect", write(`refused/${name}`, content));
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect([stdout, status]).toEqual(["", 2]);
  });

  const commands: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["an unknown name", ["inspect", "resnet51"], /unknown model "resnet51"; did you mean "resnet50"\?/],
    [
      "a file that is not there",
      ["inspect", "none/model.onnx"],
      /there is no file .*none\/model\.onnx; check the path/,
    ],
    ["a folder without a model", ["inspect", folder], /holds none of model\.onnx/],
    [
      "open extents",
      ["inspect", join(fixtures, "mobile.onnx")],
      /\[batch, 3, height, width\]: height and width may vary; pass --input-shape 1,3,224,224/,
    ],
    [
      "an open sequence",
      ["inspect", join(fixtures, "encoder.onnx")],
      /sequence may vary; pass --sequence 128, or --input-shape 1,128/,
    ],
    [
      "a shape that does not fit",
      ["inspect", join(fixtures, "encoder.onnx"), "--sequence", "40"],
      /Add "\/Add".*--input-shape/s,
    ],
    ["no shape", ["inspect", "resnet18", "--input-shape", "1,3,big"], /--input-shape is "1,3,big"; pass whole numbers/],
    [
      "a name that no input has",
      ["inspect", "resnet18", "--input-shape", "pixels=1,3,64,64"],
      /names "pixels", and the inputs are x/,
    ],
    [
      "too small an image",
      ["inspect", "alexnet", "--input-shape", "1,3,20,20"],
      /use a smaller kernel or more padding/,
    ],
    ["too long a sequence", ["inspect", "gpt2", "--sequence", "2000"], /2000 tokens, the model has 1024 positions/],
    [
      "a pattern that matches nothing",
      ["inspect", "resnet18", "--freeze", "layer5"],
      /unknown parameter to freeze "layer5"; did you mean "layer\d/,
    ],
    [
      "classes of what is no architecture",
      ["inspect", "iris", "--classes", "4"],
      /--classes applies to named architectures such as googlenet/,
    ],
    ["LoRA without targets", ["inspect", "resnet18", "--lora", "4"], /pass --lora-targets with a pattern of layers/],
    ["targets without LoRA", ["inspect", "gpt2", "--lora-targets", "c_attn"], /pass --lora 8 too/],
    ["three bits", ["inspect", "gpt2", "--quantize", "3"], /quantization to 3 bits is not known; pass 4 or 8/],
    ["an unknown format", ["inspect", "gpt2", "--format", "pdf"], /unknown format "pdf"/],
    ["an unknown precision", ["inspect", "gpt2", "--precision", "float15"], /did you mean "float16"\?/],
    ["two amounts of data", ["estimate", "gpt2", "--samples", "1", "--tokens", "1"], /pass one of them/],
    [
      "tokens of images",
      ["estimate", "resnet18", "--tokens", "9", "--hardware", "t4"],
      /--tokens needs an input of sequences/,
    ],
    [
      "unknown hardware",
      ["estimate", "gpt2", "--hardware", "h1000"],
      /unknown hardware "h1000"; did you mean "h100"\?/,
    ],
  ];
  test.each(commands)("%s", (_, args, message) => {
    const { stderr, status } = run(...args);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n"), stderr).toHaveLength(1);
    expect(status).toBe(2);
  });

  test("weights outside the model's folder", () => {
    write("secret.bin", new Uint8Array(64));
    mkdirSync(join(folder, "outside"), { recursive: true });
    symlinkSync(join(folder, "secret.bin"), join(folder, "outside/w.bin"));
    const model = (location: string) =>
      encodeMessage(ModelProto, {
        ir_version: 8,
        opset_import: [{ domain: "", version: 17 }],
        graph: {
          input: [
            {
              name: "x",
              type: { tensor_type: { elem_type: 1, shape: { dim: [{ dim_value: 1 }, { dim_value: 4 }] } } },
            },
          ],
          node: [{ op_type: "MatMul", input: ["x", "w"], output: ["y"] }],
          output: [{ name: "y" }],
          initializer: [
            {
              name: "w",
              dims: [4, 4],
              data_type: 1,
              data_location: 1,
              external_data: [{ key: "location", value: location }],
            },
          ],
        },
      });
    const refusal = (location: string) => run("inspect", write("outside/model.onnx", model(location))).stderr;
    expect(refusal("w.bin")).toMatch(/is a link that leads outside the folder/);
    expect(refusal("../secret.bin")).toMatch(/lies outside the folder/);
    expect(refusal("/etc/passwd")).toMatch(/lies outside the folder/);
    write("outside/inside.bin", new Uint8Array(64));
    expect(inspection(write("outside/model.onnx", model("inside.bin"))).parameters.total).toBe(16);
  });
});
