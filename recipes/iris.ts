/**
 * A 64-64-3 network on Iris, trained whole and then with its first layer frozen: shows that frozen parameters do not
 * move, bit for bit.
 */
import { z } from "zod";
import {
  type AnyModule,
  accuracy,
  collect,
  confusionMatrix,
  crossEntropy,
  defineRecipe,
  dense,
  fitStandardize,
  irisClasses,
  keyOf,
  type Labelled,
  limited,
  ops,
  sequential,
  tensor,
  transform,
  type Value,
} from "../src/index.ts";
import { loadIris } from "../src/node.ts";
import { heldBack } from "./shared/held-back.ts";

/** What is learned of the flowers that are trained on: the mean and the deviation of each measure. */
const facts = z.object({ shift: z.array(z.number()), scale: z.array(z.number()) });

const network = () => ({
  model: sequential([dense(64, { activation: "relu" }), dense(64, { activation: "relu" }), dense(3)]),
  inputs: { dtype: "float32", shape: [1, 4] } as const,
});

const open = ({ epochs }: { readonly epochs: number }, { shift, scale }: z.infer<typeof facts>) => ({
  ...network(),
  classes: irisClasses,
  format: { prepare: (raw: Value) => ops.div(ops.sub(raw, ops.constant(tensor(shift))), ops.constant(tensor(scale))) },
  stages: [
    { name: "all layers", epochs },
    {
      name: "first layer frozen",
      epochs: Math.ceil(epochs / 3),
      before: (model: AnyModule) => void model.freeze("layers.0"),
    },
  ],
});

export default defineRecipe({
  name: "iris",
  summary: "A 64-64-3 network on Fisher's 150 irises; then its first layer is frozen and the rest trained on",
  data: "Iris: 120 and 30 flowers",
  defaults: { epochs: 60, batchSize: 16, learningRate: 0.005, optimizer: "adam", seed: 0 },
  next: ["sardonyx train mlp-mnist            the same kind of network on 60,000 digits"],
  facts,
  network,
  open,
  async load({ batchSize, seed, epochs }, limit, onDownload) {
    const { all } = await loadIris({ ...(onDownload && { onProgress: onDownload }) });
    const [whole, test] = all.split(0.8, keyOf(seed));
    const train = limited(whole, limit);
    // From the flowers that are trained on alone: the test's are not known yet.
    const scaling = fitStandardize((await collect(train)).x);
    const standardized = ({ x, y }: Labelled) => ({ x: transform(x, scaling), y });
    const trained = (own: typeof train) => own.shuffle(keyOf(seed)).batch(batchSize).map(standardized);
    const measured = (own: typeof train) => own.batch(30, { dropLast: false }).map(standardized);
    const kept = { shift: [...scaling.shift], scale: [...scaling.scale] };
    return {
      ...open({ epochs }, kept),
      facts: kept,
      train: trained(train),
      test: measured(test),
      trial: () => heldBack({ train, seed, trained, measured }),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(3)],
      samples: { train: train.length ?? 0, test: test.length ?? 0 },
    };
  },
});
