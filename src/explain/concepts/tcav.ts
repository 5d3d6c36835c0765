/** TCAV: whether a concept, given by examples, speaks for a class at a layer. */
import { DataError, OptionError, ShapeError } from "../../core/errors.ts";
import { count, positiveFraction, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { foldIn, type Key, keyOf, keyType, Random } from "../../core/random.ts";
import { showShape } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import type { Value } from "../../graph/ir.ts";
import { type CompileOptions, checkCompile } from "../../jit/compile.ts";
import { type Context, Module } from "../../nn/index.ts";
import { type Predictor, predictor } from "../../train/predict.ts";
import { explainTypes } from "../attribution.ts";
import {
  type Explained,
  explainedOf,
  requireGradients,
  type Seeded,
  scoreGradient,
  tracesApart,
} from "../explained.ts";
import { layerValue, layerValues } from "../layers.ts";
import type { Target } from "../target.ts";
import { type Activations, conceptVector } from "./concept-vectors.ts";
import { welchProbability } from "./welch.ts";

/** Options of `tcav`. */
export interface TcavOptions<O> {
  /** The layer in whose values the concept is sought, by its path: `layers.2`. */
  readonly layer: string;
  /** The class, or your own number of the outputs. */
  readonly target: Exclude<Target<O>, "largest">;
  /** How often the concept is held against other random examples, and random examples against others; default 20. */
  readonly runs?: number;
  /** The probability of chance below which a concept counts as significant; default 0.05. Divide it by how many concepts you try. */
  readonly level?: number;
  /** Of the draws: the same key gives the same result; default keyOf(0). */
  readonly key?: Key;
  /** Examples that are computed at once; default 16. */
  readonly chunk?: number;
  /** Device, threads; default the processor. */
  readonly compile?: CompileOptions | undefined;
}

/** What the examples are. */
export interface TcavExamples {
  /** Of the concept, [examples, …] of the shape of the model's inputs; some 30 or more. */
  readonly concept: Tensor;
  /** Of nothing in particular, at least twice 4; random ones are drawn of them for each run. */
  readonly random: Tensor;
  /** Samples of the class, whose scores are asked how they change. */
  readonly samples: Tensor;
}

/** The scores of several runs. */
export interface TcavScores {
  /** The mean share of samples whose score rises towards the concept. */
  readonly mean: number;
  /** The standard deviation over the runs. */
  readonly deviation: number;
  /** Of each run. */
  readonly each: readonly number[];
}

/** What `tcav` gives. */
export interface TcavResult {
  /** Of the concept: above that of random it speaks for the class, below against it. */
  readonly concept: TcavScores;
  /** Of random examples held against others, as if they were a concept. */
  readonly random: TcavScores;
  /** How probable means so far apart are by chance (Welch's t-test, two-sided). */
  readonly probability: number;
  /** Whether that is below the level. */
  readonly significant: boolean;
  /** How well concept examples, kept aside, are told from random ones at the layer, on average; 0.5 is chance. */
  readonly accuracy: number;
  /** What the reader should know of this result, a sentence each. */
  readonly notes: readonly string[];
}

const checkOptions = optionsOf<TcavOptions<never>>("tcav", {
  layer: required(string),
  target: required(explainTypes.target as never),
  runs: count(2),
  level: positiveFraction,
  key: keyType,
  chunk: count(),
  compile: checkCompile.type,
});

/** What the layer of a path gives for inputs. */
class LayerOutputs extends Module<Value, Value> {
  readonly scores: Module<Value, Value>;
  readonly #layer: string;

  constructor(scores: Module<Value, Value>, layer: string) {
    super();
    this.scores = scores;
    this.#layer = layer;
  }

  protected call(x: Value, context: Context): Value {
    const scores = this.scores.apply(x, context);
    const value = layerValue("tcav", layerValues(x, scores), this.#layer);
    if (value.shape[0] === x.shape[0]) return value;
    throw new ShapeError(
      `tcav: layer "${this.#layer}" gives ${value} for ${x.shape[0]} samples; name one with a row for each`,
    );
  }
}

/** The gradient of the score by what a layer gives. */
class LayerGradients extends Module<Seeded, Value> {
  override readonly inputs = { x: "required", seed: "required" } as const;
  readonly scores: Module<Value, Value>;
  readonly #layer: string;

  constructor(scores: Module<Value, Value>, layer: string) {
    super();
    this.scores = scores;
    this.#layer = layer;
  }

  protected call({ x, seed }: Seeded, context: Context): Value {
    const scores = this.scores.apply(x, context);
    return scoreGradient(scores, seed, layerValue("tcav", layerValues(x, scores), this.#layer));
  }
}

/** Fewest examples of a side, so that one can be kept aside. */
const fewest = 4;

function requireExamples({ concept, random, samples }: TcavExamples): void {
  const all = { concept, random, samples };
  const stray = Object.entries(all).find(([, own]) => !(own instanceof Tensor));
  if (stray) throw new OptionError(`tcav: ${stray[0]} is a ${typeof stray[1]}; pass a tensor [examples, …]`);
  for (const [name, own] of Object.entries(all)) {
    const least = { concept: fewest, random: 2 * fewest, samples: 1 }[name as keyof typeof all];
    if ((own.shape[0] ?? 0) < least)
      throw new DataError(`tcav: ${name} has ${own.shape[0] ?? 0} examples; pass ${least} at least`);
    if (own.dtype !== samples.dtype || own.shape.slice(1).join() !== samples.shape.slice(1).join())
      throw new ShapeError(
        `tcav: ${name} is ${own.dtype}${showShape(own.shape)}, samples ${samples.dtype}${showShape(samples.shape)}; pass examples of one kind`,
      );
  }
}

/** One row for each example, a chunk at a time. */
async function rowsOf(x: Tensor, chunk: number, ask: (rows: Tensor) => Promise<Tensor>): Promise<Activations> {
  const found: Float32Array[] = [];
  const all = x.shape[0] ?? 0;
  for (let first = 0; first < all; first += chunk) {
    const places = Array.from({ length: Math.min(chunk, all - first) }, (_, i) => first + i);
    const { data } = await ask(gatherRows(x, places));
    const each = data.length / places.length;
    for (const i of places.keys())
      found.push(Float32Array.from(data.subarray(i * each, (i + 1) * each) as Float32Array));
  }
  return found;
}

const scoresOf = (each: readonly number[]): TcavScores => {
  const mean = each.reduce((sum, own) => sum + own, 0) / each.length;
  return { mean, deviation: Math.sqrt(each.reduce((sum, own) => sum + (own - mean) ** 2 / each.length, 0)), each };
};

/** The share of gradients that a vector lies along. */
const shareAlong = (gradients: Activations, vector: Float32Array): number =>
  gradients.filter((g) => g.reduce((sum, own, i) => sum + own * (vector[i] as number), 0) > 0).length /
  gradients.length;

interface Found {
  readonly concept: Activations;
  readonly random: Activations;
  readonly gradients: Activations;
}

/** Values of the layer for all examples, and gradients for the samples. */
async function layerRows(
  explained: Explained,
  examples: TcavExamples,
  { layer, chunk = 16 }: TcavOptions<never>,
): Promise<Found> {
  const { concept, random, samples } = examples;
  const rows = tracesApart(explained.module, samples) ? chunk : 1;
  const values: Predictor<Value, Value> = predictor(new LayerOutputs(explained.module, layer), {
    compile: explained.compile,
  });
  const gradients = predictor(new LayerGradients(explained.module, layer), { compile: explained.compile });
  try {
    return {
      concept: await rowsOf(concept, rows, values),
      random: await rowsOf(random, rows, values),
      gradients: await rowsOf(samples, rows, (x) => gradients({ x, seed: explained.seed })),
    };
  } finally {
    await values.release();
    await gradients.release();
  }
}

/**
 * Whether a concept that examples show speaks for a class: the share of samples of the class whose score rises as a layer's values move in the
 * direction from random examples to those of the concept (Kim et al. 2018, section 3), over several draws of random examples. Two random draws give
 * a direction and a share too, so the concept's are held against those by a t-test (section 3.5): a concept that is not significant says so in
 * `notes`, and then its share means nothing. Throws OptionError for a layer or class that there is not, ShapeError and DataError for
 * examples that do not fit, and GradientError where no gradient arrives at the layer.
 * @example
 * const { concept, significant } = await explain.tcav(model, { concept: stripes, random, samples: zebras }, { layer: "layers.2", target: 3 });
 */
export async function tcav<O>(
  model: Module<Value, O>,
  examples: TcavExamples,
  options: TcavOptions<O>,
): Promise<TcavResult> {
  const { runs = 20, level = 0.05, key = keyOf(0), ...own } = checkOptions(options as TcavOptions<never>);
  if ((options.target as unknown) === "largest")
    throw new OptionError('tcav: target is "largest", and a concept is held against one class; name it: { target: 3 }');
  requireExamples(examples);
  requireGradients(examples.samples);
  const explained = await explainedOf(model, gatherRows(examples.samples, [0]), {
    target: options.target,
    compile: own.compile,
  });
  const { concept, random, gradients } = await layerRows(explained, examples, own);
  const half = Math.min(concept.length, Math.floor(random.length / 2));
  const shares = { concept: [] as number[], random: [] as number[] };
  let accuracy = 0;
  for (let run = 0; run < runs; run++) {
    const draw = new Random(foldIn(key, "tcav", run));
    const order = Array.from(draw.permutation(random.length), (place) => random[place] as Float32Array);
    const [first, second] = [order.slice(0, half), order.slice(half, 2 * half)];
    const found = conceptVector(concept, first, draw);
    accuracy += found.accuracy / runs;
    shares.concept.push(shareAlong(gradients, found.vector));
    shares.random.push(shareAlong(gradients, conceptVector(second, first, draw).vector));
  }
  const probability = welchProbability(shares.concept, shares.random);
  const significant = probability < level;
  return {
    concept: scoresOf(shares.concept),
    random: scoresOf(shares.random),
    probability,
    significant,
    accuracy,
    notes: [
      ...(significant
        ? []
        : [
            `the concept is not significant: random examples do as much with probability ${probability.toPrecision(2)} (level ${level}), so that its share of ${scoresOf(shares.concept).mean.toFixed(2)} means nothing`,
          ]),
      ...(accuracy < 0.7
        ? [
            `the layer hardly tells the concept from random examples: ${Math.round(100 * accuracy)} % of those kept aside; take more examples or another layer`,
          ]
        : []),
    ],
  };
}
