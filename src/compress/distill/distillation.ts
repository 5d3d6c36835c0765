/** Distillation: a small network that learns from what a large one gives, as an objective like any other. */
import { OptionError, ShapeError, unknownName } from "../../core/errors.ts";
import { functionOf, listOf, matching, nonNegative, positive, share, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { sameShape, showShape, size } from "../../core/shape.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { nodesOf, Value } from "../../graph/ir.ts";
import {
  type AnyModule,
  crossEntropy,
  type Loss,
  type LossTerms,
  Module,
  meanOf,
  takenOf,
  valuesOf,
} from "../../nn/index.ts";
import {
  add,
  cast,
  div,
  equal,
  log,
  matmul,
  mul,
  not,
  reduceMean,
  reduceSum,
  reshape,
  scalar,
  sqrt,
  square,
  sub,
} from "../../ops/index.ts";
import { type Objective, type ValuesOf, weightName } from "../../train/engine/objective.ts";
import { attentionsOf } from "../../transform/attentions.ts";
import { softTargets } from "./soft-targets.ts";

/** Two layers whose outputs are to be alike. */
export interface HiddenPair {
  /** Path of the student's layer, or its name in the file. */
  readonly student: string;
  /** Path of the teacher's. */
  readonly teacher: string;
  /** Factor of its loss; default 1. */
  readonly weight?: number | undefined;
}

/** Options of `distillation`. */
export interface DistillationOptions {
  /** The teacher: a module, of your own or of a file; or the name of the tensor of the batch that holds its scores, see `teacherOutputs`. */
  readonly teacher: AnyModule | string;
  /** What scores are divided by before the softmax; default 4. */
  readonly temperature?: number | undefined;
  /** Share of the teacher in the loss, from 0 to 1; the labels `y` have the rest; default 0.9. Without labels in the batch 1. */
  readonly share?: number | undefined;
  /** The loss of the labels; default `crossEntropy()`. Rows that its `ignoreIndex` leaves out, such as padding, do not count for the teacher either. */
  readonly labels?: Loss | undefined;
  /** Layers whose outputs are to be alike; default none. The teacher must be a module. */
  readonly hidden?: readonly HiddenPair[] | undefined;
  /**
   * Factor of the divergence between the attention of both, layer by layer from the first on, the student's spread over the teacher's, as means over heads; default 0.
   * The teacher must be a module.
   */
  readonly attention?: number | undefined;
}

const pairType = optionsOf<HiddenPair>("hidden", {
  student: required(string),
  teacher: required(string),
  weight: nonNegative,
}).type;

const checkOptions = optionsOf<DistillationOptions>("distillation", {
  teacher: required(
    matching(
      "a module, or the name of a tensor of the batch",
      (own) => own instanceof Module || typeof own === "string",
    ),
  ),
  temperature: positive,
  share,
  labels: functionOf("(output, target) => loss"),
  hidden: listOf(pairType, "pairs of layers"),
  attention: nonNegative,
});

/**
 * The objective of a student that learns a teacher's scores, softened by a temperature, beside the labels (Hinton et al. 2015): share · T² KL(teacher ‖ student) + (1 -
 * share) · loss of the labels; with `hidden`, of layers too: the squared difference of outputs of one shape (Romero et al. 2015), else of the likeness of
 * samples to one another, which asks for no common width (Tung and Mori 2019, eq. 2 to 4); with `attention`, of what attends to what (Jiao et al. 2020; Sun et al. 2020). The
 * figures of each are logged. The teacher computes in evaluation and gets no gradient; it needs no labels and no gradients of its own, so that any file can be one.
 *
 * Throws OptionError for a layer that is not there, or options that need a module as the teacher; ShapeError for scores of other classes.
 * @example await fit(student, train, { objective: distillation(student, { teacher }), metrics: [accuracy()], optimizer: adam(), epochs: 5 });
 */
export function distillation<B extends Batch>(student: AnyModule, options: DistillationOptions): Objective<B> {
  const {
    teacher,
    temperature,
    share: part = 0.9,
    labels = crossEntropy(),
    hidden = [],
    attention = 0,
  } = checkOptions(options);
  if (typeof teacher === "string" && (hidden.length > 0 || attention > 0))
    throw new OptionError(
      `distillation: layers and attention are those of a module, and the teacher is the tensor "${teacher}" of the batch; pass the module`,
    );
  const soft = softTargets({ temperature });
  return (context, batch) => {
    const given = batch as ValuesOf<Batch>;
    if (given[weightName])
      throw new OptionError(
        `distillation: the batch has weights of samples, which it does not read; take "${weightName}" out, or weigh softTargets() as a loss: against("teacher", softTargets())`,
      );
    const own = student.apply(takenOf(student.inputs, given) as never, context);
    const scores = onlyScores(own, "student");
    const taught =
      typeof teacher === "string"
        ? undefined
        : context.frozen(() => teacher.apply(takenOf(teacher.inputs, given) as never, context));
    const target = typeof teacher === "string" ? given[teacher] : onlyScores(taught, "teacher");
    if (!target)
      throw new OptionError(
        `distillation: the batch has ${Object.keys(given).join(", ")}, and no "${teacher}"; add it by teacherOutputs, or pass the teacher itself`,
      );
    const { y } = given;
    const softened = softLoss(soft.terms(scores, target), y, labels.ignoreIndex);
    const hard = y && part < 1 ? labels(scores, y) : undefined;
    const figures: Record<string, Value> = { soft: softened, ...(hard && { hard: averaged(hard) }) };
    let loss = hard ? add(mul(softened, part), mul(averaged(hard), 1 - part)) : softened;
    if (hidden.length > 0) {
      figures["hidden"] = sumOf(hidden.map((pair) => mul(hiddenLoss(own, taught, pair), pair.weight ?? 1)));
      loss = add(loss, figures["hidden"]);
    }
    if (attention > 0) {
      const data = Object.values(given);
      figures["attention"] = attentionLoss(attentionsOf(valuesOf(own), data), attentionsOf(valuesOf(taught), data));
      loss = add(loss, mul(figures["attention"], attention));
    }
    return { loss, outputs: own, figures };
  };
}

/** The mean of the teacher's terms; rows whose label is left out by the loss of the labels, such as padding, are left out here too. */
function softLoss({ terms }: LossTerms, y: Value | undefined, ignoreIndex: number | undefined): Value {
  if (!y || ignoreIndex === undefined) return meanOf({ terms });
  if (!sameShape(y.shape, terms.shape))
    throw new ShapeError(
      `distillation: labels are ${showShape(y.shape)}, the student scores ${showShape(terms.shape)} rows; pass a label a row, or a loss without ignoreIndex`,
    );
  const weights = cast(not(equal(y, ignoreIndex)), terms.dtype);
  return meanOf({ terms: mul(terms, weights), weights });
}

const averaged = (terms: Value): Value => (terms.rank === 0 ? terms : reduceMean(terms));
const sumOf = (values: readonly Value[]): Value => values.reduce((sum, value) => add(sum, value));

/** The only tensor that a module gives. Throws OptionError where there are several. */
function onlyScores(output: unknown, who: string): Value {
  if (output instanceof Value) return output;
  throw new OptionError(
    `distillation: the ${who} gives several outputs; wrap it in a module that gives the scores alone`,
  );
}

/** What a layer gives behind an output: the last value of its path. Throws OptionError, with the layers that there are. */
function layerOutput(output: unknown, path: string, who: string): Value {
  const found = new Map<string, Value>();
  for (const { scope, outputs } of nodesOf(valuesOf(output)))
    if (scope) found.set(scope.path.replace(/^frozen\.[^.]*\.?/, ""), outputs[0]);
  const value = found.get(path);
  if (!value)
    throw unknownName(
      `layer of the ${who}`,
      path,
      [...found.keys()].filter((own) => own !== ""),
    );
  return value;
}

/** How unlike two layers' outputs are. */
function hiddenLoss(student: unknown, teacher: unknown, pair: HiddenPair): Value {
  const [own, target] = [layerOutput(student, pair.student, "student"), layerOutput(teacher, pair.teacher, "teacher")];
  if (own.shape[0] !== target.shape[0])
    throw new ShapeError(
      `distillation: "${pair.student}" gives ${showShape(own.shape)} and "${pair.teacher}" ${showShape(target.shape)}, not a row for each sample; choose layers that do`,
    );
  if (sameShape(own.shape, target.shape)) return reduceMean(square(sub(own, target)));
  // ‖G_s - G_t‖² / N², of G = F Fᵀ with rows of length 1.
  const samples = own.shape[0] ?? 1;
  return div(reduceSum(square(sub(likeness(own), likeness(target)))), samples * samples);
}

/** How alike the samples of a batch are by their features, [N, N], each row of length 1. */
function likeness(features: Value): Value {
  const [samples = 1] = features.shape;
  const rows = reshape(features, [samples, size(features.shape) / samples]);
  const products = matmul(rows, rows, { transB: true });
  const lengths = sqrt(add(reduceSum(square(products), [1], { keepDims: true }), scalar(1e-12, products.dtype)));
  return div(products, lengths);
}

/** Mean over layers of KL(teacher ‖ student) of what queries attend to, heads averaged. Throws OptionError where there is no attention. */
function attentionLoss(own: readonly Value[], taught: readonly Value[]): Value {
  if (own.length === 0 || taught.length === 0)
    throw new OptionError(
      `distillation: no attention was found in the ${own.length === 0 ? "student" : "teacher"}; leave attention out`,
    );
  const heads = (weights: Value) => (weights.rank < 4 ? weights : reduceMean(weights, [1]));
  const losses = own.map((weights, i) => {
    // The student's layers spread over the teacher's, the last on the last (Jiao et al. 2020, sec. 3.1).
    const place = Math.ceil(((i + 1) * taught.length) / own.length) - 1;
    const [s, t] = [heads(weights), heads(taught[place] as Value)];
    if (!sameShape(s.shape, t.shape))
      throw new ShapeError(
        `distillation: the student attends over ${showShape(s.shape)}, the teacher over ${showShape(t.shape)}; give both the same tokens`,
      );
    const tiny = scalar(1e-9, s.dtype);
    const gap = sub(log(add(t, tiny)), log(add(s, tiny)));
    return reduceMean(reduceSum(mul(t, gap), [s.rank - 1]));
  });
  return div(sumOf(losses), losses.length);
}
