/** Images with boxes of your own without code: trained, held against baselines, asked by files, exported, searched. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { overlapOf, scaleBytes } from "../../src/index.ts";
import { openRun, readPaddedImage, runRecipe } from "../../src/node.ts";
import {
  drawScene,
  sceneClasses,
  writeCoco,
  writeText,
  writeYolo,
} from "../../src/tasks/boxes/testing/draw-scenes.node.ts";
import { epochsOf, sardonyx } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-own-boxes-"));
afterAll(() => rmSync(folder, { recursive: true }));

const train = (data: string, name: string, ...args: string[]) => {
  const run = join(folder, name);
  const done = sardonyx("train", "--data", data, "--out", run, "--threads", "1", "--minutes", "3", ...args);
  expect([done.stderr, done.status]).toEqual(["", 0]);
  return { run, stdout: done.stdout.replace(/\s+/g, " ") };
};

const evaluationOf = (run: string) => JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8"));

describe("blocks and frames in COCO's form", () => {
  const data = join(folder, "coco");
  let trained: ReturnType<typeof train>;
  beforeAll(() => {
    writeCoco(data, 90);
    trained = train(data, "run", "--epochs", "12", "--size", "64");
  }, 180_000);

  test("are learned, beside baselines on the same images", () => {
    const { run, stdout } = trained;
    const { results, baselines } = evaluationOf(run);
    expect(stdout).toMatch(/is taken for 90 images with boxes in COCO's form/);
    expect(stdout).toMatch(/boxes in COCO's form: \d+ images to train on with \d+ boxes of 2 classes/);
    expect(stdout).toMatch(/Better by mAP@0\.5 than the best simple baseline/);
    expect(results.mAP).toBeGreaterThan(0.6);
    expect(results.mAP_50_95).toBeGreaterThan(0.2);
    expect(results.mAP_50_95).toBeLessThan(results.mAP);
    expect(baselines).toHaveLength(4);
    for (const { metric, test: reached } of baselines)
      expect(reached).toBeLessThan(metric === "mAP@0.5" ? results.mAP : results.mAP_50_95);
    expect(readFileSync(join(run, "boxes.png")).subarray(1, 4).toString()).toBe("PNG");
    expect(existsSync(join(run, "curve-mAP.svg"))).toBe(true);
    expect(readFileSync(join(run, "report.html"), "utf8")).toMatch(/boxes of the nearest images/);
    // It ends with the epoch whose mAP was the best where it was chosen by: what is tested again is the same.
    const again = sardonyx("eval", run, "--json")
      .stdout.trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(again.find(({ type }) => type === "evaluation").results.mAP).toBeCloseTo(results.mAP, 6);
  });

  test("are found in files of other sizes, in the pixels of those", () => {
    const path = join(folder, "wide.png");
    const truth = drawScene(path, { width: 90, height: 60, seed: 5000 });
    const { stdout, status } = sardonyx("predict", trained.run, path, "--json");
    expect(status).toBe(0);
    const [{ found }, drawing] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(found.length).toBeGreaterThan(0);
    const [best] = found;
    expect(sceneClasses).toContain(best.label);
    expect(Math.max(...truth.map(({ box }) => overlapOf(box, best.box)))).toBeGreaterThan(0.5);
    expect(existsSync(drawing.path)).toBe(true);
    expect(sardonyx("predict", trained.run, path).stdout).toMatch(
      /wide\.png: (?:block|frame) from \d+,\d+ to \d+,\d+ \(/,
    );
    writeFileSync(join(folder, "broken.png"), "no image");
    const broken = sardonyx("predict", trained.run, join(folder, "broken.png"), path);
    expect([broken.status, broken.stderr]).toEqual([2, expect.stringMatching(/broken\.png: is no image of a kind/)]);
    expect(broken.stdout).toMatch(/wide\.png: /);
  });

  test("the exported graph finds what the run does", async () => {
    const out = join(folder, "model.onnx");
    expect(sardonyx("export", trained.run, "--out", out).status).toBe(0);
    const { image } = await readPaddedImage(join(data, "images", "003.png"), { side: 64, channels: 1 });
    const { x } = scaleBytes()({ x: image.reshape([1, 1, 64, 64]) });
    const { InferenceSession, Tensor: Given } = await import("onnxruntime-node");
    const session = await InferenceSession.create(out);
    const given = new Given("float32", x.data, [1, 1, 64, 64]);
    const rows = Object.values(await session.run({ [session.inputNames[0] ?? ""]: given }))[0]?.data as Float32Array;
    const opened = await openRun(trained.run);
    const answer = await opened.ask(join(data, "images", "003.png"));
    const { found } = ("fields" in answer ? answer.fields : {}) as { found: { box: number[]; score: number }[] };
    const shown = Array.from({ length: rows.length / 6 }, (_, i) => [...rows.subarray(6 * i, 6 * i + 6)])
      .filter(([, , , , , score = 0]) => score >= 0.35)
      .sort((a, b) => (b[5] ?? 0) - (a[5] ?? 0));
    expect(shown.length).toBeGreaterThan(0);
    expect(found.map(({ score }) => score)).toEqual(shown.map((row) => expect.closeTo(row[5] as number, 4)));
    await opened.release();
  });
});

test("goes on where it stopped, twice to the same end", () => {
  const data = join(folder, "yolo");
  writeYolo(data, 30);
  writeText(join(data, "data.yaml"), `names: [${sceneClasses.join(", ")}]\n`);
  const options = ["--width", "4", "--size", "64"];
  const weights = (name: string) => {
    const { run, stdout } = train(data, name, ...options, "--epochs", "1");
    expect(stdout).toMatch(/boxes in YOLO's form/);
    expect(sardonyx("train", "--data", data, "--out", run, "--resume", "--epochs", "2").status).toBe(0);
    expect(epochsOf(run)).toHaveLength(2);
    const out = join(run, "w.safetensors");
    expect(sardonyx("export", run, "--out", out).status).toBe(0);
    return readFileSync(out);
  };
  expect(weights("parted").equals(weights("again"))).toBe(true);
});

test("a run that was cut off within an epoch ends as one that was not", async () => {
  const data = join(folder, "cut");
  writeCoco(data, 24);
  const settings = { epochs: 2, options: { data, size: 64, width: 4, minutes: 5 } };
  const whole = await runRecipe("boxes", settings, { out: join(folder, "whole"), threads: 1 });
  const stop = new AbortController();
  let batches = 0;
  const onBatch = () => {
    if (++batches === 25) stop.abort();
  };
  const out = join(folder, "resumed");
  const observer = { callbacks: () => [{ name: "cut", onBatch }] };
  const begun = runRecipe("boxes", settings, { out, threads: 1, signal: stop.signal, observer });
  await expect(begun).rejects.toThrow(/after batch 25, in epoch 2/);
  const resumed = await runRecipe("boxes", {}, { out, resume: true });
  expect(resumed.history).toEqual(whole.history);
  expect(resumed.evaluation.results).toEqual(whole.evaluation.results);
  expect(readFileSync(join(out, "model.onnx")).equals(readFileSync(join(whole.folder, "model.onnx")))).toBe(true);
});

test("settings are searched by the mAP of images that choose; seeds have a mean", () => {
  const data = join(folder, "searched");
  writeCoco(data, 24);
  const options = ["--width", "4", "--size", "64", "--epochs", "2"];
  const { run } = train(data, "search", ...options, "--trials", "2");
  const search = JSON.parse(readFileSync(join(run, "search.json"), "utf8"));
  expect([search.monitor, search.better]).toEqual(["validation_mAP", "higher"]);
  const { stdout } = train(data, "seeds", ...options, "--seeds", "2");
  expect(stdout).toMatch(/by mAP@0\.5 (?:than|from) .*, the best simple baseline: .* by mAP@\[\.5:\.95\] /);
  expect(stdout).toMatch(
    /baseline: usual boxes of each class, mAP@0\.5 .* baseline: usual boxes of each class, mAP@\[/,
  );
});

test("says what is missing or wrong before it trains", () => {
  const nothing = sardonyx("train", "boxes");
  expect([nothing.status, nothing.stderr]).toEqual([2, expect.stringMatching(/name their folder by --data/)]);
  const size = sardonyx("train", "boxes", "--data", folder, "--size", "100");
  expect([size.status, size.stderr]).toEqual([
    2,
    expect.stringMatching(/--size is 100; pass a multiple of 32 from 32/),
  ]);
  const data = join(folder, "per-cent");
  writeYolo(data, 12);
  writeText(join(data, "labels", "003.txt"), "0 50 50 20 20\n");
  const units = sardonyx("train", "--data", data);
  expect([units.status, units.stderr.replace(/\s+/g, " ")]).toEqual([
    2,
    expect.stringMatching(/003\.txt: line 1: "0 50 50 20 20" has 50 where fractions/),
  ]);
});
