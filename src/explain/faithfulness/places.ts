/** What measures of an attribution read of it: the importance of each place, and the target that it explains. */
import { OptionError, ShapeError } from "../../core/errors.ts";
import { type Shape, showShape, size } from "../../core/shape.ts";
import type { Attribution } from "../attribution.ts";
import type { Target } from "../target.ts";

/** The importance of each place: a pixel of an image with all of its channels, an element of anything else. */
export function importance({ values }: Attribution, shape: Shape): Float64Array {
  const [, channels = 1] = shape.length === 4 ? shape : [];
  const places = size(shape) / channels;
  const layers = values.data.length / places;
  const isMap = values.shape.length === shape.length && shape.slice(-2).join() === values.shape.slice(-2).join();
  if (!isMap || (layers !== 1 && layers !== channels))
    throw new ShapeError(
      `the attribution is ${showShape(values.shape)}, the input ${showShape(shape)}; pass the attribution of this input`,
    );
  return Float64Array.from({ length: places }, (_, place) => {
    let sum = 0;
    for (let layer = 0; layer < layers; layer++) sum += values.data[layer * places + place] as number;
    return sum;
  });
}

/** The target of an attribution, or the function that it was. Throws OptionError where it is to be passed again. */
export function targetOf<O>(where: string, { target }: Attribution, own: Target<O> | undefined): Target<O> {
  const found = own ?? target;
  if (found !== undefined) return found;
  throw new OptionError(`${where}: the attribution is of a function; pass it again: { target: … }`);
}
