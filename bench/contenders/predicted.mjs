// Owns the models of the works on prediction, with the tensor that each is asked: Sardonyx predicts, ONNX Runtime runs the exported file.
import { conv2d, dense, flatten, keyOf, maxPool2d, models, sequential, Tensor } from "../../dist/src/index.js";
import { uniform } from "./data.mjs";

/** Two convolutions and two dense layers on [N, 1, 28, 28], which `lenet-step` trains too. */
export const lenet = () =>
  sequential([
    conv2d(32, 3, { activation: "relu" }),
    maxPool2d(2),
    conv2d(64, 3, { activation: "relu" }),
    maxPool2d(2),
    flatten(),
    dense(128, { activation: "relu" }),
    dense(10),
  ]);

const images = (shape) => {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return new Tensor("float32", shape, uniform(size));
};

const tokens = (length) => new Tensor("int32", [1, length], new Int32Array(length).fill(1_000));

const preset = (name) => models.presetOf(name).build({});

/** By work: the model, what it is asked, and how many calls are one repetition. */
const predicted = {
  "lenet-predict": { build: lenet, x: images([1, 1, 28, 28]), calls: 1_000 },
  "lenet-predict-64": { build: lenet, x: images([64, 1, 28, 28]), calls: 10 },
  "resnet50-predict": { build: () => preset("resnet50"), x: images([1, 3, 224, 224]), calls: 1 },
  "bert-predict": { build: () => preset("bert_base_uncased"), x: tokens(128), calls: 1 },
};

/** The steps of a contender, `prepare` of which gives a function of one call from a model with values and what it is asked. */
export const predictionSteps = (prepare) =>
  Object.fromEntries(
    Object.entries(predicted).map(([work, { build, x, calls }]) => [
      work,
      async () => {
        const model = build();
        model.initialize(keyOf(0), x);
        return { step: await prepare(model, x), calls };
      },
    ]),
  );
