/** Trains the network, beside the page: what a worker computes does not hold the page up. */
import {
  accuracy,
  adam,
  browserStore,
  crossEntropy,
  dense,
  fit,
  fromTensors,
  keyOf,
  predict,
  Random,
  sequential,
  storedCheckpoint,
  Tensor,
  trainingWorker,
} from "sardonyx/web/worker";

/** What the page asks for. */
export interface Wanted {
  /** Passes over the points. */
  readonly epochs: number;
  /** Points of the plane to score when it is trained: [points, 2]. */
  readonly points: Float32Array;
}

/** Points of two spirals in turns, with some noise: x [points, 2], y [points]. */
function spirals(points: number) {
  const random = new Random(keyOf(1));
  const x = new Float32Array(2 * points);
  const y = Int32Array.from({ length: points }, (_, i) => i % 2);
  for (let i = 0; i < points; i++) {
    const turn = random.uniform(0.5, 3);
    const angle = turn * Math.PI + (i % 2) * Math.PI;
    x[2 * i] = turn * Math.cos(angle) + 0.1 * random.normal();
    x[2 * i + 1] = turn * Math.sin(angle) + 0.1 * random.normal();
  }
  return fromTensors({ x: new Tensor("float32", [points, 2], x), y: new Tensor("int32", [points], y) });
}

trainingWorker(async ({ epochs, points }: Wanted, { progress }) => {
  const model = sequential([dense(32, { activation: "tanh" }), dense(32, { activation: "tanh" }), dense(2)]);
  // Where the page was closed, training goes on from there. A network that you change wants another name.
  const store = browserStore("spirals");
  // So small a network is fastest on one thread.
  const compile = { threads: 1 };
  const { stopReason } = await fit(model, spirals(1000).shuffle(keyOf(2)).batch(50), {
    loss: crossEntropy(),
    optimizer: adam({ learningRate: 0.01 }),
    metrics: [accuracy()],
    epochs,
    callbacks: [progress, storedCheckpoint(store, { seconds: 5 })],
    training: { compile, resume: await store.load() },
  });
  // What was stopped goes on at the next click, what is done begins anew.
  if (stopReason === undefined) await store.remove();
  const x = new Tensor("float32", [points.length / 2, 2], new Float32Array(points));
  const scores = (await predict(model, x, compile)) as Tensor;
  return Float32Array.from(scores.toNumbers());
});
