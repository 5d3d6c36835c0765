/** Sensitivity: how far an explanation changes when the input hardly does. */
import { OptionError } from "../../core/errors.ts";
import { greatest, least } from "../../core/lists.ts";
import { count, positive } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { type Attribution, requireSample } from "../attribution.ts";
import { requireGradients } from "../explained.ts";

/** Options of `maxSensitivity`. */
export interface SensitivityOptions {
  /** How far each element may move, as a share of the range of the sample's elements; default 0.02. */
  readonly radius?: number;
  /** Neighbours of the sample to draw; default 10. */
  readonly samples?: number;
  /** Of the draws: the same key gives the same value; default keyOf(0). */
  readonly key?: Key;
}

/** How far an explanation changes. */
export interface Sensitivity {
  /** The largest ‖φ(y) - φ(x)‖ / ‖φ(x)‖ over the neighbours y: 0 is steady. */
  readonly sensitivity: number;
  /** The mean over the neighbours. */
  readonly mean: number;
  /** Of an explanation that changes as much as it is large, or is none, a sentence. */
  readonly notes: readonly string[];
}

const checkOptions = optionsOf<SensitivityOptions>("maxSensitivity", {
  radius: positive,
  samples: count(),
  key: keyType,
});

const norm = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2;
  return Math.sqrt(sum);
};

/**
 * How far an explanation changes within a small distance of a sample [1, …], relative to its size: the largest change over neighbours that are drawn
 * evenly from the cube around it (Yeh et al. 2019, definition 3.1). Name the class in what explains. It says nothing of whether the
 * explanation is right: one that is the same for all inputs has 0. Throws DTypeError or GradientError for inputs that are no float32, OptionError
 * where the class changes between neighbours, and what `explains` throws.
 * @param explains makes the map of an input like the sample
 * @example const { sensitivity } = await explain.maxSensitivity(image, (x) => explain.saliency(model, x, { target: 3 }));
 */
export async function maxSensitivity(
  x: Tensor,
  explains: (x: Tensor) => Promise<Attribution>,
  options: SensitivityOptions = {},
): Promise<Sensitivity> {
  const { radius = 0.02, samples = 10, key = keyOf(0) } = checkOptions(options);
  requireSample(x);
  requireGradients(x);
  const elements = x.data as Float32Array;
  const reach = radius * (greatest(elements) - least(elements) || 1);
  const original = await explains(x);
  const size = norm(original.values.data);
  const changes: number[] = [];
  for (let i = 0; i < samples; i++) {
    const random = new Random(foldIn(key, "sensitivity", i));
    const moved = elements.map((own) => own + random.uniform(-reach, reach));
    const { values, target } = await explains(new Tensor("float32", x.shape, moved as Float32Array<ArrayBuffer>));
    if (target !== original.target)
      throw new OptionError(
        `maxSensitivity: the class that is explained became ${target} close to the input; name it: { target: ${original.target} }`,
      );
    changes.push(norm(values.data.map((own, j) => own - (original.values.data[j] as number))));
  }
  if (size === 0) {
    const notes = [`the values of ${original.method} are 0 everywhere: nothing can change relative to them`];
    return { sensitivity: Math.max(...changes) > 0 ? Number.POSITIVE_INFINITY : 0, mean: 0, notes };
  }
  const sensitivity = greatest(changes) / size;
  return {
    sensitivity,
    mean: changes.reduce((sum, change) => sum + change / size / samples, 0),
    notes:
      sensitivity >= 1
        ? [
            `${original.method} changes by ${sensitivity.toFixed(1)} times its size within ${reach.toPrecision(2)} of this input: what it shows is of this very point; try smoothGrad`,
          ]
        : [],
  };
}
