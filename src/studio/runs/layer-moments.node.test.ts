/** The layers of a run's log: read on as it grows, thinned where there are many, and no part of its curves. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LayerMoments } from "./layer-moments.node.ts";
import { RunLibrary } from "./run-library.node.ts";

let root: string;
let log: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sardonyx-layers-"));
  mkdirSync(join(root, "a"));
  log = join(root, "a/log.jsonl");
  writeFileSync(join(root, "a/run.json"), JSON.stringify({ recipe: { name: "iris" }, settings: { epochs: 9 } }));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const lineOf = (record: object) => `${JSON.stringify(record)}\n`;
const layersLine = (epoch: number, layers = 2) =>
  lineOf({
    ...{ type: "layers", epoch, batch: 10 * epoch, loss: 100 },
    layers: Array.from({ length: layers }, (_, i) => ({
      ...{ path: `层.${i}`, type: "Dense", shape: [2, 3], mean: null, deviation: 1, zeros: 0, dead: 0.25 },
      weights: { parameters: 6, norm: 2, gradient: 0.5 ** epoch, ratio: null },
    })),
  });
const epochLine = (epoch: number) => lineOf({ type: "epoch", epoch, batch: 10 * epoch, loss: 1 / epoch });

test("are read on, each once; damaged lines and those of another form are passed over", () => {
  writeFileSync(
    log,
    layersLine(0) + epochLine(1) + lineOf({ type: "layers", epoch: "x" }) + layersLine(1).slice(0, 40),
  );
  const moments = new LayerMoments(log);
  expect(moments.read().map(({ epoch }) => epoch)).toEqual([0]);
  appendFileSync(log, layersLine(1).slice(40) + layersLine(2));
  expect(moments.read().map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
  expect(moments.read()[2]?.layers[1]).toMatchObject({ path: "层.1", weights: { gradient: 0.25, ratio: Number.NaN } });
  // A run that began anew.
  writeFileSync(log, layersLine(0));
  expect(moments.read().map(({ epoch }) => epoch)).toEqual([0]);
});

test("of many evenly spaced ones are kept, and always the last", () => {
  writeFileSync(log, Array.from({ length: 1001 }, (_, epoch) => layersLine(epoch, 1)).join(""));
  const moments = new LayerMoments(log);
  const epochs = moments.read().map(({ epoch }) => epoch);
  expect(epochs.length).toBeLessThanOrEqual(401);
  expect([epochs[0], epochs[1], epochs.at(-1)]).toEqual([0, 4, 1000]);
  appendFileSync(log, layersLine(1001, 1));
  expect(moments.read().at(-1)?.epoch).toBe(1001);
});

test("the loss of the batch that is measured is no point of a curve, and the run's summary looks past long lines", () => {
  writeFileSync(
    log,
    layersLine(0) + lineOf({ type: "batch", batch: 5, epoch: 1, loss: 3 }) + epochLine(1) + layersLine(1, 2000),
  );
  const library = new RunLibrary(root);
  library.refresh();
  expect(library.curve("a", "loss", "batch", { columns: 10 })?.values).toEqual([3]);
  expect(library.runs[0]).toMatchObject({ epoch: 1, batch: 10, latest: { loss: 1 } });
  expect(library.layers("a").map(({ epoch }) => epoch)).toEqual([0, 1]);
  // Within the next epoch, before whose end no record says it.
  appendFileSync(
    log,
    Array.from({ length: 300 }, (_, i) => lineOf({ type: "batch", batch: 11 + i, epoch: 2, loss: 2 })).join(""),
  );
  library.refresh();
  expect(library.runs[0]).toMatchObject({ epoch: 1, batch: 310 });
});
