/** Sounds of your own without code: trained, held against baselines, asked by files, exported. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { writeTone } from "../../src/tasks/sounds/testing/write-tone.node.ts";
import { sardonyx } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-own-sounds-"));
afterAll(() => rmSync(folder, { recursive: true }));

const data = join(folder, "tones");
for (let i = 0; i < 30; i++) {
  writeTone(join(data, "rise", `${i}.wav`), { rises: true, seed: i });
  writeTone(join(data, "fall", `${i}.wav`), { rises: false, seed: 100 + i });
}

test("tones that rise or fall", () => {
  const run = join(folder, "run");
  const done = sardonyx("train", "--data", data, "--out", run, "--threads", "1", "--minutes", "5", "--epochs", "3");
  expect([done.stderr, done.status]).toEqual(["", 0]);
  const said = done.stdout.replace(/\s+/g, " ");
  expect(said).toMatch(/is taken for 60 sounds in 2 folders/);
  expect(said).toMatch(/chose (?:plain|masked|together), after epoch 3/);
  const { results, baselines } = JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8"));
  expect(results.accuracy).toBeGreaterThan(0.85);
  expect(baselines.map(({ name }: { name: string }) => name)).toEqual([
    "majority",
    "logistic regression",
    "k nearest neighbours",
    "random forest",
    "boosted trees",
  ]);
  // Rising and falling tones are alike in the mean over time: what comes when decides.
  expect(results.accuracy).toBeGreaterThan(baselines[0].test);

  const asked = join(folder, "asked.wav");
  writeTone(asked, { rises: true, rate: 16_000, seconds: 0.8, seed: 500 });
  const { stdout, status } = sardonyx("predict", run, asked, join(data, "fall", "2.wav"));
  expect(status).toBe(0);
  expect(stdout).toMatch(/asked\.wav: rise \(.*resampled from 16000 Hz/);
  expect(stdout).toMatch(/2\.wav: fall \(/);
  expect(sardonyx("export", run, "--out", join(folder, "model.onnx")).status).toBe(0);
});

test("says what is missing or wrong before it trains", () => {
  const nothing = sardonyx("train", "sounds");
  expect([nothing.status, nothing.stderr]).toEqual([2, expect.stringMatching(/name their folder or table by --data/)]);
  const length = sardonyx("train", "--data", data, "--seconds", "100");
  expect([length.status, length.stderr]).toEqual([
    2,
    expect.stringMatching(/--seconds is 100; pass a number from 0\.1/),
  ]);
});
