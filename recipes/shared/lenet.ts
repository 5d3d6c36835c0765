/** LeNet in the form of today: two convolutions and two dense layers on images of 28x28 pixels. */
import { conv2d, dense, flatten, type Module, maxPool2d, sequential } from "../../src/index.ts";

/** @param hidden units of the first dense layer */
export const lenet = (hidden = 128): Module =>
  sequential([
    conv2d(32, 3, { activation: "relu", initializer: "heNormal" }),
    maxPool2d(2),
    conv2d(64, 3, { activation: "relu", initializer: "heNormal" }),
    maxPool2d(2),
    flatten(),
    dense(hidden, { activation: "relu", initializer: "heNormal" }),
    dense(10),
  ]);
