/** `sardonyx merge`: runs that open as before, files and folders, mergekit's configs, what is refused, and an end in the middle. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors, keyOf, Random, tensor } from "../src/index.ts";
import { loadModel } from "../src/node.ts";
import { commandLine, recordOf } from "./command-line.ts";
import { writeModel } from "./pretrained-folders.ts";

const { folder, run, start } = commandLine();
const at = (...parts: readonly string[]) => join(folder, ...parts);
const save = (name: string, values: readonly number[]) =>
  writeFileSync(at(name), encodeSafetensors({ "h.0.weight": tensor([[...values]]), "h.0.norm": tensor([...values]) }));

beforeAll(async () => {
  for (const [name, epochs] of [
    ["a", "10"],
    ["b", "14"],
  ] as const)
    await run("train", "iris", "--epochs", epochs, "--out", `runs/${name}`);
  for (const [name, values] of Object.entries({ "1": [3, 1], "2": [1, 5], base: [1, 1] }))
    save(`${name}.safetensors`, values);
}, 120_000);

describe("runs", () => {
  test("the mean of two is a run that is measured, asked and exported, and not trained on", {
    timeout: 120_000,
  }, async () => {
    const made = await run("merge", "a", "runs/b", "--out", "runs/soup");
    expect([made.code, made.stderr]).toEqual([0, ""]);
    expect(made.stdout).toContain("Saved runs/soup: checkpoint.safetensors of");
    expect(made.stdout).toMatch(/^all +6 +4,675 +0\.\d{4}$/m);
    expect(readdirSync(at("runs/soup")).sort()).toEqual([
      "checkpoint.safetensors",
      "deployment.json",
      "merge.json",
      "model.onnx",
      "prepare.onnx",
      "run.json",
    ]);
    const evaluated = recordOf(await run("eval", "runs/soup", "--json"), "evaluation");
    // Two stages of one training: their mean does what they do. By chance a third is right.
    expect((evaluated?.["results"] as Record<string, number> | undefined)?.["accuracy"]).toBeGreaterThan(0.8);
    const predicted = await run("predict", "runs/soup", "[5.1, 3.5, 1.4, 0.2]");
    expect(predicted.stdout).toContain("setosa");
    const resumed = await run("train", "iris", "--resume", "--epochs", "30", "--out", "runs/soup");
    expect([resumed.code, resumed.stderr]).toEqual([2, expect.stringContaining("was merged of other runs")]);
  });

  test("its model.onnx holds the merged weights, for programs that read that alone", async () => {
    await run("merge", "a", "runs/b", "--out", "runs/alone");
    const weights = async (path: string) =>
      Array.from((await loadModel(at(path))).parameters(), ([name, { value }]) => [name, value?.toNumbers()]);
    expect(await weights("runs/alone/model.onnx")).toEqual(await weights("runs/alone"));
    expect(await weights("runs/alone/model.onnx")).not.toEqual(await weights("runs/a"));
  });

  test("the newest run to resume is none that was merged", async () => {
    await run("merge", "a", "runs/b", "--out", "runs/0");
    const resumed = await run("train", "iris", "--resume", "--json");
    expect(resumed.code).toBe(0);
    expect(JSON.stringify(resumed.records)).toMatch(/runs\/b/);
  });

  test("runs of other seeds and starts are merged with a warning", { timeout: 60_000 }, async () => {
    await run("train", "iris", "--epochs", "2", "--seed", "7", "--out", "runs/other");
    const { code, stderr } = await run("merge", "runs/a", "runs/other", "--out", "runs/mixed");
    expect(code).toBe(0);
    expect(stderr).toContain("runs/other was trained with the seed 7, not 0");
    expect(stderr).toContain("what runs/other learned of its data");
    expect(stderr).toContain("point in different directions");
  });
});

test("Hugging Face folders become one that loads, with config and tokenizer", async () => {
  const layers = { num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1, max_position_embeddings: 64 };
  const config = { model_type: "llama", architectures: ["LlamaForCausalLM"], hidden_size: 32, intermediate_size: 48 };
  writeModel(at("first"), "a text to learn", { ...config, ...layers });
  mkdirSync(at("second"));
  const { tensors } = decodeSafetensors(new Uint8Array(readFileSync(at("first/model.safetensors"))));
  const halved = Object.entries(tensors).map(([name, own]) => [
    name,
    tensor(
      Float32Array.from(own.toNumbers(), (value) => value / 2),
      { shape: own.shape },
    ),
  ]);
  writeFileSync(at("second/model.safetensors"), encodeSafetensors(Object.fromEntries(halved)));
  const { code, stdout, stderr } = await run("merge", "first", "second", "--out", "both");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^embedding .* 1\.0000$/m);
  const files = ["config.json", "merge.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
  expect(readdirSync(at("both")).sort()).toEqual(files);
  const [first, both] = [await loadModel(at("first")), await loadModel(at("both"))];
  for (const [path, { value }] of both.parameters())
    expect(value?.toNumbers()).toEqual(
      first
        .parameters()
        .get(path)
        ?.value?.toNumbers()
        .map((own) => Math.fround(0.75 * own)),
    );
});

describe("files", () => {
  const merged = (out: string) => {
    const { tensors } = decodeSafetensors(new Uint8Array(readFileSync(at(out, "model.safetensors"))));
    return Object.values(tensors).map((own) => own.toNumbers());
  };

  // By hand, of [3, 1] and [1, 5], on the base [1, 1].
  test.each<readonly [string, readonly string[], readonly number[]]>([
    ["average", [], [2, 3]],
    ["weights", ["--weights", "3,1"], [2.5, 2]],
    ["slerp", ["--method", "slerp", "--t", "1"], [1, 5]],
    ["task-arithmetic", ["--method", "task-arithmetic", "--base", "base.safetensors"], [3, 5]],
    ["ties", ["--method", "ties", "--base", "base.safetensors", "--density", "1", "--scale", "0.5"], [2, 3]],
    ["dare", ["--method", "dare", "--base", "base.safetensors", "--density", "1", "--weights", "1,0.5"], [3, 3]],
    ["dare-ties", ["--method", "dare-ties", "--base", "base.safetensors", "--density", "1,1"], [3, 5]],
  ])("%s", async (name, options, values) => {
    const { code, stderr } = await run("merge", "1.safetensors", "2.safetensors", ...options, "--out", `out-${name}`);
    // The weights themselves have a cosine of 0.496: those without a base are told so.
    const told = options.includes("--base") ? "" : expect.stringContaining("point in different directions");
    expect([code, stderr]).toEqual([0, told]);
    expect(merged(`out-${name}`)).toEqual([values, values]);
  });

  test("as records", async () => {
    const result = await run(
      "merge",
      "1.safetensors",
      "2.safetensors",
      "--method",
      "ties",
      "--base",
      "base.safetensors",
      "--json",
      "--out",
      "recorded",
    );
    expect(recordOf(result, "merged")).toMatchObject({
      files: ["model.safetensors"],
      // Differences [2, 0] and [0, 4].
      kinds: [
        { kind: "dense", tensors: 2, parameters: 4, cosine: 0 },
        { kind: "all", tensors: 2, parameters: 4, cosine: 0 },
      ],
      cosineOf: "differences from the base",
      taken: [],
      notes: [],
    });
  });

  test("as a config of mergekit's says", async () => {
    writeFileSync(
      at("merge.yml"),
      "merge_method: ties\nbase_model: base.safetensors\nparameters: { weight: 1, density: 1, int8_mask: true }\nmodels:\n  - model: 1.safetensors\n  - model: 2.safetensors\n",
    );
    const { code, stderr } = await run("merge", "--config", "merge.yml", "--out", "configured");
    expect([code, stderr]).toEqual([0, expect.stringContaining("int8_mask")]);
    expect(merged("configured")).toEqual([
      [3, 5],
      [3, 5],
    ]);
  });

  test("a signal in the middle leaves nothing", { timeout: 60_000 }, async () => {
    const random = new Random(keyOf(1));
    const values = random.normals(2 ** 18);
    mkdirSync(at("large"));
    const tensors = Object.fromEntries(Array.from({ length: 96 }, (_, i) => [`t${i}`, tensor(values)]));
    writeFileSync(at("large", "model.safetensors"), encodeSafetensors(tensors));
    const merging = start(["merge", "large", "large", "--out", "stopped"]);
    while (!readdirSync(folder).some((name) => name.startsWith(".stopped")))
      await new Promise((done) => setTimeout(done, 5));
    merging.kill("SIGINT");
    const { code, stderr } = await merging.ended;
    expect([code, stderr]).toEqual([130, expect.stringContaining("nothing is written")]);
    expect(readdirSync(folder).filter((name) => name.includes("stopped"))).toEqual([]);
  });

  test.each<readonly [string, readonly string[], string]>([
    ["no folder", ["1.safetensors", "2.safetensors"], "name it: --out DIR"],
    ["one model", ["1.safetensors", "--out", "x"], "merge needs two models or more"],
    ["none", ["--out", "x"], "merge needs two models or more"],
    ["no such file", ["1.safetensors", "none", "--out", "x"], "there is no file or folder none"],
    [
      "a model that was not fetched",
      ["1.safetensors", "nobody/nothing", "--out", "x"],
      "sardonyx download nobody/nothing",
    ],
    [
      "weights that are none",
      ["1.safetensors", "2.safetensors", "--weights", "1,,2", "--out", "x"],
      '--weights is "1,,2"; pass numbers',
    ],
    [
      "too many weights",
      ["1.safetensors", "2.safetensors", "--weights", "1,2,3", "--out", "x"],
      "there are 3 weights for 2 models",
    ],
    [
      "an option of another method",
      ["1.safetensors", "2.safetensors", "--density", "0.5", "--out", "x"],
      "--method average reads no --density",
    ],
    ["a method", ["1.safetensors", "2.safetensors", "--method", "mean", "--out", "x"], "pass one of average, slerp"],
    [
      "no base",
      ["1.safetensors", "2.safetensors", "--method", "dare", "--out", "x"],
      "dare adds differences from a base",
    ],
    ["t", ["1.safetensors", "2.safetensors", "--method", "slerp", "--t", "2", "--out", "x"], "slerp: t is 2"],
    ["a run and a file", ["runs/a", "1.safetensors", "--out", "x"], "models to merge of different tensors: "],
    [
      "a config and models",
      ["1.safetensors", "--config", "merge.yml", "--out", "x"],
      "--config names the models and the method itself",
    ],
    ["a config and a method", ["--config", "merge.yml", "--method", "ties", "--out", "x"], "leave --method out"],
    ["a config that is not there", ["--config", "none.yml", "--out", "x"], "there is no file none.yml"],
    ["a folder in use", ["1.safetensors", "2.safetensors", "--out", "runs/a"], "runs/a is not an empty folder"],
  ])("%s", async (_, args, message) => {
    const { code, stderr } = await run("merge", ...args);
    expect([code, stderr.replace(/\s+/g, " ")]).toEqual([2, expect.stringContaining(message)]);
    expect(existsSync(at("x"))).toBe(false);
  });
});
