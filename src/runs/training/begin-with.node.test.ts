/** Runs that begin with the parameters of others: at their loss, and with no other network. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  decodeSafetensors,
  defineRecipe,
  dense,
  fromTensors,
  meanSquaredError,
  sequential,
  tensor,
} from "../../index.ts";
import { runRecipe } from "../../node.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-from-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

/** Twice a number and one more, learned by a layer of some width and one of 1. */
const line = defineRecipe({
  name: "line",
  summary: "a line",
  defaults: { epochs: 40, batchSize: 8, learningRate: 0.05, optimizer: "adam", seed: 0 },
  options: { width: { description: "units", default: 4 } },
  async load({ batchSize, width }) {
    const numbers = Array.from({ length: 32 }, (_, i) => i / 16 - 1);
    const data = fromTensors({ x: tensor(numbers.map((x) => [x])), y: tensor(numbers.map((x) => [2 * x + 1])) });
    return {
      model: sequential([dense(width), dense(1)]),
      inputs: { dtype: "float32", shape: [1, 1] } as const,
      train: data.batch(batchSize),
      test: data.batch(32),
      loss: meanSquaredError(),
      samples: { train: 32, test: 32 },
    };
  },
});
const parameters = (run: string) => {
  const { tensors } = decodeSafetensors(new Uint8Array(readFileSync(join(run, "checkpoint.safetensors"))));
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => name.startsWith("layers.")));
};

test("a run that begins with another's parameters begins at its loss, with an optimizer of its own", async () => {
  const threads = 1;
  const first = await runRecipe(line, {}, { out: at("first"), threads });
  const loss = first.evaluation.results["loss"] ?? Number.NaN;
  // Steps of 1e-30 move no float32, so that the test is that of the first run, bit for bit.
  const still = { epochs: 1, learningRate: 1e-30, seed: 5 };
  const same = await runRecipe(line, still, { out: at("same"), from: at("first"), threads });
  expect(same.evaluation.results["loss"]).toBe(loss);
  expect(parameters(at("same"))).toEqual(parameters(at("first")));
  expect(JSON.parse(readFileSync(at("same/run.json"), "utf8")).from).toBe(at("first"));
  // Four batches of an epoch: the first run's 160 updates are not among them.
  expect(same.history).toHaveLength(1);
  const fresh = await runRecipe(line, still, { out: at("fresh"), threads });
  expect(fresh.evaluation.results["loss"]).toBeGreaterThan(100 * loss);
  const better = await runRecipe(
    line,
    { epochs: 10, learningRate: 0.001 },
    { out: at("on"), from: at("first"), threads },
  );
  expect(better.history[0]?.["loss"]).toBeLessThan(2 * loss + 1e-4);
});

test("one that was killed before its first checkpoint begins with them again", async () => {
  mkdirSync(at("killed"));
  copyFileSync(at("same/run.json"), at("killed/run.json"));
  await runRecipe(line, {}, { out: at("killed"), resume: true, threads: 1 });
  expect(parameters(at("killed"))).toEqual(parameters(at("first")));
});

test("another network is refused by the parameter in which it differs, and leaves no folder", async () => {
  await expect(runRecipe(line, { options: { width: 5 } }, { out: at("wide"), from: at("first") })).rejects.toThrow(
    /first is a run of another network: parameter "layers\.0\.weight" is \[4, 1\] in the checkpoint and \[5, 1\] in this model; name a run of the same recipe/,
  );
  expect(existsSync(at("wide"))).toBe(false);
  await expect(runRecipe(line, {}, { out: at("none"), from: at("nowhere") })).rejects.toThrow("nowhere");
  await expect(runRecipe(line, {}, { out: at("first"), resume: true, from: at("same") })).rejects.toThrow(
    "a run that is resumed has its own parameters; leave --from out",
  );
});
