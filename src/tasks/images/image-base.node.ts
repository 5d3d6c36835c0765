/** A pretrained model of images as what own images are learned on: its features, with a new head. */
import { OptionError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { inputTypesOf } from "../../finetune/adapters/sites.ts";
import { featureLayer } from "../../finetune/heads/feature-layer.ts";
import { withHead } from "../../finetune/heads/with-head.ts";
import { type BaseOptions, openBase, pixelScalingBeside } from "../../finetune/tasks/base.node.ts";
import type { ImageSize } from "../../finetune/tasks/image-classification.ts";
import type { Value } from "../../graph/ir.ts";
import {
  type AnyModule,
  activation,
  isTensorType,
  type Module,
  sequential,
  type TensorModule,
} from "../../nn/index.ts";
import { constant, div, sub, transpose } from "../../ops/index.ts";
import { headOf } from "../shared/base-head.ts";

/** A pretrained model of images. */
export interface ImageBase {
  /** The size and colours that it takes. */
  readonly size: ImageSize;
  /** What is to be known of it. */
  readonly note: string;
  /** The model with a new head on its features: from images [N, C, height, width] from 0 to 1 to scores [N, outputs]. */
  classifier(outputs: number): TensorModule;
  /** Its features alone, [N, features]. */
  readonly features: Module;
}

/** Where the channels of a model's images lie, and their size. Throws OptionError for a model of something else. */
function imageForm(base: AnyModule): ImageSize & { readonly isLast: boolean } {
  const types = inputTypesOf(base);
  const { shape } = isTensorType(types) ? types : { shape: [] };
  const isColour = (extent: number | undefined): extent is 1 | 3 => extent === 1 || extent === 3;
  const [, first = 0, second = 0, third = 0] = shape;
  if (shape.length === 4 && isColour(first)) return { channels: first, height: second, width: third, isLast: false };
  if (shape.length === 4 && isColour(third)) return { channels: third, height: first, width: second, isLast: true };
  throw new OptionError(
    `the base takes ${isTensorType(types) ? showShape(shape) : "several tensors"}, no images [N, 1 or 3, height, width] or [N, height, width, 1 or 3]; pass a model of images`,
  );
}

/** Opens a pretrained model of images: a file, a folder, a run, or `owner/name` on the hub. Throws what `openBase` throws, OptionError for a model of something else. */
export async function openImageBase(name: string, options: BaseOptions = {}): Promise<ImageBase> {
  const opened = await openBase(name, options);
  const { isLast, ...size } = imageForm(opened.model);
  const scaling = await pixelScalingBeside(opened);
  const row = (numbers: readonly number[]) => {
    const values = Array.from({ length: size.channels }, (_, c) => numbers[c % numbers.length] ?? 0);
    return constant(new Tensor("float32", [1, size.channels, 1, 1], Float32Array.from(values)));
  };
  const prepared = (pixels: Value): Value => {
    const scaled = scaling ? div(sub(pixels, row(scaling.mean)), row(scaling.deviation)) : pixels;
    return isLast ? transpose(scaled, [0, 2, 3, 1]) : scaled;
  };
  const layer = featureLayer(opened.model);
  const on = (head: TensorModule): Module => {
    const base = opened.model as Module<Value, unknown>;
    const layers: readonly Module[] = [
      activation(prepared),
      withHead(base, head, layer === undefined ? {} : { at: layer }),
    ];
    return sequential(layers);
  };
  return {
    size,
    note: `a new head takes ${layer === undefined ? "what the base gives" : `what ${layer} of the base gives`}`,
    classifier: (outputs) => on(headOf(outputs)),
    features: on(activation((x) => x)),
  };
}
