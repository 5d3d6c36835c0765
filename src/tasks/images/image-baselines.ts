/** What simple ways reach on the pixels of the same images. */
import type { Tensor } from "../../core/tensor.ts";
import type { BaselineResult } from "../../train/baselines/baseline.ts";
import type { CompareBaselinesOptions } from "../../train/baselines/compare.ts";
import { baselinesOfSamples, type SampleSplit } from "../shared/feature-rows.ts";
import { shrink } from "./shrink.ts";

/** Numbers that baselines read of an image at most: more takes minutes. */
const mostFeatures = 784;
/** Baselines that learn from hundreds of numbers in time. */
const simple = ["majority", "mean", "logistic regression", "ridge regression", "k nearest neighbours", "random forest"];

/** The pixels of an image from 0 to 1, those of large ones by the means of several. */
function pixelFeatures({ data, shape: [channels = 1, height = 1, width = 1] }: Tensor): Float32Array {
  const side = Math.floor(Math.sqrt(mostFeatures / channels));
  return shrink({ channels, height, width, bytes: data as Uint8Array }, side, side).map((value) => value / 255);
}

/** What simple baselines reach on pixels: the majority or the mean, a linear model, nearest neighbours, a random forest. */
export const baselinesOfImages = (
  images: SampleSplit,
  options: CompareBaselinesOptions,
): Promise<readonly BaselineResult[]> => baselinesOfSamples(images, pixelFeatures, { only: simple, ...options });
