/** A table of your own without code: trained, held against baselines, asked by rows, exported. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../src/core/random.ts";
import { encodeRows, keyOf } from "../../src/index.ts";
import { openRun } from "../../src/node.ts";
import { sardonyx } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-own-table-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Houses whose price is told by their size and town, and whether they are dear; some sizes are missing. */
const random = new Random(keyOf(1));
const lines = Array.from({ length: 300 }, (_, i) => {
  const size = 40 + Math.round(1000 * random.uniform(0, 1)) / 10;
  const town = ["Ulm", "Köln", "Bonn"][i % 3] ?? "";
  const price = 1000 * size * (1 + (i % 3));
  return `${i % 17 === 0 ? "" : String(size).replace(".", ",")};${town};${price > 150_000 ? "dear" : "cheap"};${price}`;
});
const houses = join(folder, "houses.csv");
writeFileSync(houses, ["size;town;class;price", ...lines].join("\n"));

const trainOn = (name: string, ...args: string[]) => {
  const run = join(folder, name);
  const done = sardonyx("train", "--data", houses, "--out", run, "--threads", "1", "--minutes", "0.5", ...args);
  expect([done.stderr, done.status]).toEqual(["", 0]);
  const evaluation = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8"));
  return { run, evaluation, stdout: done.stdout };
};

describe("classes", () => {
  let run = "";
  let evaluation: ReturnType<typeof trainOn>["evaluation"];
  let said = "";
  beforeAll(() => {
    ({ run, evaluation, stdout: said } = trainOn("class", "--target", "class", "--ignore", "price", "--epochs", "40"));
  }, 120_000);

  test("are learned, beside baselines on the same test", () => {
    // Half are cheap, and the two columns decide.
    expect(evaluation.results.accuracy).toBeGreaterThan(0.9);
    expect(evaluation.baselines.map(({ name }: { name: string }) => name)).toEqual([
      "majority",
      "logistic regression",
      "k nearest neighbours",
      "random forest",
      "boosted trees",
    ]);
    expect(evaluation.baselines[0].test).toBeLessThan(0.7);
    expect(said).toMatch(/"class" is predicted \(as asked; --target names another\)/);
    expect(said).toMatch(/values separated by semicolons/);
    expect(said).toMatch(/etter than (?:the best|a) simple baseline/);
    expect(said).toMatch(/samples that were not trained on chose \w+, after epoch \d+/);
  });

  test("of rows as JSON and as files, known or not", () => {
    const rows = join(folder, "rows.csv");
    writeFileSync(rows, "town;size\nUlm;50,5\nKöln;130\nRome;\n");
    const { stdout, stderr, status } = sardonyx("predict", run, '{"size": "50,5", "town": "Ulm"}', rows);
    expect([stderr, status]).toEqual(["", 0]);
    const answers = stdout.trim().split("\n");
    expect(answers).toHaveLength(4);
    expect(answers[0]).toMatch(/: cheap \(/);
    expect(answers[1]).toMatch(/rows.csv\[0\]: cheap/);
    expect(answers[1]?.split(": ")[1]).toBe(answers[0]?.split("}: ")[1]);
    expect(answers[2]).toMatch(/rows.csv\[1\]: dear/);
  });

  test.each([
    [
      '{"size": "large", "town": "Ulm"}',
      /"size" is "large", expected a number below 3.4e38; correct it, or leave it empty/,
    ],
    ['{"town": "Ulm"}', /has no column "size", which the model reads; it has "town"/],
    ["[1, 2]", /is no row of a table; write an object by the names of columns, such as \{"size":/],
    ['{"size": [1], "town": "Ulm"}', /"size" is a list, expected a text, a number or null/],
  ])("refuses %s", (input, refusal) => {
    const { stderr, status } = sardonyx("predict", run, input);
    expect(status).toBe(2);
    expect(stderr).toMatch(refusal);
  });

  test("the exported graph takes the encoded numbers, and imputes and scales by itself", async () => {
    const opened = await openRun(run);
    const encoding = opened.network.format?.table;
    if (!encoding) throw new Error("the run does not say how rows become numbers");
    const x = encodeRows(encoding, [{ where: "row", cell: (name) => (name === "town" ? "Bonn" : "") }]);
    expect(x.toArray()).toEqual([[Number.NaN, expect.any(Number)]]);
    const ours = await opened.predict(x);
    const out = join(folder, "model.onnx");
    expect(sardonyx("export", run, "--out", out).status).toBe(0);
    const { InferenceSession, Tensor } = await import("onnxruntime-node");
    const session = await InferenceSession.create(out);
    const name = session.inputNames[0] ?? "";
    const given = await session.run({ [name]: new Tensor("float32", x.data as Float32Array, [1, 2]) });
    const theirs = Object.values(given)[0]?.data as Float32Array;
    expect(Array.from(theirs)).toEqual(ours.toNumbers().map((value) => expect.closeTo(value, 5)));
    await opened.release();
  });

  test("goes on where it stopped, to the same end", () => {
    const args = ["--target", "class", "--ignore", "price"];
    const parted = trainOn("parted", ...args, "--epochs", "2");
    expect(sardonyx("train", "--data", houses, "--out", parted.run, "--resume", "--epochs", "4").status).toBe(0);
    const whole = trainOn("whole", ...args, "--epochs", "4");
    const weights = (path: string) => {
      const out = join(path, "w.safetensors");
      expect(sardonyx("export", path, "--out", out).status).toBe(0);
      return readFileSync(out);
    };
    expect(weights(parted.run).equals(weights(whole.run))).toBe(true);
  });
});

test("a number is learned, in its units", () => {
  const { evaluation, run } = trainOn("price", "--target", "price", "--ignore", "class", "--epochs", "40");
  expect(evaluation.results.r2).toBeGreaterThan(0.8);
  const { stdout } = sardonyx("predict", run, '{"size": 100, "town": "Ulm"}');
  // 1000 a square metre.
  expect(Number(stdout.trim().split(": ").at(-1))).toBeGreaterThan(60_000);
  expect(Number(stdout.trim().split(": ").at(-1))).toBeLessThan(160_000);
});

test("says what is missing or wrong before it trains", () => {
  const nothing = sardonyx("train");
  expect([nothing.status, nothing.stderr]).toEqual([
    2,
    expect.stringMatching(/there is nothing to train; name a recipe .* sardonyx train --data PATH/),
  ]);
  const column = sardonyx("train", "--data", houses, "--target", "prize");
  expect([column.status, column.stderr]).toEqual([2, expect.stringMatching(/"prize"; did you mean "price"\?/)]);
  const file = sardonyx("train", "--data", join(folder, "none.csv"));
  expect([file.status, file.stderr]).toEqual([2, expect.stringMatching(/none\.csv/)]);
});
