/** The features that methods by perturbation take away and put back: elements of a sample, or groups of them. */
import type { ArrayOf } from "../../core/dtype.ts";
import { isFloat } from "../../core/dtype.ts";
import { DTypeError, OptionError, ShapeError } from "../../core/errors.ts";
import { greatest } from "../../core/lists.ts";
import { matching } from "../../core/option-types.ts";
import type { OptionTypes } from "../../core/options.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import { Tensor, zerosTensor } from "../../core/tensor.ts";
import { type ExplainOptions, explainTypes, requireLike } from "../attribution.ts";
import type { Explained } from "../explained.ts";
import { baselineType } from "../gradients/integrated-gradients.ts";

/** Options of methods that take features away. */
export interface FeatureOptions<O> extends ExplainOptions<O> {
  /** What stands for features that are absent, of the shape of the input; default zeros. */
  readonly baseline?: Tensor | undefined;
  /** The feature that each element belongs to, integers from 0 of the shape of the input; default each element is one. */
  readonly groups?: Tensor | undefined;
}

export const featureTypes: OptionTypes<FeatureOptions<never>> = {
  ...explainTypes,
  baseline: baselineType,
  groups: matching<Tensor | undefined>(
    "a tensor of integers of the shape of the input",
    (own) => own instanceof Tensor,
  ),
};

/** Features of which a linear model is fitted at most: its matrix is the square of their number. */
const mostFeatures = 4096;

/** The features that are present, 1, and absent, 0. */
export type Coalition = Uint8Array;

/** The feature of each element, and the number of elements of each feature. */
interface Partition {
  readonly of: Uint32Array;
  readonly sizes: readonly number[];
}

function partitionOf(method: string, x: Tensor, groups: Tensor | undefined): Partition {
  if (groups && !sameShape(groups.shape, x.shape))
    throw new ShapeError(
      `${method}: groups are ${showShape(groups.shape)}, the input ${showShape(x.shape)}; pass the feature of each element`,
    );
  if (groups && isFloat(groups.dtype))
    throw new DTypeError(`${method}: groups are ${groups.dtype}; pass integers: tensor(numbers, { dtype: "int32" })`);
  const numbers = groups?.toNumbers() ?? Array.from({ length: x.data.length }, (_, i) => i);
  // There are no more features than elements.
  const outside = numbers.find((feature) => feature < 0 || feature >= numbers.length);
  if (outside !== undefined)
    throw new OptionError(`${method}: groups name a feature ${outside}; number features from 0 without gaps`);
  const sizes = new Array<number>(greatest(numbers) + 1).fill(0);
  for (const feature of numbers) sizes[feature] = (sizes[feature] ?? 0) + 1;
  const lacking = sizes.indexOf(0);
  if (lacking >= 0)
    throw new OptionError(
      `${method}: groups have no element of feature ${lacking}; number features from 0 without gaps`,
    );
  return { of: Uint32Array.from(numbers), sizes };
}

/** A sample in features, each of which is present as it is or absent as in a baseline. */
export class Features {
  readonly explained: Explained;
  readonly #method: string;
  readonly #absent: Tensor;
  readonly #partition: Partition;

  /** Throws ShapeError, DTypeError or OptionError for groups and a baseline that do not fit the sample. */
  constructor(method: string, explained: Explained, { baseline, groups }: FeatureOptions<never>) {
    const { x } = explained;
    this.explained = explained;
    this.#method = method;
    this.#absent = requireLike("the baseline", baseline ?? zerosTensor(x.dtype, x.shape), x);
    this.#partition = partitionOf(method, x, groups);
  }

  /** How many there are. */
  get count(): number {
    return this.#partition.sizes.length;
  }

  /** Throws OptionError where they are too many for a linear model of them. */
  requireFew(): void {
    if (this.count > mostFeatures)
      throw new OptionError(
        `${this.#method}: the input has ${this.count} features, of which a linear model takes ${mostFeatures} at most; pass groups of elements`,
      );
  }

  /** The score where none is present. */
  scoreWithout(): Promise<number> {
    return this.explained.scoreAt(this.#absent);
  }

  /** The score of each coalition. */
  scores(coalitions: readonly Coalition[]): Promise<Float64Array> {
    const { of } = this.#partition;
    const { x } = this.explained;
    return this.explained.scores(coalitions.length, (i, into: ArrayOf) => {
      const present = coalitions[i] as Coalition;
      for (let j = 0; j < of.length; j++)
        into[j] = (present[of[j] as number] ? x.data[j] : this.#absent.data[j]) as number;
    });
  }

  /** Values of features, shared evenly by their elements: float32 of the shape of the sample. */
  spread(values: ArrayLike<number>): Tensor<"float32"> {
    const { of, sizes } = this.#partition;
    const each = Float32Array.from(of, (feature) => (values[feature] as number) / (sizes[feature] as number));
    return new Tensor("float32", this.explained.x.shape, each);
  }
}

/** All coalitions of so many features, that of the bits of i at i. */
export const allCoalitions = (features: number): readonly Coalition[] =>
  Array.from({ length: 2 ** features }, (_, bits) =>
    Uint8Array.from({ length: features }, (_own, feature) => (bits >> feature) & 1),
  );
