/** Datasets in worker threads: the same elements as without, errors in their class, threads that end. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { DataError, OptionError, SardonyxError } from "../../core/errors.ts";
import make, { type WorkerDataOptions } from "../testing/worker-data.ts";
import type { Dataset, Labelled } from "./dataset.ts";
import { inWorker, type WorkerOptions } from "./worker.node.ts";

const module = new URL("../testing/worker-data.ts", import.meta.url);

async function all(dataset: Dataset<Labelled>, epoch = 0, skip = 0): Promise<Labelled[]> {
  const batches: Labelled[] = [];
  for await (const batch of dataset.epoch(epoch, { skip })) batches.push(batch);
  return batches;
}

const start = (options: WorkerDataOptions, workers?: WorkerOptions) => inWorker<Labelled>(module, options, workers);

it.each([
  ["table", 1],
  ["table", 3],
  ["stream", 2],
  ["cached", 2],
] as const)(
  "gives the elements of a %s with %i threads, in order, in each epoch, from any place",
  async (kind, threads) => {
    const options = { kind, rows: 11 };
    const here = (await make(options)) as Dataset<Labelled>;
    const there = await start(options, { threads, ahead: 2 });
    expect(there.length).toBe(here.length);
    for (const [epoch, skip] of [
      [0, 0],
      [1, 2],
    ] as const) {
      const batches = await all(there, epoch, skip);
      expect(batches).toEqual(await all(here, epoch, skip));
      for (const { x } of batches) expect(x.data.byteLength).toBe(x.data.buffer.byteLength); // arrived whole
    }
  },
);

it("ends its threads when the reader stops early, and starts others for the next epoch", async () => {
  const data = await start({ kind: "table", rows: 100 });
  for await (const _ of data.epoch(0)) break;
  expect(await all(data.take(2), 1)).toHaveLength(2);
});

it("lets the process end when an iteration is left where it is", () => {
  const program = `
    import { register } from "tsx/esm/api";
    register();
    const { inWorker } = await import(${JSON.stringify(new URL("./worker.node.ts", import.meta.url).href)});
    const data = await inWorker(${JSON.stringify(module.href)}, { kind: "table", rows: 100 }, { threads: 2 });
    const left = data.epoch(0)[Symbol.asyncIterator]();
    console.log(Object.keys((await left.next()).value).join());
    await inWorker(${JSON.stringify(module.href)}, { kind: "table", rows: 100 });`;
  const options = { encoding: "utf8", timeout: 60_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], options);
  expect([status, stdout, stderr]).toEqual([0, "x,y\n", ""]);
});

it("passes errors on in the class that they had, after the elements before them", async () => {
  const data = await start({ kind: "failing", rows: 6 }, { threads: 2 });
  const seen: number[] = [];
  const read = async () => {
    for await (const { y } of data.epoch(0)) seen.push(y.item());
  };
  const failure = read();
  await expect(failure).rejects.toThrow(DataError);
  await expect(failure).rejects.toThrow("row 3 is bad; correct it");
  expect(seen).toEqual([0, 1, 2]);
});

it("reports modules that fail, give no dataset, or do not exist", async () => {
  await expect(start({ kind: "broken", rows: 1 })).rejects.toThrow("no such thing");
  await expect(start({ kind: "none", rows: 1 })).rejects.toThrow(OptionError);
  await expect(inWorker<Labelled>(new URL("./no-such-module.ts", import.meta.url), {})).rejects.toThrow(
    /no-such-module/,
  );
});

it("reports arrays that were handed over with an earlier batch", async () => {
  await expect(all(await start({ kind: "shared", rows: 6 }))).rejects.toThrow(
    /the array of "x" was handed over with an earlier batch/,
  );
});

it("reports a worker that ended by itself", async () => {
  const failure = all(await start({ kind: "crashing", rows: 6 }));
  await expect(failure).rejects.toThrow(SardonyxError);
  await expect(failure).rejects.toThrow("data worker: ended with exit code 3 before its data did");
});
