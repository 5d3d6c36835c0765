/** Initial values of parameters, from a shape and a random generator. */
import { DataError, unknownName } from "../core/errors.ts";
import { nameOrFunction } from "../core/option-types.ts";
import type { Random } from "../core/random.ts";
import { type Shape, showShape, size } from "../core/shape.ts";

/**
 * Fills a new parameter: one number an element, row-major. Layers take one by name or as a function.
 * @example
 * const half: Initializer = (shape, random) => glorotUniform(shape, random).map((weight) => weight / 2);
 */
export type Initializer = (shape: Shape, random: Random) => Float32Array;

/** Connections into and out of one unit of a weight [out, in, …kernel]. */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length < 2) {
    const only = shape[0] ?? 1;
    return { fanIn: only, fanOut: only };
  }
  const [out = 1, into = 1, ...kernel] = shape;
  return { fanIn: into * size(kernel), fanOut: out * size(kernel) };
}

/** So many numbers. A plain loop: `Float32Array.from` of a length and a function takes ten times as long. */
function sample(shape: Shape, draw: () => number): Float32Array {
  const numbers = new Float32Array(size(shape));
  for (let i = 0; i < numbers.length; i++) numbers[i] = draw();
  return numbers;
}

/** Gaussian numbers of a mean and a standard deviation. */
function gaussians(shape: Shape, random: Random, mean: number, deviation: number): Float32Array {
  const numbers = random.normals(size(shape));
  for (let i = 0; i < numbers.length; i++) numbers[i] = mean + deviation * (numbers[i] as number);
  return numbers;
}

/** Sets every element to `value`. */
export const constantInit =
  (value: number): Initializer =>
  (shape) =>
    new Float32Array(size(shape)).fill(value);
/** Sets every element to 0, as biases begin. */
export const zerosInit: Initializer = constantInit(0);
/** Sets every element to 1, as the factors of normalizations begin. */
export const onesInit: Initializer = constantInit(1);

/** Uniform in [low, high); default -0.05 to 0.05. */
export const uniformInit =
  (low = -0.05, high = 0.05): Initializer =>
  (shape, random) =>
    sample(shape, () => random.uniform(low, high));

/** Gaussian with a mean and a standard deviation; default 0 and 0.05. */
export const normalInit =
  (mean = 0, deviation = 0.05): Initializer =>
  (shape, random) =>
    gaussians(shape, random, mean, deviation);

/**
 * Gaussian, each number beyond two standard deviations drawn again, which leaves 0.88 of the given deviation; default
 * mean 0 and deviation 0.05.
 */
export const truncatedNormalInit =
  (mean = 0, deviation = 0.05): Initializer =>
  (shape, random) => {
    const numbers = random.normals(size(shape));
    for (let i = 0; i < numbers.length; i++) {
      let z = numbers[i] as number;
      while (Math.abs(z) > 2) z = random.normal();
      numbers[i] = mean + deviation * z;
    }
    return numbers;
  };

const scaledUniform =
  (limit: (fanIn: number, fanOut: number) => number): Initializer =>
  (shape, random) => {
    const { fanIn, fanOut } = fans(shape);
    const bound = limit(fanIn, fanOut);
    return sample(shape, () => random.uniform(-bound, bound));
  };
const scaledNormal =
  (deviation: (fanIn: number, fanOut: number) => number): Initializer =>
  (shape, random) => {
    const { fanIn, fanOut } = fans(shape);
    return gaussians(shape, random, 0, deviation(fanIn, fanOut));
  };

/** Uniform with variance 2 / (fanIn + fanOut), so in ±√(6 / (fanIn + fanOut)) (Glorot and Bengio 2010, eq. 16). */
export const glorotUniform: Initializer = scaledUniform((fanIn, fanOut) => Math.sqrt(6 / (fanIn + fanOut)));
/** Gaussian with variance 2 / (fanIn + fanOut) (Glorot and Bengio 2010, eq. 12). */
export const glorotNormal: Initializer = scaledNormal((fanIn, fanOut) => Math.sqrt(2 / (fanIn + fanOut)));
/** Uniform with variance 2 / fanIn, so in ±√(6 / fanIn), for layers before a ReLU (He et al. 2015, eq. 10). */
export const heUniform: Initializer = scaledUniform((fanIn) => Math.sqrt(6 / fanIn));
/** Gaussian with variance 2 / fanIn, for layers before a ReLU (He et al. 2015, eq. 10). */
export const heNormal: Initializer = scaledNormal((fanIn) => Math.sqrt(2 / fanIn));
/** Gaussian with variance 1 / fanIn (LeCun et al. 1998, eq. 16). */
export const lecunNormal: Initializer = scaledNormal((fanIn) => Math.sqrt(1 / fanIn));

/**
 * Rows (or columns, whichever are fewer) orthonormal, times `gain` (Saxe et al. 2014), by Gram-Schmidt with
 * reorthogonalization. A weight [out, in, …kernel] is taken as the matrix [out, in · kernel].
 */
export const orthogonal =
  (gain = 1): Initializer =>
  (shape, random) => {
    if (shape.length < 2) throw new DataError(`orthogonal needs a matrix, got ${showShape(shape)}; use normalInit`);
    const rows = shape[0] ?? 1;
    const columns = size(shape.slice(1));
    const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
    const basis: Float64Array[] = [];
    for (let k = 0; k < count; k++) {
      const vector = Float64Array.from(random.normals(length));
      for (let pass = 0; pass < 2; pass++)
        for (const other of basis) {
          const dot = other.reduce((sum, element, i) => sum + element * (vector[i] ?? 0), 0);
          for (let i = 0; i < length; i++) vector[i] = (vector[i] ?? 0) - dot * (other[i] ?? 0);
        }
      const norm = Math.sqrt(vector.reduce((sum, element) => sum + element * element, 0));
      basis.push(vector.map((element) => element / norm));
    }
    const at = (row: number, column: number) => (rows <= columns ? basis[row]?.[column] : basis[column]?.[row]) ?? 0;
    return Float32Array.from({ length: rows * columns }, (_, i) => gain * at(Math.floor(i / columns), i % columns));
  };

/** Initializers by the names that options take, each with its defaults. */
export const initializers = {
  zeros: zerosInit,
  ones: onesInit,
  uniform: uniformInit(),
  normal: normalInit(),
  truncatedNormal: truncatedNormalInit(),
  glorotUniform,
  glorotNormal,
  heUniform,
  heNormal,
  lecunNormal,
  orthogonal: orthogonal(),
} as const satisfies Record<string, Initializer>;

/** Name of an initializer, such as `"heNormal"`: a key of `initializers`. */
export type InitializerName = keyof typeof initializers;

/** The option of a layer. */
export const initializerType = nameOrFunction<InitializerName | Initializer>(initializers);

/** The initializer of a name, or the function itself. Throws OptionError with the nearest name. */
export function initializerOf(choice: InitializerName | Initializer): Initializer {
  if (typeof choice === "function") return choice;
  if (!Object.hasOwn(initializers, choice)) throw unknownName("initializer", choice, Object.keys(initializers));
  return initializers[choice];
}
