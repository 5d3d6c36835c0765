/** `sardonyx explain`: runs of numbers, tables, texts, images, sounds and prompts, files, checks, pages and pictures, and what is refused. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import { beforeAll, describe, expect, test } from "vitest";
import { encodeWav } from "../src/data/sound/wav.ts";
import { encodePng } from "../src/draw/index.ts";
import { type Context, keyOf, Module, ops, Random, Tensor, type Value } from "../src/index.ts";
import { exportOnnx } from "../src/node.ts";
import { commandLine, program, recordOf } from "./command-line.ts";
import { writeModel } from "./pretrained-folders.ts";

const { folder, run } = commandLine();
const at = (...parts: readonly string[]) => join(folder, ...parts);
const random = new Random(keyOf(1));

/** An image of noise with a bright square of 6 x 6 pixels at a place, or without. */
function imageOf(square: boolean): Uint8Array {
  const pixels = Float32Array.from({ length: 256 }, () => 0.3 * random.uniform(0, 1));
  const [top, left] = [random.integer(10), random.integer(10)];
  if (square) for (let i = 0; i < 36; i++) pixels[(top + Math.floor(i / 6)) * 16 + left + (i % 6)] = 1;
  return encodePng(new Tensor("float32", [1, 16, 16], pixels));
}

/** A second of noise, or of a tone. */
const soundOf = (tone: boolean): Uint8Array => {
  const samples = Float32Array.from(
    { length: 8000 },
    (_, i) => (tone ? 0.5 * Math.sin(i / 2) : 0) + 0.1 * random.uniform(-1, 1),
  );
  return encodeWav({ rate: 8000, channels: [samples] });
};

/** Scores 0, and the sum of what each token has, times its weight: 0, 3 or 5. */
class Weighted extends Module<{ readonly ids: Value; readonly weight: Value }, Value> {
  override readonly inputs = { ids: "required", weight: "required" } as const;

  protected call({ ids, weight }: { readonly ids: Value; readonly weight: Value }, context: Context): Value {
    const table = context.parameter(this, "table", { shape: [3, 1], initializer: () => Float32Array.of(0, 3, 5) });
    const vectors = ops.gather(table, ids, 0); // [N, T, 1]
    const score = ops.reduceSum(ops.mul(ops.reshape(vectors, weight.shape), weight), 1, { keepDims: true });
    return ops.concat([ops.mul(score, 0), score], 1);
  }
}

function writeData(): void {
  const pick = (words: readonly string[]) => words[random.integer(words.length)] as string;
  const things = ["film", "meal", "book", "song", "hotel", "play"];
  const [good, bad] = [
    ["lovely", "superb", "charming", "great"],
    ["awful", "boring", "dull", "horrid"],
  ];
  const texts = Array.from({ length: 160 }, (_, i) => {
    const own = () => pick(i % 2 === 0 ? good : bad);
    return `"The ${pick(things)} was ${own()}, and I found the ${pick(things)} ${own()} too.",${i % 2 === 0 ? "good" : "bad"}`;
  });
  writeFileSync(at("reviews.csv"), ["text,label", ...texts].join("\n"));
  const rows = Array.from({ length: 160 }, () => {
    const [size, colour] = [random.uniform(0, 10), pick(["red", "<b>blue</b>"])];
    return `${size.toFixed(2)},${colour},${size + (colour === "red" ? 3 : 0) > 6.5 ? "yes" : "no"}`;
  });
  writeFileSync(at("table.csv"), ["size,colour,kind", ...rows].join("\n"));
  writeFileSync(at("story.txt"), "the cat sat on the mat. the dog ran to the house.\n".repeat(150));
  for (const [kind, write, ending] of [
    ["pictures", imageOf, "png"],
    ["sounds", soundOf, "wav"],
  ] as const)
    for (let i = 0; i < 40; i++) {
      mkdirSync(at(kind, i % 2 === 0 ? "with" : "without"), { recursive: true });
      writeFileSync(at(kind, i % 2 === 0 ? "with" : "without", `${i}.${ending}`), write(i % 2 === 0));
    }
}

beforeAll(async () => {
  writeData();
  await run("train", "iris", "--epochs", "10", "--out", "runs/iris");
  for (const [recipe, data, out] of [
    ["texts", "reviews.csv", "reviews"],
    ["table", "table.csv", "rows"],
    ["images", "pictures", "shapes"],
    ["sounds", "sounds", "tones"],
  ] as const)
    await run("train", recipe, "--data", data, "--minutes", "0.05", "--epochs", "4", "--out", `runs/${out}`);
  const writing = ["--data", "story.txt", "--context", "16", "--minutes", "0.1", "--epochs", "1"];
  await run("train", "writing", ...writing, "--out", "runs/story");
}, 240_000);

interface Explained {
  readonly method: string;
  readonly target: string;
  readonly score: number;
  readonly completeness?: { readonly sum: number; readonly expected: number };
  readonly pictures: readonly {
    readonly columns?: readonly { readonly name: string; readonly value: number }[];
    readonly words?: readonly { readonly text: string; readonly value?: number }[];
    readonly shape?: readonly number[];
  }[];
  readonly check?: {
    readonly passes: boolean;
    readonly deletion: number;
    readonly infidelity: number;
    readonly infidelityOfZeros: number;
    readonly sensitivity: number;
  };
  readonly notes: readonly string[];
}
async function explained(...args: readonly string[]): Promise<Explained> {
  const result = await run("explain", ...args, "--json");
  expect([result.code, result.stderr]).toEqual([0, ""]);
  return recordOf(result, "explanation") as unknown as Explained;
}

describe("each kind of input has its usual method, whose values add up", () => {
  test.each([
    ["iris", "[6.3, 2.9, 5.6, 1.8]", "integrated-gradients", "columns"],
    ["rows", '{"size": 8, "colour": "red"}', "kernel-shap", "columns"],
    ["reviews", "The film was lovely.", "integrated-gradients", "words"],
    ["shapes", "pictures/with/0.png", "integrated-gradients", "shape"],
    ["tones", "sounds/with/0.wav", "integrated-gradients", "shape"],
    ["story", "the cat sat", "integrated-gradients", "words"],
  ] as const)("%s", { timeout: 60_000 }, async (name, input, method, shown) => {
    const { completeness, pictures, ...found } = await explained(`runs/${name}`, input);
    expect(found.method).toBe(method);
    expect(pictures[0]).toHaveProperty(shown);
    const { sum = Number.NaN, expected = Number.NaN } = completeness ?? {};
    expect(Math.abs(sum - expected)).toBeLessThan(0.05 * Math.abs(expected) + 0.02);
  });

  test("the words and columns that decide come first", async () => {
    const { target, pictures } = await explained("reviews", "The film was lovely.", "--target", "good");
    expect(target).toBe("good");
    const words = [...(pictures[0]?.words ?? [])].sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
    expect(words[0]?.text).toBe("lovely");
    expect(pictures[0]?.words?.map(({ text }) => text).join("")).toBe("The film was lovely.");
    const row = await explained("rows", '{"size": 9, "colour": "<b>blue</b>"}', "--target", "yes", "--against", "no");
    expect(row.pictures[0]?.columns?.map(({ name }) => name)).toEqual(["size", "colour"]);
    expect(row.pictures[0]?.columns?.[0]?.value).toBeGreaterThan(0);
  });
});

test("in a terminal of 80 columns: what is predicted, by which method and why, bars, whether it adds up, the checks", async () => {
  const { stdout, code } = await run("explain", "iris", "[6.3, 2.9, 5.6, 1.8]", "--check");
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\[6\.3, 2\.9, 5\.6, 1\.8\]: virginica \(/);
  expect(stdout).toContain("It is the usual method of numbers");
  expect(stdout).toMatch(/The values sum to \+[\d.]+; from zeros/);
  expect(stdout).toMatch(/^number 3 5\.6 +│█+ +\+/m);
  expect(stdout).toMatch(/^Deletion: .*\n.*in\n? *random orders \(lower is better\)\./m);
  expect(stdout).toMatch(/^ *Infidelity: .* miss\s+[\d.]+ %/m);
  expect(stdout).toMatch(/^ *Sensitivity: .*\s+at\s+most\s+[\d.]+/m);
  expect(stdout).toMatch(/Sanity check: (not )?passed/);
  expect(stdout.split("\n").every((line) => line.length <= 80)).toBe(true);
});

test("the checks' verdict is that of their figures", async () => {
  const asked = ["rows", '{"size": 8, "colour": "red"}', "--check", "--target", "yes"];
  const { check, notes } = await explained(...asked);
  const { stdout } = await run("explain", ...asked);
  expect(stdout).toMatch(check?.passes ? /All checks are passed/ : /A check is not passed: do not|Rely on which way/);
  const failed = notes.some((note) =>
    /no faster in this order|no better than zeros|hardly changes when all/.test(note),
  );
  expect(check?.passes).toBe(!failed);
  expect(check?.sensitivity).toBeGreaterThanOrEqual(0);
  expect(check?.infidelity).toBeLessThanOrEqual(check?.infidelityOfZeros ?? 0);
});

test("methods of language models look inside the blocks", async () => {
  const lens = await explained("story", "the cat sat", "--method", "logit-lens");
  expect(lens.pictures[0]?.columns?.[0]?.name).toBe("embedding");
  const named = await run("explain", "story", "the cat sat", "--method", "logit-contributions", "--target", " on");
  expect(named.stdout).toContain('What each block adds to the score of " on"');
  const rollout = await explained("story", "the cat sat", "--method", "attention-rollout");
  const shares = rollout.pictures[0]?.words?.reduce((sum, { value = 0 }) => sum + value, 0);
  expect(shares).toBeCloseTo(1, 4);
});

describe("files", () => {
  test("a page is whole in itself, with escaped texts; pictures are SVG and PNG", { timeout: 60_000 }, async () => {
    const row = ["rows", '{"size": 8, "colour": "<b>blue</b>"}'];
    const made = await run("explain", ...row, "--check", "--out", "why.html");
    expect(made.stdout).toContain("Saved why.html");
    const page = readFileSync(at("why.html"), "utf8");
    expect(page).toContain("&lt;b&gt;blue&lt;/b&gt;");
    expect(page).not.toMatch(/<script|<b>blue|src="http/);
    expect(page).toContain("The score as parts are changed");
    await run("explain", "shapes", "pictures/with/0.png", "--out", "map.svg");
    expect(readFileSync(at("map.svg"), "utf8")).toMatch(/^<svg .*image-rendering: pixelated/);
    await run("explain", "shapes", "pictures/with/0.png", "--method", "occlusion", "--out", "map.png");
    expect(decode(readFileSync(at("map.png"))).width).toBeGreaterThan(400);
  });

  test("expected gradients compare with samples of a file or a folder, and add up to how far the score is above theirs", async () => {
    writeFileSync(at("flowers.json"), "[[5, 3.4, 1.5, 0.2], [6, 2.8, 4.3, 1.3], [6.5, 3, 5.5, 2]]");
    const asked = ["iris", "[6.3, 2.9, 5.6, 1.8]"];
    const found = await explained(...asked, "--background", "flowers.json");
    expect(found.method).toBe("expected-gradients");
    const { sum = 0, expected = Number.NaN } = found.completeness ?? {};
    expect(Math.abs(sum - expected)).toBeLessThan(0.05 * Math.abs(expected) + 0.02);
    const map = await explained("shapes", "pictures/with/0.png", "--background", "pictures/without");
    expect([map.method, map.pictures[0]?.shape]).toEqual(["expected-gradients", [28, 28]]);
    for (const [args, message] of [
      [[...asked, "--method", "expected-gradients"], /compares with samples of the data, and none were passed/],
      [[...asked, "--background", "flowers.json", "--method", "lime"], /--background is for expected-gradients/],
      [["rows", '{"size": 8, "colour": "red"}', "--background", "flowers.json"], /a row of a table, which has its own/],
      [[...asked, "--background", "nowhere"], /there is no file nowhere/],
    ] as const) {
      const { stderr, code } = await run("explain", ...args);
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    }
  });

  test("of a file with several inputs one is explained, the tokens where there are some, the others as they are", async () => {
    const types = { ids: { dtype: "int64", shape: [1, 3] }, weight: { dtype: "float32", shape: [1, 3] } } as const;
    const model = new Weighted();
    model.initialize(keyOf(1), types);
    await exportOnnx(model, at("two.onnx"), { inputs: types });
    const inputs = '{"ids": [[1, 2, 0]], "weight": [[2, 1, 0]]}';
    const found = await explained("two.onnx", inputs, "--target", "1");
    // The embedding of 1 counts twice: what weight says stays.
    expect(found.pictures[0]?.words?.map(({ text }) => text.trim())).toEqual(["1", "2", "0"]);
    const { sum = 0, expected = Number.NaN } = found.completeness ?? {};
    expect(sum).toBeCloseTo(expected, 4);
    const weights = await explained("two.onnx", inputs, "--target", "1", "--input", "weight");
    expect(weights.pictures[0]?.columns?.map(({ value }) => value)).toEqual([
      expect.closeTo(2 * 3, 4),
      expect.closeTo(5, 4),
      expect.closeTo(0, 4),
    ]);
    for (const [input, message] of [
      ['{"ids": [[1, 2, 0]]}', /lacks weight; pass ids, weight/],
      ['{"ids": [[1]], "weight": [[1]], "mask": [[1]]}', /has mask, which the model does not take/],
      ["[1, 2]", /the model takes ids, weight; pass an object/],
      ['{"ids": [[1.5]], "weight": [[1]]}', /ids: /],
      ['{"ids": [[1], [2]], "weight": [[1]]}', /ids holds \[2, 1\] numbers, and one sample/],
    ] as const) {
      const { stderr, code } = await run("explain", "two.onnx", input);
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
    }
  });

  test("a model in a file is explained by what it takes", async () => {
    const { target } = await explained("runs/iris/model.onnx", "[1, 0, 1, 1]", "--method", "occlusion");
    expect(["setosa", "versicolor", "virginica"]).toContain(target);
    const { notes, pictures } = await explained("runs/shapes/model.onnx", "pictures/with/0.png");
    expect(notes.join()).toContain("pixels are divided by 255");
    expect(pictures[0]?.shape).toEqual([28, 28]);
  });
});

test("folders of Hugging Face's layout with a tokenizer are explained by texts; masked tokens are refused", {
  timeout: 60_000,
}, async () => {
  const layers = { num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 64 };
  const sizes = { hidden_size: 32, intermediate_size: 48, ...layers };
  const llama = { model_type: "llama", architectures: ["LlamaForCausalLM"], num_key_value_heads: 1, ...sizes };
  writeModel(at("llama"), "the film was lovely", llama);
  const found = await explained("./llama", "the film");
  expect(found.pictures[0]?.words?.map(({ text }) => text).join("")).toBe("the film");
  const { sum = 0, expected = Number.NaN } = found.completeness ?? {};
  expect(Math.abs(sum - expected)).toBeLessThan(0.05 * Math.abs(expected) + 0.02);
  const bert = { model_type: "bert", architectures: ["BertForMaskedLM"], type_vocab_size: 2, ...sizes };
  writeModel(at("bert"), "the film was lovely", bert);
  const { stderr, code } = await run("explain", "./bert", "the film");
  expect([code, stderr]).toEqual([2, expect.stringMatching(/no scores \[1, classes\] and no number/)]);
});

describe("refused in one sentence, and nothing is written", () => {
  test.each([
    [["nowhere", "[1]"], /there is no run nowhere/],
    [["iris", "[1, 2, 3]"], /holds \[3\] numbers, the model takes \[4\]/],
    [["iris", "[[1, 2, 3, 4], [1, 2, 3, 4]]"], /holds 2 samples, and one is explained at a time; name it: --row 0/],
    [["iris", "[[1, 2, 3, 4], [1, 2, 3, 4]]", "--row", "2"], /--row is 2, .* pass 0 to 1/],
    [
      ["iris", "[1, 2, 3, 4]", "--method", "gradcam"],
      /--method is "gradcam"; pass one of integrated-gradients, .*, grad-cam/,
    ],
    [["iris", "[1, 2, 3, 4]", "--method", "grad-cam"], /grad-cam needs an image, and this is numbers; pass one of/],
    [
      ["iris", "[1, 2, 3, 4]", "--target", "rose"],
      /--target is "rose"; pass one of setosa, versicolor, virginica, or a number from 0 to 2/,
    ],
    [
      ["iris", "[1, 2, 3, 4]", "--target", "0", "--against", "setosa"],
      /--against is setosa, which is the target itself/,
    ],
    [["iris", "[1, 2, 3, 4]", "--out", "why.pdf"], /--out is why\.pdf; pass a file that ends in \.html, \.svg, \.png/],
    [["iris", "pictures/with/0.png"], /takes \[4\] numbers, no images/],
    [["shapes", "nothing.png"], /there is no file nothing\.png/],
    [["reviews", "pictures/with/0.png"], /is a file of another kind, and the run reads texts/],
    [["reviews", "reviews.csv"], /holds 160 samples/],
    [["reviews", " "], /is empty/],
    [
      ["reviews", "好", "--out", "why.png", "--target", "good"],
      /the letters of PNG files have no "好"; write \.svg or \.html/,
    ],
    [["runs/iris/model.onnx", "[1, 2, 3, 4]", "--best"], /is a model in a file, no run; leave --best out/],
    [["reviews.csv", "[1]"], /reviews\.csv/],
  ] as const)("%j", async (args, message) => {
    const { code, stderr } = await run("explain", ...args);
    expect(stderr).toMatch(message);
    expect([code, stderr.trim().split("\n").length]).toEqual([2, 1]);
    expect([existsSync(at("why.pdf")), existsSync(at("why.png"))]).toEqual([false, false]);
  });
});

test.skipIf(!existsSync("/usr/bin/script"))(
  "a terminal with colours shows words and maps in them, NO_COLOR none",
  () => {
    const onTerminal = (args: string, environment: Readonly<Record<string, string>> = {}) => {
      const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], TERM: "xterm-256color", ...environment };
      const line = `${process.execPath} ${program} explain ${args}`;
      return spawnSync("script", ["-qec", line, "/dev/null"], { encoding: "utf8", env, cwd: folder }).stdout;
    };
    const words = "runs/reviews 'The film was lovely.' --target good";
    expect(onTerminal(words)).toMatch(/\[38;5;16;48;5;\d+mlovely/);
    expect(onTerminal("runs/shapes pictures/with/0.png")).toMatch(/\[38;5;\d+;48;5;\d+m▀/);
    expect(onTerminal(words, { NO_COLOR: "1" })).not.toContain("\u001b[");
  },
  60_000,
);
