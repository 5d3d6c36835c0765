/** Models that are inspected: kept in processes of their own, within limits of time, memory and number. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { InspectedModels } from "./inspected-models.node.ts";

const never = new AbortController().signal;
const made: InspectedModels[] = [];
const program = [process.execPath, "bin/sardonyx.mjs"] as const;
const keep = (
  limits: ConstructorParameters<typeof InspectedModels>[1] = {},
  own: readonly [string, ...string[]] = program,
) => {
  const models = new InspectedModels({ root: process.cwd(), program: own }, limits);
  made.push(models);
  return models;
};
/** A program that answers in a way of its own, in the place of ours. */
const stub = (code: string): readonly [string, ...string[]] => {
  const path = join(mkdtempSync(join(tmpdir(), "sardonyx-stub-")), "stub.mjs");
  writeFileSync(path, code);
  return [process.execPath, path];
};
afterEach(() => {
  for (const models of made.splice(0)) models.close();
});

test("a model is read once for many what-ifs, and a mistake in one ends nothing", { timeout: 60_000 }, async () => {
  const models = keep();
  const whole = await models.inspection("lenet5", {}, never);
  const frozen = await models.inspection("lenet5", { freezeBlocks: 1 }, never);
  // The first convolution of LeNet-5: 6 filters of 5·5, and biases (LeCun et al. 1998).
  expect(whole.parameters.trainable - frozen.parameters.trainable).toBe(6 * 25 + 6);
  await expect(models.inspection("lenet5", { freezeBlocks: 99 }, never)).rejects.toThrow("lenet5 has 4");
  expect(await models.page("lenet5", {}, never)).toMatch(/^<!doctype html>/i);
  await expect(models.inspection("lenet6", {}, never)).rejects.toThrow('did you mean "lenet5"?');
  expect(models.size).toBe(2);
});

test("what nobody waits for any more is left out", { timeout: 60_000 }, async () => {
  const models = keep();
  const gone = new AbortController();
  const first = models.inspection("lenet5", {}, never);
  const second = models.inspection("lenet5", { batch: 2 }, gone.signal);
  gone.abort(new Error("gone"));
  await expect(second).rejects.toThrow("gone");
  expect((await first).inputs[0]?.shape).toEqual([1, 1, 28, 28]);
});

test("few are kept, and idle ones are let go", { timeout: 60_000 }, async () => {
  const models = keep({ models: 1, idle: 200 });
  await models.inspection("lenet5", {}, never);
  await models.inspection("lenet5", {}, never);
  const other = models.inspection("alexnet", { withoutTraining: true }, never);
  await other;
  expect(models.size).toBe(1);
  await expect.poll(() => models.size, { timeout: 5000 }).toBe(0);
});

test("one that takes too long or too much is ended, and that is said", { timeout: 60_000 }, async () => {
  const slow = keep({ seconds: 0.5 }, stub("process.stdin.resume();"));
  await expect(slow.inspection("gpt2", {}, never)).rejects.toThrow("took more than 0.5 s; do it on the command line");
  const large = keep(
    { megabytes: 32 },
    stub("const held = []; for (;;) held.push(new Array(1e5).fill({}).map(() => ({})));"),
  );
  await expect(large.inspection("gpt2", {}, never)).rejects.toThrow("took more than 32 MB of memory");
  const broken = keep({}, stub("console.error('sardonyx: there is no file [FILE]'); process.exitCode = 2;"));
  await expect(broken.inspection("gpt2", {}, never)).rejects.toThrow("there is no file");
});
