/** A search of settings: trials by rungs, what is chosen is trained in full and reported, and a search that stops goes on to the same. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  accuracy,
  crossEntropy,
  defineRecipe,
  dense,
  fromTensors,
  keyOf,
  Random,
  sequential,
  Tensor,
} from "../src/index.ts";
import { Interrupted, searchRecipe } from "../src/node.ts";
import { sardonyx } from "./recipes/run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-search-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two clouds of points; a rate of 10 or 1e-7 learns nothing. */
const clouds = (count: number, seed: number) => {
  const noise = new Random(keyOf(seed)).normals(2 * count);
  const y = Int32Array.from({ length: count }, (_, i) => i % 2);
  const x = Float32Array.from(noise, (value, i) => value + 2 * ((y[i >> 1] as number) - 0.5));
  return fromTensors({ x: new Tensor("float32", [count, 2], x), y: new Tensor("int32", [count], y) });
};

let tests = 0;
const recipe = (validates: boolean) =>
  defineRecipe({
    name: "clouds",
    summary: "two clouds",
    defaults: { epochs: 9, batchSize: 16, learningRate: 1e-7, optimizer: "adam", seed: 0 },
    search: { learningRate: { choices: [1e-7, 1e-6, 0.05, 0.1] }, batchSize: { choices: [8, 16] } },
    load: async ({ batchSize }) => ({
      model: sequential([dense(8, { activation: "relu" }), dense(2)]),
      inputs: { dtype: "float32", shape: [1, 2] },
      train: clouds(96, 1).batch(batchSize),
      test: clouds(64, 2).batch(32),
      ...(validates && { validation: clouds(64, 3).batch(32) }),
      loss: crossEntropy(),
      metrics: [accuracy()],
      measure: async () => {
        tests++;
        return {};
      },
    }),
  });

test("searchRecipe finds a rate that learns, and tests the one run that it ends with", async () => {
  tests = 0;
  const out = join(folder, "clouds");
  const { search, evaluation, folder: best } = await searchRecipe(recipe(true), {}, { out, trials: 6, threads: 1 });
  expect(tests).toBe(1);
  expect(search.rungs).toEqual([
    { epochs: 1, trials: 6 },
    { epochs: 3, trials: 2 },
  ]);
  expect(search.monitor).toBe("validation_accuracy");
  expect(search.trials[0]?.settings).toEqual({ learningRate: 1e-7, batchSize: 16 });
  const chosen = search.trials.find(({ number }) => number === search.chosen);
  expect(chosen?.settings["learningRate"]).toBeGreaterThan(0.01);
  expect(search.trials.map(({ reached }) => reached.length).sort()).toEqual([1, 1, 1, 1, 2, 2]);
  expect(evaluation.results["accuracy"]).toBeGreaterThan(0.8);
  const record = JSON.parse(readFileSync(join(best, "run.json"), "utf8"));
  expect(record.settings).toMatchObject({ ...chosen?.settings, epochs: 9 });
  expect(readFileSync(join(best, "report.html"), "utf8")).toMatch(
    /Search of settings.*by successive halving.*3 epochs/s,
  );
  expect(readFileSync(join(best, "report.md"), "utf8")).toMatch(/## Search of settings/);
  for (const number of ["01", "06"]) expect(existsSync(join(out, "trials", number, "evaluation.json"))).toBe(false);
});

test("a search that stops goes on to what it would have found, with what it was begun with", async () => {
  const settings = { epochs: 6, seed: 4 };
  const whole = await searchRecipe(recipe(true), settings, { out: join(folder, "whole"), trials: 5, threads: 1 });
  const out = join(folder, "stopped");
  const stop = new AbortController();
  let epochs = 0;
  const counting = { name: "counting", onEpoch: () => void (++epochs === 3 && stop.abort()) };
  await expect(
    searchRecipe(recipe(true), settings, {
      out,
      trials: 5,
      threads: 1,
      signal: stop.signal,
      observer: { callbacks: () => [counting] },
    }),
  ).rejects.toThrow(Interrupted);
  await expect(searchRecipe(recipe(true), {}, { out, trials: 5 })).rejects.toThrow(/holds a search already; resume it/);
  const { search, evaluation } = await searchRecipe(recipe(true), {}, { out, trials: 5, resume: true });
  const timeless = ({ trials, ...rest }: typeof search) => ({
    ...rest,
    trials: trials.map((own) => ({ ...own, seconds: 0 })),
  });
  expect(timeless(search)).toEqual(timeless(whole.search));
  expect(evaluation.results).toEqual(whole.evaluation.results);
});

test("a recipe without validation data says what it lacks", async () => {
  await expect(searchRecipe(recipe(false), {}, { out: join(folder, "none"), trials: 2 })).rejects.toThrow(
    /clouds has no validation data by which settings could be chosen/,
  );
});

test("train --trials searches what --search says, and shows it", () => {
  const out = join(folder, "iris");
  const args = ["train", "iris", "--epochs", "3", "--threads", "1", "--out", out, "--trials", "3"];
  const { stdout, stderr, status } = sardonyx(...args, "--search", "learning-rate=1e-3..0.1 batch-size=8|16");
  expect([stderr, status]).toEqual(["", 0]);
  const said = stdout.replaceAll(/\s+/g, " ");
  expect(said).toMatch(/Search of 3 trials in .*: 3 for 1 epoch, then the best one for 3 epochs/);
  expect(said).toMatch(/Trial 1, 1 epoch: validation accuracy \S+ % learning rate 0.005, batch size 16/);
  expect(said).toMatch(/Trial \d is trained in full/);
  expect(existsSync(join(out, "best", "model.onnx"))).toBe(true);
});

test.each([
  [["train", "iris", "--trials", "1"], /--trials is "1"; pass a whole number from 2/],
  [["train", "iris", "--search", "batch-size=8|16"], /--search says what trials choose, and there are none/],
  [["train", "iris", "--trials", "3", "--seeds", "3"], /--seeds and --trials are given/],
  [
    ["train", "depth-mnist", "--trials", "3"],
    /--trials is for recipes that are trained, and depth-mnist is an experiment/,
  ],
  [["train", "iris", "--trials", "3", "--search", "cell=a|b"], /unknown setting "cell".*learning-rate/],
  [["train", "bert-mlm", "--trials", "2", "--limit", "300"], /bert-mlm has no validation data/],
])("refuses %j", (args, said) => {
  const { stderr, status } = sardonyx(...args, "--out", join(folder, "refused"));
  expect([status, stderr]).toEqual([2, expect.stringMatching(said)]);
});
