/** Checkpoints in a store of your own; the browser's is tried in test/web-training.test.ts. */
import { expect, test, vi } from "vitest";
import { FileError, OptionError } from "../core/errors.ts";
import { tensor } from "../core/tensor.ts";
import { fromTensors } from "../data/pipeline/dataset.ts";
import { dense, meanSquaredError, sequential } from "../nn/index.ts";
import { decodeCheckpoint, fit, sgd } from "../train/index.ts";
import { browserStore, type CheckpointStore, storedCheckpoint } from "./checkpoint-store.ts";

/** A store in memory that refuses the checkpoints of some numbers, from 1. */
function memoryStore(refuses: (save: number) => boolean): CheckpointStore & { readonly saved: number } {
  let bytes: Uint8Array | undefined;
  let saves = 0;
  return {
    get saved() {
      return saves;
    },
    load: async () => bytes && decodeCheckpoint(bytes),
    async save(own) {
      saves++;
      if (refuses(saves)) throw new FileError("no room");
      bytes = own;
    },
    async remove() {
      bytes = undefined;
    },
  };
}

const line = fromTensors({ x: tensor([[1], [2]]), y: tensor([[2], [4]]) }).batch(1);

async function train(store: CheckpointStore, epochs: number) {
  const model = sequential([dense(1)]);
  const { notes } = await fit(model, line, {
    loss: meanSquaredError(),
    optimizer: sgd({ learningRate: 0.01 }),
    epochs,
    callbacks: [storedCheckpoint(store)],
    training: { resume: await store.load() },
  });
  return { notes, weight: model.parameters().get("layers.0.weight")?.value?.toNumbers() };
}

test("a run goes on from its store as if it had not stopped", async () => {
  const store = memoryStore(() => false);
  await train(store, 2);
  const whole = await train(
    memoryStore(() => false),
    5,
  );
  expect(await train(store, 5)).toEqual(whole);
  expect((await store.load())?.epoch).toBe(5);
});

test("refused checkpoints leave the one before, are said once, and are noted where they last", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  try {
    const full = memoryStore((save) => save > 2);
    const { notes } = await train(full, 5);
    // After every epoch, and at the end.
    expect([full.saved, (await full.load())?.epoch]).toEqual([6, 2]);
    expect(notes).toEqual(["the last checkpoint was not saved: no room"]);
    expect(warn.mock.calls).toEqual([["Sardonyx: no room"]]);
    expect(
      (
        await train(
          memoryStore((save) => save === 2),
          5,
        )
      ).notes,
    ).toEqual([]);
  } finally {
    warn.mockRestore();
  }
});

test("what is no failure of a store ends the run", async () => {
  const store = { ...memoryStore(() => false), save: () => Promise.reject(new TypeError("a defect")) };
  await expect(train(store, 1)).rejects.toThrow("a defect");
});

test("a store needs a name, and a browser", async () => {
  expect(() => browserStore("")).toThrow(OptionError);
  // Node has no IndexedDB.
  await expect(browserStore("run").load()).rejects.toThrow(
    /the checkpoint "run": the browser lets this page store nothing/,
  );
});
