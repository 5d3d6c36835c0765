/** A small convolutional network, which learns from few images of one size. */
import { count } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import {
  activation,
  batchNorm,
  conv2d,
  dense,
  dropout,
  flatten,
  type Module,
  maxPool2d,
  sequential,
} from "../../nn/index.ts";

/** Options of `smallConvolution`. */
export interface SmallConvolutionOptions {
  /** Rows and columns of pixels. */
  readonly side: number;
  /** Scores that an image gets. */
  readonly outputs: number;
  /** Filters of the first convolution; default 24. */
  readonly width?: number;
}

const checkOptions = optionsOf<SmallConvolutionOptions>("smallConvolution", {
  side: required(count()),
  outputs: required(count()),
  width: count(),
});

/** Pixels in a row of the last features at most. */
const lastSide = 7;

/**
 * Images [N, C, side, side] → scores [N, outputs]: convolutions that halve the image until few places are left, each normalized (Ioffe and
 * Szegedy 2015), then a dense layer on all of them.
 * @example
 * const model = smallConvolution({ side: 28, outputs: 10 });
 */
export function smallConvolution(options: SmallConvolutionOptions): Module {
  const { side, outputs, width = 24 } = checkOptions(options);
  const stages: Module[] = [];
  let [filters, rest] = [width, side];
  const stage = (stride: number) =>
    stages.push(
      conv2d(filters, 3, { stride, padding: 1, bias: false, initializer: "heNormal" }),
      batchNorm(),
      activation("relu"),
    );
  // Of large images the first convolution skips pixels: it would take most of the time.
  const stride = side >= 64 ? 2 : 1;
  stage(stride);
  rest = Math.ceil(rest / stride);
  while (rest > lastSide) {
    stages.push(maxPool2d(2));
    rest = Math.floor(rest / 2);
    filters = Math.min(4 * width, 2 * filters);
    stage(1);
  }
  return sequential([...stages, flatten(), dropout(0.5), dense(outputs)]);
}
