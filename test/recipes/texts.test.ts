/** Texts of your own without code: trained, held against baselines, asked by texts and files, exported. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { textFeatureRows, textIds } from "../../src/index.ts";
import { openRun } from "../../src/node.ts";
import { sardonyx } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-own-texts-"));
afterAll(() => rmSync(folder, { recursive: true }));

const things = ["film", "meal", "phone", "book", "song", "chair", "walk"];
const good = ["a joy", "lovely", "great fun", "not bad"];
const bad = ["so dull", "a waste", "not good", "broken"];
const rows = Array.from({ length: 160 }, (_, i) => {
  const ways = i % 2 ? good : bad;
  return {
    review: `The ${things[i % 7]} number ${i} is ${ways[(i >> 1) % 4]} for me`,
    mood: i % 2 ? "glad" : "sad",
    tags: [things[i % 7] as string, ...(i % 2 ? ["praise"] : [])],
  };
});
const saved = (name: string, own: readonly object[]) => {
  const path = join(folder, name);
  writeFileSync(path, own.map((row) => JSON.stringify(row)).join("\n"));
  return path;
};
const moods = saved(
  "moods.jsonl",
  rows.map(({ review, mood }) => ({ review, mood })),
);

const trainOn = (name: string, data: string, ...args: string[]) => {
  const run = join(folder, name);
  const options = ["--threads", "1", "--minutes", "0.5", "--width", "8", "--batch-size", "16"];
  const done = sardonyx("train", "--data", data, "--out", run, ...options, ...args);
  expect([done.stderr, done.status]).toEqual(["", 0]);
  const evaluation = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8"));
  // As one line: where lines are cut depends on the name of the folder.
  return { run, evaluation, stdout: done.stdout.replace(/\s+/g, " ") };
};

describe("classes", () => {
  let run = "";
  let evaluation: ReturnType<typeof trainOn>["evaluation"];
  let said = "";
  beforeAll(() => {
    ({ run, evaluation, stdout: said } = trainOn("class", moods, "--epochs", "4"));
  }, 120_000);

  test("are learned, beside baselines on the same test", () => {
    expect(evaluation.results.accuracy).toBeGreaterThan(0.9);
    expect(evaluation.baselines.map(({ name }: { name: string }) => name)).toEqual([
      "majority",
      "naive Bayes",
      "logistic regression",
    ]);
    expect(evaluation.baselines[0].test).toBeLessThan(0.6);
    expect(said).toMatch(/is taken for texts \("review"\) with a value each \("mood"\)/);
    expect(said).toMatch(/samples that were not trained on chose \w+, after epoch \d/);
  });

  test("of texts, of files, of tables, known or not", () => {
    const file = join(folder, "one.txt");
    writeFileSync(file, "The walk is\nlovely for me");
    const more = saved("more.jsonl", [
      { review: "The book is broken for me" },
      { review: "The zeppelin is great fun" },
    ]);
    const { stdout, stderr, status } = sardonyx("predict", run, "The song is a zorb for me", file, more);
    expect([stderr, status]).toEqual(["", 0]);
    const answers = stdout.trim().split("\n");
    expect(answers).toHaveLength(4);
    expect(answers[0]).toMatch(/^The song is a zorb for me: (?:glad|sad) .*\(not known: zorb\)/);
    expect(answers[1]).toMatch(/^one.txt: glad \(/);
    expect(answers[2]).toMatch(/^more.jsonl\[0\]: sad \(/);
    expect(answers[3]).toMatch(/^more.jsonl\[1\]: glad \(/);
  });

  test.each([
    [" ", /the input: the text is empty; pass one such as/],
    ["none.txt", /there is no file none.txt/],
  ])("refuses %j", (input, refusal) => {
    const { stderr, status } = sardonyx("predict", run, input);
    expect(status).toBe(2);
    expect(stderr).toMatch(refusal);
  });

  test("a report shows mistakes by their words, and calibration", () => {
    const report = JSON.parse(readFileSync(join(run, "report.json"), "utf8"));
    expect(report.calibration).toBeDefined();
    expect(report.verdict).toMatch(/etter than (?:the best|a) simple baseline/);
  });

  test("the exported graph takes the ids of any number of texts", async () => {
    const opened = await openRun(run);
    const features = opened.network.format?.text;
    if (!features) throw new Error("the run does not say how texts become ids");
    const read = textIds(features)(["The meal is so dull", "a joy"]);
    const x = textFeatureRows(read, features.longest, features.runs);
    const ours = await opened.predict(x);
    const out = join(folder, "model.onnx");
    expect(sardonyx("export", run, "--out", out).status).toBe(0);
    const { InferenceSession, Tensor } = await import("onnxruntime-node");
    const session = await InferenceSession.create(out);
    const name = session.inputNames[0] ?? "";
    const given = await session.run({ [name]: new Tensor("int32", x.data as Int32Array, [...x.shape]) });
    const theirs = Object.values(given)[0]?.data as Float32Array;
    expect(Array.from(theirs)).toEqual(ours.toNumbers().map((value) => expect.closeTo(value, 4)));
    await opened.release();
  });

  test("goes on where it stopped, to the same end", () => {
    const parted = trainOn("parted", moods, "--epochs", "1");
    expect(sardonyx("train", "--data", moods, "--out", parted.run, "--resume", "--epochs", "2").status).toBe(0);
    const whole = trainOn("whole", moods, "--epochs", "2");
    const weights = (path: string) => {
      const out = join(path, "w.safetensors");
      expect(sardonyx("export", path, "--out", out).status).toBe(0);
      return readFileSync(out);
    };
    expect(weights(parted.run).equals(weights(whole.run))).toBe(true);
  });
});

test("any number of labels is learned, and named", () => {
  const tags = saved(
    "tags.jsonl",
    rows.map(({ review, tags }) => ({ review, tags })),
  );
  const { run, evaluation } = trainOn("labels", tags, "--task", "labels", "--epochs", "12");
  expect(evaluation.results.labelF1).toBeGreaterThan(0.8);
  expect(evaluation.baselines.at(-1).metric).toBe("label F1");
  const { stdout } = sardonyx("predict", run, "The chair is a joy for me");
  expect(stdout).toMatch(/: .*chair \(.*praise \(|: .*praise \(.*chair \(/);
});

test("a number is learned from texts in Chinese", () => {
  const stars = Array.from({ length: 120 }, (_, i) => ({
    text: `我觉得这部${["电影", "书", "歌"][i % 3]}${i % 2 ? "非常好看很喜欢" : "太无聊了不喜欢"}第${i}次`,
    stars: (i % 2 ? 4 : 1) + (i % 3) / 2,
  }));
  const { run, evaluation } = trainOn("stars", saved("stars.jsonl", stars), "--epochs", "12");
  expect(evaluation.results.r2).toBeGreaterThan(0.5);
  expect(evaluation.baselines.map(({ name }: { name: string }) => name)).toEqual(["mean", "ridge regression"]);
  const { stdout } = sardonyx("predict", run, "这部电影非常好看");
  expect(Number(stdout.trim().split(": ").at(-1))).toBeGreaterThan(2.5);
});

test("texts in folders by class are learned without naming anything", () => {
  for (const [i, { review, mood }] of rows.slice(0, 60).entries()) {
    mkdirSync(join(folder, "mails", mood), { recursive: true });
    writeFileSync(join(folder, "mails", mood, `${i}.txt`), review);
  }
  const { evaluation, stdout } = trainOn("folders", join(folder, "mails"), "--epochs", "3");
  expect(stdout).toMatch(/a folder of texts by class/);
  expect(evaluation.classes).toEqual(["glad", "sad"]);
});
