// Owns the names and meanings of the benchmark's works, in the order in which the driver runs them.

/** One sentence for each work; README.md gives the layers and shapes that every contender follows. */
export const works = {
  "lenet-step": "One training step of a small convolutional network, batch 64 of [1, 28, 28], Adam.",
  "mlp-step": "One training step of a 784-512-512-10 perceptron, batch 128, Adam.",
  "cnn-step": "One training step of four convolutions with batch normalization, batch 64 of [3, 32, 32], Adam.",
  "adam-32m": "One Adam update of 32 Mi float32 parameters whose gradients are given.",
  dispatch: "One call of a compiled x + y on four floats.",
};
