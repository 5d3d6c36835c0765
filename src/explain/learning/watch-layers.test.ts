/** Layers over a run: when they are measured, what is kept, a run that goes on, and steps in turn. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { type Batch, fromTensors } from "../../data/pipeline/dataset.ts";
import { batchNorm, crossEntropy, dense, dropout, sequential } from "../../nn/index.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../train/checkpoint.ts";
import { fit } from "../../train/fit.ts";
import { adam } from "../../train/optimizers/index.ts";
import { layerStatistics } from "./layer-statistics.ts";
import { type WatchLayersOptions, watchLayers } from "./watch-layers.ts";

const samples: Batch = {
  x: new Tensor("float32", [40, 3], new Random(keyOf(1)).normals(120)),
  y: new Tensor(
    "int32",
    [40],
    Int32Array.from({ length: 40 }, (_, i) => i % 3),
  ),
};
const whole = fromTensors(samples);
const train = whole.shuffle(keyOf(3)).batch(10);
const network = () => sequential([dense(8, { activation: "relu" }), batchNorm(), dropout(0.3), dense(3)]);
const options = { loss: crossEntropy(), optimizer: adam() };

test("before the first epoch, after every second and the last; the run is the same as without", async () => {
  const model = network();
  const seen: number[] = [];
  const watch = watchLayers(whole.batch(40), { every: 2, onMeasured: ({ epoch }) => void seen.push(epoch) });
  const { history } = await fit(model, train, { ...options, epochs: 5, callbacks: [watch] });
  expect(watch.history.map(({ epoch, batch }) => [epoch, batch])).toEqual([
    [0, 0],
    [2, 8],
    [4, 16],
    [5, 20],
  ]);
  expect(seen).toEqual([0, 2, 4, 5]);
  const last = await layerStatistics(model, samples, { loss: crossEntropy() });
  expect(watch.history.at(-1)).toEqual({ epoch: 5, batch: 20, ...last });
  const alone = await fit(network(), train, { ...options, epochs: 5 });
  expect(history).toEqual(alone.history);
});

test("a run that goes on keeps what was measured, and measures no beginning again", async () => {
  const first = watchLayers(whole.batch(40));
  const { progress } = await fit(network(), train, { ...options, epochs: 2, callbacks: [first] });
  const saved = decodeCheckpoint(encodeCheckpoint(progress));
  const second = watchLayers(whole.batch(40));
  await fit(network(), train, { ...options, epochs: 3, callbacks: [second], training: { resume: saved } });
  expect(second.history.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3]);
  expect(second.history.slice(0, 3)).toEqual(first.history);
  const damaged = { ...saved, callbacks: { watchLayers: [{ epoch: "one" }] } };
  await expect(
    fit(network(), train, {
      ...options,
      epochs: 3,
      callbacks: [watchLayers(whole.batch(40))],
      training: { resume: damaged },
    }),
  ).rejects.toThrow('what the checkpoint holds of the callback "watchLayers" is damaged');
});

test("of steps in turn the loss of one is taken", async () => {
  const model = network();
  const steps = { first: { ...options, trains: "layers.0" }, second: options };
  const run = async (own: WatchLayersOptions) => {
    const watch = watchLayers(whole.batch(40), own);
    await fit(model, train, { steps, epochs: 1, callbacks: [watch] } as never);
    return watch.history;
  };
  expect(await run({ step: "second", layers: "layers.3" })).toHaveLength(2);
  await expect(run({ step: "third" })).rejects.toThrow('unknown step "third"');
  await expect(run({ layers: "layer.3" })).rejects.toThrow('unknown layer "layer.3"');
});

test("data without a batch is refused before anything is trained", async () => {
  const none = watchLayers({ epoch: async function* () {} } as unknown as typeof train);
  await expect(fit(network(), train, { ...options, epochs: 1, callbacks: [none] })).rejects.toThrow(
    "watchLayers: the dataset gave no batch to measure on",
  );
});
