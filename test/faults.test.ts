/** Training on a disk that refuses to write, at each call in turn: a sentence, and nothing lost. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FileError } from "../src/index.ts";
import { runRecipe } from "../src/node.ts";
import { type Fault, withFault } from "../src/storage/testing/faults.node.ts";
import { decodeCheckpoint } from "../src/train/checkpoint.ts";
import { repeatable } from "./run-log.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-faults-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

/** Every call of `SARDONYX_ALL_FAULTS=1 npm test -- test/faults.test.ts`; else so many, spread over them. */
const tried = process.env["SARDONYX_ALL_FAULTS"] ? Number.POSITIVE_INFINITY : 12;

const train = (out: string, resume: boolean) =>
  runRecipe("iris", { epochs: 3, seed: 5, batchSize: 60 }, { out, resume, threads: 1, checkpointSeconds: 0 });
const batchesOf = (run: string): number =>
  existsSync(join(run, "checkpoint.safetensors"))
    ? decodeCheckpoint(readFileSync(join(run, "checkpoint.safetensors"))).trainer.batches
    : 0;

let calls = { whole: 0, resumed: 0 };
beforeAll(async () => {
  const whole = await withFault(undefined, () => train(at("whole"), false));
  // Half of a run: cut off by a signal, so that there is something to lose.
  const stop = new AbortController();
  const callbacks = () => [
    { name: "stop", onBatch: ({ trainer }: { trainer: { batches: number } }) => trainer.batches === 5 && stop.abort() },
  ];
  await runRecipe(
    "iris",
    { epochs: 3, seed: 5, batchSize: 60 },
    { out: at("half"), threads: 1, checkpointSeconds: 0, signal: stop.signal, observer: { callbacks } as never },
  ).catch(() => undefined);
  cpSync(at("half"), at("rest"), { recursive: true });
  const resumed = await withFault(undefined, () => train(at("rest"), true));
  calls = { whole: whole.calls, resumed: resumed.calls };
  expect(whole.error ?? resumed.error).toBe(undefined);
}, 60_000);

/** The numbers of the calls that are tried of so many. */
const spread = (count: number): number[] => {
  const chosen = Math.min(count, tried);
  return Array.from({ length: chosen }, (_, i) => Math.floor((i * count) / chosen));
};

test.each<[string, boolean, Omit<Fault, "at">]>([
  ["a new run on a disk that fails once", false, { code: "EIO" }],
  ["a new run on a disk that stays full", false, { code: "ENOSPC", lasting: true }],
  ["a run taken up on a disk that fails once", true, { code: "EACCES" }],
  ["a run taken up on a disk that stays full", true, { code: "ENOSPC", lasting: true }],
])("%s", { timeout: 3_600_000 }, async (_, isResumed, fault) => {
  const count = isResumed ? calls.resumed : calls.whole;
  expect(count).toBeGreaterThan(50);
  let failures = 0;
  for (const index of spread(count)) {
    const out = at(`tried ${index}`);
    if (isResumed) cpSync(at("half"), out, { recursive: true });
    const before = batchesOf(out);
    const { error } = await withFault({ ...fault, at: index }, () => train(out, isResumed));
    if (error !== undefined) {
      failures++;
      expect(error, `call ${index}: ${(error as Error).stack}`).toBeInstanceOf(FileError);
      expect((error as Error).message).toContain(folder);
    }
    expect(batchesOf(out), `call ${index}`).toBeGreaterThanOrEqual(before);
    // What is left is gone on with, or begun again where nothing was left.
    await train(out, existsSync(join(out, "run.json")));
    for (const file of ["checkpoint.safetensors", "best.safetensors", "model.onnx", "log.jsonl", "evaluation.json"])
      expect(
        repeatable(file, readFileSync(join(out, file))) === repeatable(file, readFileSync(join(at("whole"), file))),
        `call ${index}: ${file}`,
      ).toBe(true);
    rmSync(out, { recursive: true });
  }
  expect(failures).toBeGreaterThan(0);
});
