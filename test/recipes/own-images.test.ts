/** Images of your own without code: trained, held against baselines, asked by files, exported. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conv2d, dense, encodePng, globalAveragePool, keyOf, sequential, Tensor } from "../../src/index.ts";
import { openRun, readImage, saveModel } from "../../src/node.ts";
import { drawBar } from "../../src/tasks/images/testing/draw-images.node.ts";
import { sardonyx } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-own-images-"));
afterAll(() => rmSync(folder, { recursive: true }));

const train = (data: string, name: string, ...args: string[]) => {
  const run = join(folder, name);
  const done = sardonyx("train", "--data", data, "--out", run, "--threads", "1", "--minutes", "3", ...args);
  expect([done.stderr, done.status]).toEqual(["", 0]);
  return { run, stdout: done.stdout, evaluation: JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8")) };
};

describe("classes by folder", () => {
  const data = join(folder, "bars");
  for (let i = 0; i < 40; i++) {
    drawBar(join(data, "across", `${i}.png`), { across: true, seed: i });
    drawBar(join(data, "down", `${i}.png`), { across: false, seed: 1000 + i });
  }
  writeFileSync(join(data, "down", "broken.jpg"), "no image");
  let trained: ReturnType<typeof train>;
  beforeAll(() => {
    trained = train(data, "classes", "--epochs", "5", "--width", "8");
  }, 120_000);

  test("are learned, beside baselines on the same images", () => {
    const { evaluation, stdout, run } = trained;
    expect(evaluation.results.accuracy).toBeGreaterThan(0.85);
    expect(evaluation.baselines.map(({ name }: { name: string }) => name)).toEqual([
      "majority",
      "logistic regression",
      "k nearest neighbours",
      "random forest",
    ]);
    const said = stdout.replace(/\s+/g, " ");
    expect(said).toMatch(/is taken for 81 images in 2 folders/);
    expect(said).toMatch(/left out: 1 image that cannot be read, such as .*broken\.jpg/);
    expect(said).toMatch(/samples that were not trained on chose (?:plain|mirrored|together), after epoch 5/);
    expect(readFileSync(join(run, "report.html"), "utf8")).toMatch(/random forest/);
  });

  test("of files, whatever their ground is, in colour or not", async () => {
    const { run } = trained;
    const light = join(folder, "light.png");
    drawBar(light, { across: true, channels: 3, side: 40, seed: 7000 });
    const plain = await readImage(light, { channels: 1 });
    const inverted = new Tensor(
      "uint8",
      plain.shape,
      Uint8Array.from(plain.data, (level) => 255 - level),
    );
    writeFileSync(light, encodePng(inverted));
    const { stdout, status } = sardonyx(
      "predict",
      run,
      join(data, "across", "3.png"),
      join(data, "down", "4.png"),
      light,
    );
    expect(status).toBe(0);
    const answers = stdout.trim().split("\n");
    expect(answers[0]).toMatch(/3\.png: across \(/);
    expect(answers[1]).toMatch(/4\.png: down \(/);
    // It is not turned to a dark ground: the model learned images as they are.
    expect(answers[2]).not.toMatch(/inverted/);
  });

  test("the exported graph gives what the run does", async () => {
    const { run } = trained;
    const opened = await openRun(run);
    const { data: bytes } = await readImage(join(data, "across", "5.png"), { size: [28, 28], channels: 1 });
    const ours = await opened.predict(new Tensor("uint8", [1, 1, 28, 28], bytes as Uint8Array<ArrayBuffer>));
    const out = join(folder, "model.onnx");
    expect(sardonyx("export", run, "--out", out).status).toBe(0);
    const { InferenceSession, Tensor: Given } = await import("onnxruntime-node");
    const session = await InferenceSession.create(out);
    const x = new Given(
      "float32",
      Float32Array.from(bytes as Uint8Array, (byte) => byte / 255),
      [1, 1, 28, 28],
    );
    const theirs = Object.values(await session.run({ [session.inputNames[0] ?? ""]: x }))[0]?.data as Float32Array;
    expect(Array.from(theirs)).toEqual(ours.toNumbers().map((value) => expect.closeTo(value, 4)));
    await opened.release();
  });

  test("goes on where it stopped, twice to the same end", () => {
    const options = ["--width", "4", "--limit", "20"];
    const parted = train(data, "parted", ...options, "--epochs", "1");
    expect(sardonyx("train", "--data", data, "--out", parted.run, "--resume", "--epochs", "2").status).toBe(0);
    const again = train(data, "again", ...options, "--epochs", "1");
    expect(sardonyx("train", "--data", data, "--out", again.run, "--resume", "--epochs", "2").status).toBe(0);
    const weights = ({ run }: typeof parted) => {
      const out = join(run, "w.safetensors");
      expect(sardonyx("export", run, "--out", out).status).toBe(0);
      return readFileSync(out);
    };
    expect(weights(parted).equals(weights(again))).toBe(true);
  });
});

test("on a base: its head, then its last blocks, beside a linear model on its features", async () => {
  const data = join(folder, "few-bars");
  for (let i = 0; i < 20; i++) {
    drawBar(join(data, "across", `${i}.png`), { across: true, seed: i });
    drawBar(join(data, "down", `${i}.png`), { across: false, seed: 1000 + i });
  }
  const base = sequential([
    conv2d(8, 3, { padding: 1, activation: "relu" }),
    conv2d(8, 3, { padding: 1, activation: "relu" }),
    globalAveragePool(),
    dense(5),
  ]);
  base.initialize(keyOf(1), { dtype: "float32", shape: [1, 1, 16, 16] });
  await saveModel(base, join(folder, "base"));
  const { run, evaluation, stdout } = train(data, "run-base", "--base", join(folder, "base"), "--epochs", "3");
  expect(evaluation.baselines.map(({ name }: { name: string }) => name)).toContain(
    "logistic regression on the base's features",
  );
  const said = stdout.replace(/\s+/g, " ");
  expect(said).toMatch(/images are brought to 16 x 16 pixels, grey, as the base takes them/);
  expect(said).toMatch(/Stage 1 of 2: head alone, 2 epochs/);
  expect(said).toMatch(/Stage 2 of 2: head and last 2 blocks, 1 epoch/);
  // The run is whole: it needs the base no more.
  rmSync(join(folder, "base"), { recursive: true });
  const { stdout: answer, status } = sardonyx("predict", run, join(data, "across", "3.png"));
  expect([status, answer]).toEqual([0, expect.stringMatching(/3\.png: (?:across|down) \(/)]);
  const text = sardonyx("train", "--data", data, "--base", run, "--size", "20");
  expect([text.status, text.stderr]).toEqual([2, expect.stringMatching(/--base takes images of its own size/)]);
});

/** A table of images with bars across and down, and what it says of each. */
function tableOf(name: string, head: string, line: (i: number, place: number) => string): string {
  const path = join(folder, name);
  mkdirSync(path);
  const lines = Array.from({ length: 60 }, (_, i) => {
    const place = drawBar(join(path, `${i}.png`), { across: i % 2 === 0, seed: 500 + i });
    return `${i}.png,${line(i, place)}`;
  });
  writeFileSync(join(path, "metadata.csv"), [head, ...lines].join("\n"));
  return path;
}

test("labels, of which an image may have several", () => {
  const data = tableOf("labels", "file_name,objects", (i) => (i % 2 ? "down" : "across|bar"));
  const { run, evaluation, stdout } = train(data, "run-labels", "--epochs", "5", "--width", "8");
  expect(Object.keys(evaluation.results)).toEqual(expect.arrayContaining(["labelF1", "meanAveragePrecision"]));
  expect(evaluation.results.labelF1).toBeGreaterThan(0.8);
  expect(stdout.replace(/\s+/g, " ")).toMatch(/which of 3 labels a file has/);
  const { stdout: answer } = sardonyx("predict", run, join(data, "4.png"));
  expect(answer).toMatch(/4\.png: (?:across|bar) \(.*, (?:across|bar) \(/);
});

test("a number, in its units", () => {
  const data = tableOf("numbers", "file_name,place", (_, place) => String(100 * place));
  const { run, evaluation } = train(data, "run-number", "--epochs", "2", "--width", "4");
  expect(Number.isFinite(evaluation.results.rootMeanSquaredError)).toBe(true);
  const answer = Number(sardonyx("predict", run, join(data, "4.png")).stdout.trim().split(": ").at(-1));
  expect(answer).toBeGreaterThan(0);
  expect(answer).toBeLessThan(100);
});

test("says what is missing or wrong before it trains", () => {
  const nothing = sardonyx("train", "images");
  expect([nothing.status, nothing.stderr]).toEqual([2, expect.stringMatching(/name their folder or table by --data/)]);
  const size = sardonyx("train", "--data", join(folder, "bars"), "--size", "3");
  expect([size.status, size.stderr]).toEqual([2, expect.stringMatching(/--size is 3; pass a whole number/)]);
  const absent = sardonyx("train", "images", "--data", join(folder, "none"));
  expect([absent.status, absent.stderr]).toEqual([2, expect.stringMatching(/there is no file or folder/)]);
});
