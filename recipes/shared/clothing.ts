/** What learns images of 28x28 pixels from nothing: the baseline of what is pretrained. */
import { conv2d, dense, dropout, flatten, type Module, maxPool2d, sequential } from "../../src/index.ts";

/** Two convolutions and two dense layers, with half of the features dropped while training. */
export const smallNetwork = (): Module =>
  sequential([
    conv2d(16, 3, { padding: 1, activation: "relu", initializer: "heNormal" }),
    maxPool2d(2),
    conv2d(32, 3, { padding: 1, activation: "relu", initializer: "heNormal" }),
    maxPool2d(2),
    flatten(),
    dropout(0.5),
    dense(64, { activation: "relu", initializer: "heNormal" }),
    dense(10),
  ]);
