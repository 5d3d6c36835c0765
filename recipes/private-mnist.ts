/** Digits learned with differential privacy: nobody can tell from the network whether an image was among those that it learned from. */
import {
  accuracy,
  activation,
  auditMembership,
  collect,
  confusionMatrix,
  conv2d,
  cosine,
  crossEntropy,
  type Dataset,
  defineRecipe,
  dense,
  flatten,
  foldIn,
  fromTensors,
  gatherRows,
  type Key,
  keyOf,
  limited,
  maxPool2d,
  mnistClasses,
  OptionError,
  Random,
  sampleLosses,
  scaleBytes,
  sequential,
  Tensor,
} from "../src/index.ts";
import { type LabelledImages, loadMnist } from "../src/node.ts";
import { greyImages } from "./shared/digits.ts";

/** The network of Papernot et al. 2021, table 1: bounded activations lose less under clipping and noise. */
const open = () => ({
  model: sequential([
    conv2d(16, 8, { stride: 2, padding: 3 }),
    activation("tanh"),
    maxPool2d(2, { stride: 1 }),
    conv2d(32, 4, { stride: 2 }),
    activation("tanh"),
    maxPool2d(2, { stride: 1 }),
    flatten(),
    dense(32, { activation: "tanh" }),
    dense(10),
  ]),
  classes: mnistClasses,
  ...greyImages,
});

/** Digits with labels at random, half of which take the place of as many of the training data. */
async function plantCanaries(data: Dataset<LabelledImages>, count: number, key: Key) {
  const samples = data.length ?? 0;
  if (count % 2 !== 0 || count < 2 || count > samples / 2)
    throw new OptionError(
      `--canaries is ${count}; pass an even number of digits, at most half of the ${samples} to train on`,
    );
  const random = new Random(foldIn(key, "canaries"));
  const drawn = await collect(data.take(count));
  const labels = Int32Array.from({ length: count }, () => random.integer(10));
  const order = random.permutation(count);
  const part = (places: Uint32Array) => {
    const x = gatherRows(drawn.x, places);
    const y = new Tensor(
      "int32",
      [places.length],
      Int32Array.from(places, (place) => labels[place] ?? 0),
    );
    return fromTensors<LabelledImages>({ x, y });
  };
  const [learned, others] = [part(order.subarray(0, count / 2)), part(order.subarray(count / 2))];
  return { learned, others, train: data.skip(count).concat(learned) };
}

export default defineRecipe({
  name: "private-mnist",
  summary: "Digits learned with differential privacy: clipped gradients, noise, and what an audit finds",
  data: "MNIST: 54,000, 6,000 to validate, 10,000",
  defaults: {
    epochs: 25,
    batchSize: 1024,
    learningRate: 4,
    optimizer: "sgd",
    seed: 0,
    private: 3,
    delta: 1e-5,
    clip: 0.1,
  },
  options: {
    canaries: { description: "digits that get labels at random, half of which are learned, for the audit", default: 0 },
  },
  next: ["sardonyx train private-mnist --private 1", "sardonyx train lenet-mnist --private 3"],
  open,
  async load({ batchSize, seed, epochs, learningRate, delta, canaries }, limit, onDownload) {
    const data = await loadMnist({ ...(onDownload && { onProgress: onDownload }) });
    const [whole, test] = [limited(data.train, limit), limited(data.test, limit)];
    // A tenth by which settings were chosen; it costs no privacy, since the network does not learn from it.
    const [known, held] = whole.split(0.9, keyOf(seed));
    const planted = canaries > 0 ? await plantCanaries(known, canaries, keyOf(seed)) : undefined;
    const train = planted?.train ?? known;
    const scale = scaleBytes();
    const batches = train.batch(batchSize).map(scale);
    const loss = crossEntropy();
    const opened = open();
    return {
      ...opened,
      train: batches,
      validation: held.batch(250, { dropLast: false }).map(scale),
      test: test.batch(250, { dropLast: false }).map(scale),
      loss,
      ...(planted && {
        async measure(compile) {
          const losses = (own: typeof known) =>
            sampleLosses(opened.model, own.batch(250, { dropLast: false }).map(scale), { loss, compile });
          const audit = auditMembership(await losses(planted.learned), await losses(planted.others), {
            ...(delta !== undefined && { delta }),
          });
          return { canary_epsilon: audit.epsilon, canary_area: audit.area };
        },
      }),
      metrics: [accuracy(), confusionMatrix(10)],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
      // At the end, where noise is most of a gradient, steps are small.
      schedule: cosine({ rate: learningRate, steps: Math.max(1, epochs * (batches.length ?? 1)) }),
      optimizers: { sgd: { momentum: 0.9 } },
    };
  },
});
