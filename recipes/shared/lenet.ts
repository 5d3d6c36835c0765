/** LeNet in the form of today: two convolutions and two dense layers on images of 28x28 pixels. */
import { conv2d, dense, flatten, type Module, maxPool2d, sequential } from "../../src/index.ts";

/** @param hidden units of the first dense layer @param filters of the first convolution; the second has twice as many */
export const lenet = (hidden = 128, filters = 32): Module =>
  sequential([
    conv2d(filters, 3, { activation: "relu", initializer: "heNormal" }),
    maxPool2d(2),
    conv2d(2 * filters, 3, { activation: "relu", initializer: "heNormal" }),
    maxPool2d(2),
    flatten(),
    dense(hidden, { activation: "relu", initializer: "heNormal" }),
    dense(10),
  ]);
