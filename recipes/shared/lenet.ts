/** LeNet in the form of today: two convolutions and two dense layers on images of 28x28 pixels. */
import { conv2d, dense, flatten, type Module, maxPool2d, sequential } from "../../src/index.ts";

export const lenet = (): Module =>
  sequential([
    conv2d(32, 3, { activation: "relu", initializer: "heNormal" }),
    maxPool2d(2),
    conv2d(64, 3, { activation: "relu", initializer: "heNormal" }),
    maxPool2d(2),
    flatten(),
    dense(128, { activation: "relu", initializer: "heNormal" }),
    dense(10),
  ]);
