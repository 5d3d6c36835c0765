/** Images in a folder for each class: images/circle/01.png, … */
import {
  accuracy,
  activation,
  batchNorm,
  confusionMatrix,
  conv2d,
  crossEntropy,
  defineRecipe,
  dense,
  earlyStopping,
  foldIn,
  globalAveragePool,
  keyOf,
  limited,
  maxPool2d,
  scaleBytes,
  sequential,
} from "sardonyx";
import { loadImageFolder } from "sardonyx/node";
import { z } from "zod";

/** Pixels of a side; images are brought to this size. */
const side = 32;

/** What a run keeps of its data. */
const facts = z.object({ classes: z.array(z.string()) });

const block = (filters: number) => [conv2d(filters, 3, { padding: 1 }), batchNorm(), activation("relu"), maxPool2d(2)];

/** What a trained model is used with, without the data. */
const open = ({ width }: { readonly width: number }, { classes }: z.infer<typeof facts>) => ({
  model: sequential([...block(width), ...block(2 * width), globalAveragePool(), dense(classes.length)]),
  inputs: { dtype: "float32", shape: [1, 3, side, side] } as const,
  format: { image: { height: side, width: side, channels: 3 } } as const,
  classes,
});

export default defineRecipe({
  name: "shapes",
  summary: "Which shape an image shows",
  defaults: { epochs: 60, batchSize: 12, learningRate: 0.003, optimizer: "adam", seed: 0 },
  options: {
    data: { description: "a folder with a folder of images for each class", default: "images" },
    width: { description: "filters of the first convolution", default: 16 },
  },
  facts,
  open,
  async load({ data, width, batchSize, seed }, limit) {
    const { all, classes } = await loadImageFolder(data, { size: [side, side], channels: 3 });
    const [known, test] = all.split(0.75, keyOf(seed));
    const [train, validation] = known.split(0.8, foldIn(keyOf(seed), "validation"));
    const scale = scaleBytes();
    const measured = (own: typeof test) => own.batch(16, { dropLast: false }).map(scale);
    const kept = { classes: [...classes] };
    return {
      ...open({ width }, kept),
      facts: kept,
      train: limited(train, limit).shuffle(keyOf(seed)).batch(batchSize).map(scale),
      validation: measured(validation),
      test: measured(test),
      loss: crossEntropy(),
      metrics: [accuracy(), confusionMatrix(classes.length)],
      callbacks: [earlyStopping({ patience: 12 })],
    };
  },
});
