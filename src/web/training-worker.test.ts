/** Training for a page over a port, without a browser: what is told, stopped, refused. */
import { afterEach, expect, test, vi } from "vitest";
import { OptionError } from "../core/errors.ts";
import { tensor } from "../core/tensor.ts";
import { fromTensors } from "../data/pipeline/dataset.ts";
import { dense, meanSquaredError, sequential } from "../nn/index.ts";
import { fit, sgd } from "../train/index.ts";
import { type TrainingWorker, trainInWorker } from "./train-in-worker.ts";
import type { BatchProgress, EpochProgress } from "./training-messages.ts";
import { type TrainingPage, trainingWorker } from "./training-worker.ts";

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** A page's end of a worker that trains by `train`. */
function workerOf<Options>(train: (options: Options, page: TrainingPage) => unknown): TrainingWorker {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  trainingWorker(train, port2);
  for (const port of [port1, port2]) port.start();
  return port1;
}

const line = fromTensors({ x: tensor([[1], [2], [3], [4]]), y: tensor([[2], [4], [6], [8]]) }).batch(2);

async function train({ epochs }: { readonly epochs: number }, { progress }: TrainingPage) {
  const model = sequential([dense(1)]);
  const options = { loss: meanSquaredError(), optimizer: sgd({ learningRate: 0.01 }), callbacks: [progress] };
  const { history, stopReason } = await fit(model, line, { ...options, epochs });
  const weight = model.parameters().get("layers.0.weight")?.value?.data;
  return { losses: history.map(({ loss }) => loss), stopReason, weight };
}
type Trained = Awaited<ReturnType<typeof train>>;

test("a page hears of batches and epochs, and gets what the worker's function returns", async () => {
  const [batches, epochs]: [BatchProgress[], EpochProgress[]] = [[], []];
  const listener = {
    onBatch: (one: BatchProgress) => batches.push(one),
    onEpoch: (one: EpochProgress) => epochs.push(one),
  };
  const worker = workerOf(train);
  const { losses, weight } = await trainInWorker<Trained>(worker, { epochs: 3 }, listener).result;
  expect(losses).toHaveLength(3);
  expect(weight).toBeInstanceOf(Float32Array);
  expect(epochs.map(({ epoch, results }) => [epoch, results.loss])).toEqual(losses.map((loss, i) => [i + 1, loss]));
  expect(batches[0]).toEqual({ epoch: 0, epochs: 3, batch: 1, batchesPerEpoch: 2, loss: expect.any(Number) });
  // The worker stays for a further training, which is the same.
  expect((await trainInWorker<Trained>(worker, { epochs: 3 }).result).losses).toEqual(losses);
});

test("a stopped run gives what it has learned", async () => {
  const training = trainInWorker<Trained>(workerOf(train), { epochs: 1e6 }, { onEpoch: () => training.stop() });
  const { losses, stopReason } = await training.result;
  expect(stopReason).toBe("the page stopped it");
  expect(losses.length).toBeGreaterThan(0);
  expect(losses.length).toBeLessThan(1e6);
});

test("what the worker throws keeps its class, and a worker that trains refuses another training", async () => {
  const failing = trainInWorker(workerOf(train), { epochs: -1 });
  await expect(failing.result).rejects.toThrow(OptionError);
  const worker = workerOf(train);
  const first = trainInWorker<Trained>(worker, { epochs: 1e6 });
  await expect(trainInWorker(worker, { epochs: 1 }).result).rejects.toThrow(/trains already; wait for its result/);
  first.stop();
  expect((await first.result).stopReason).toBe("the page stopped it");
});

test("a result that cannot be sent is refused with its reason", async () => {
  const { result } = trainInWorker(
    workerOf(() => () => 1),
    {},
  );
  await expect(result).rejects.toThrow(/could not be cloned/);
});

test("of a worker that does not answer the console speaks", () => {
  vi.useFakeTimers();
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  try {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    void trainInWorker(port1, {});
    vi.advanceTimersByTime(9_000);
    expect(warn).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2_000);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/not answered.*does not call trainingWorker/));
  } finally {
    vi.useRealTimers();
    warn.mockRestore();
  }
});
