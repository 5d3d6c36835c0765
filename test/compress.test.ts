/** `sardonyx compress`: runs and files in fewer bits, what is measured, and what is refused. */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeSafetensors, keyOf, Random, Tensor } from "../src/index.ts";
import { loadModel } from "../src/node.ts";
import { commandLine, recordOf } from "./command-line.ts";

const { folder, run } = commandLine();
const at = (...parts: readonly string[]) => join(folder, ...parts);

beforeAll(async () => {
  await run("train", "iris", "--epochs", "30", "--out", "runs/iris");
  await run("export", "runs/iris", "--out", "iris.onnx");
  const random = new Random(keyOf(1));
  const x = new Tensor(
    "float32",
    [40, 4],
    Float32Array.from({ length: 160 }, () => 6 * random.uniform()),
  );
  const y = new Tensor(
    "int32",
    [40],
    Int32Array.from({ length: 40 }, () => random.integer(3)),
  );
  writeFileSync(at("rows.safetensors"), encodeSafetensors({ x, y }));
  writeFileSync(at("one.safetensors"), encodeSafetensors({ x, y: new Tensor("int32", [40], new Int32Array(40)) }));
}, 120_000);

describe("a run", () => {
  test.each(["int8", "dynamic", "weights8", "int4", "float16"])("in %s is smaller, and measured", async (kind) => {
    const made = await run("compress", "runs/iris", "--quantize", kind, "--json");
    expect(made.code).toBe(0);
    const record = recordOf(made, "compressed") as Record<string, never>;
    const { before, after, difference } = record as unknown as Record<
      "before" | "after" | "difference",
      Record<string, number>
    >;
    const accuracy = (figures: Record<string, unknown>) =>
      (figures["results"] as Record<string, number>)["accuracy"] ?? Number.NaN;
    expect(accuracy(after)).toBeGreaterThan(accuracy(before) - 0.1);
    expect(after["bytes"]).toBeLessThan(before["bytes"] ?? 0);
    expect(difference["relative"]).toBeGreaterThan(0);
    expect(record["path"]).toMatch(new RegExp(`runs/iris/model\\.${kind}\\.onnx$`));
    const model = await loadModel(at(`runs/iris/model.${kind}.onnx`));
    expect((model as unknown as { metadata: Record<string, string> }).metadata["classes"]).toContain("setosa");
    expect(statSync(at(`runs/iris/model.${kind}.onnx`)).size).toBe(after["bytes"]);
  });

  test("shows what became of each layer, and of the model", async () => {
    const { stdout, code } = await run("compress", "runs/iris", "--keep", "layers.1", "--out", "small.onnx");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^layers\.0 +dense +\d+ +8 +0\.\d+ %$/m);
    expect(stdout).toContain("In float32 as before: layers.1.");
    expect(stdout).toMatch(/^ONNX file +.* times (smaller|larger)$/m);
    expect(stdout).toMatch(/^accuracy +\d+\.\d\d % +\d+\.\d\d %/m);
    expect(stdout).toContain("Saved small.onnx");
    const sensitivity = await run("compress", "runs/iris", "--sensitivity", "--out", "nothing.onnx");
    expect(sensitivity.stdout).toMatch(/^layers\.\d .* %$/m);
    expect(existsSync(at("nothing.onnx"))).toBe(false);
  });
});

describe("pruning", () => {
  test("shows a plan and writes nothing; cuts, trains on and quantizes", async () => {
    const planned = await run("compress", "runs/iris", "--macs", "0.5", "--plan", "--out", "planned.onnx");
    expect([planned.code, existsSync(at("planned.onnx"))]).toEqual([0, false]);
    expect(planned.stdout).toMatch(/^layers\.0\.weight +\d+ +\d+ +\d+\.\d % +\d+\.\d %$/m);
    const cut = recordOf(
      await run("compress", "runs/iris", "--macs", "0.5", "--epochs", "20", "--out", "cut.onnx", "--json"),
      "compressed",
    );
    const { before, after, kind } = cut as unknown as Record<"before" | "after", Record<string, number>> & {
      kind: string;
    };
    expect(kind).toBe("float32");
    expect(after["macs"]).toBeLessThanOrEqual(0.5 * (before["macs"] ?? 0));
    expect((after["results"] as unknown as Record<string, number>)["accuracy"]).toBeGreaterThan(0.8);
    const both = await run("compress", "runs/iris", "--macs", "0.5", "--quantize", "int8", "--out", "both.onnx");
    expect(both.code).toBe(0);
    expect(both.stdout).toMatch(/^layers\.0 +dense +\d+ +8 /m);
  });

  test("weights at zero are counted, and the run is left as it was", async () => {
    const weights = () => readFileSync(at("runs/iris/checkpoint.safetensors"));
    const kept = weights();
    const sparse = await run("compress", "runs/iris", "--sparsity", "0.5", "--out", "sparse.onnx", "--json");
    const { before, after } = recordOf(sparse, "compressed") as unknown as Record<
      "before" | "after",
      Record<string, number>
    >;
    expect(after["nonzero"]).toBeLessThan(0.55 * (before["nonzero"] ?? 0));
    expect(after["parameters"]).toBe(before["parameters"]);
    expect(weights()).toEqual(kept);
  });
});

describe("a file", () => {
  test("needs no data for weights, and data of its own for activations", async () => {
    expect((await run("compress", "iris.onnx", "--quantize", "dynamic")).code).toBe(0);
    expect(existsSync(at("iris.dynamic.onnx"))).toBe(true);
    const { stdout, code } = await run("compress", "iris.onnx", "--data", "rows.safetensors");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^accuracy /m);
  });
});

describe("what is refused, with nothing written", () => {
  test.each([
    [
      "an option of another kind",
      ["runs/iris", "--rounding", "gptq"],
      /--quantize int8 reads no --rounding; leave it out, or choose --quantize weights8 or --quantize int4/,
    ],
    [
      "training without pruning",
      ["runs/iris", "--epochs", "2"],
      /--epochs is about pruning; add --macs 0\.5 or --sparsity 0\.9/,
    ],
    [
      "two ways to prune",
      ["runs/iris", "--macs", "0.5", "--sparsity", "0.5"],
      /pass one, and compress the result again/,
    ],
    ["more than can be cut", ["runs/iris", "--macs", "0.001"], /0\.10 % of the multiply-adds are to stay/],
    [
      "an option of quantizing with pruning alone",
      ["runs/iris", "--macs", "0.5", "--samples", "9"],
      /pruning alone reads no --samples/,
    ],
    ["a layer that is not there", ["runs/iris", "--keep", "layers.9"], /unknown layer "layers\.9"/],
    [
      "a file without data",
      ["iris.onnx"],
      /--quantize int8 looks at data, and a model file has none; name some: --data/,
    ],
    [
      "a limit for a file",
      ["iris.onnx", "--data", "rows.safetensors", "--within", "0.01"],
      /--within chooses by data apart from the test/,
    ],
    ["data of one class", ["iris.onnx", "--data", "one.safetensors"], /all 40 samples are of class 0/],
    ["data beside a run", ["runs/iris", "--data", "rows.safetensors"], /--data is for a model file/],
    [
      "a kind that is not there",
      ["runs/iris", "--quantize", "int3"],
      /pass one of int8, dynamic, weights8, int4, float16/,
    ],
    ["a folder in place of a file", ["runs/iris", "--out", "runs"], /--out runs is a folder; name a file in it/],
    ["no run", ["runs/none"], /runs\/none/],
  ])("%s", async (_, args, message) => {
    const out = args.includes("--out") ? [] : ["--out", "refused.onnx"];
    const { code, stderr } = await run("compress", ...args, ...out);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(existsSync(at("refused.onnx"))).toBe(false);
  });

  test("the JSON of a refusal is one line", async () => {
    const { stdout, stderr } = await run("compress", "runs/iris", "--block", "64", "--json");
    expect(`${stdout}${stderr}`).toContain("reads no --block");
    expect(readFileSync(at("runs/iris/run.json"), "utf8")).toContain("iris");
  });
});
