/** One pass of a trained model over the samples of its test: what it predicts of each, and how wrong that is. */
import { isFloat } from "../../core/dtype.ts";
import { append, greatest } from "../../core/lists.ts";
import { size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { isPlainObject, mapTree } from "../../core/tree.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { gatherRows, rowOf } from "../../data/pipeline/rows.ts";
import type { SampleInputs } from "../../explain/index.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { type AnyModule, isTensorType, presentOf, takenOf } from "../../nn/index.ts";
import { type Predictor, predictor } from "../../train/predict.ts";
import type { Task } from "../recipes/recipe.ts";
import type { EvaluationReport } from "../training/evaluation.ts";

/** Samples of the test that are looked at one by one. */
export const mostSamples = 2000;
/** Inputs that are kept, of the samples with the highest losses. */
const mostKept = 12;

/** What is predicted of a sample. */
export interface Predicted {
  /** The true class, or the true number. */
  readonly actual: number;
  /** The class of the highest probability, or the number. */
  readonly predicted: number;
  /** The probability of that class; of a number NaN. */
  readonly confidence: number;
  /** Of a class -log of its probability, of a number the squared error. */
  readonly loss: number;
}

/** A sample that the model has wrong, with its input. */
export interface Wrong extends Predicted {
  /** Its place in the test, from 0. */
  readonly sample: number;
  /** What the model took, without the axis of samples. */
  readonly input: SampleInputs;
}

/** What a model makes of the samples of its test. */
export interface TestOutputs {
  readonly kind: "classes" | "numbers";
  readonly samples: readonly Predicted[];
  /** The wrong ones of the highest losses, the worst first. */
  readonly worst: readonly Wrong[];
  /** Encoded rows [samples, numbers], of a table. */
  readonly rows: Tensor | undefined;
}

/** The model of a task, as what asks it. */
export type Ask = (inputs: SampleInputs) => Promise<Tensor>;

/** Asks the model of a task; nothing of one that does not take one tensor or tensors by name. */
export function askerOf({ model, inputs, deployed }: Task, compile: CompileOptions) {
  const takes = isTensorType(inputs) || (isPlainObject(inputs) && Object.values(inputs).every(isTensorType));
  if (!takes || deployed) return undefined;
  return predictor(model as AnyModule, { compile }) as unknown as Ask & Pick<Predictor, "release">;
}

/** What the model of a task takes of a batch; nothing where the batch lacks it. */
function inputsOf({ model, inputs }: Task, { y: _, ...batch }: Batch): SampleInputs | undefined {
  const given = presentOf(batch);
  if (isTensorType(inputs)) return given["x"];
  const taken = takenOf(model.inputs, given);
  return taken instanceof Tensor || Object.keys(taken).length > 0 ? taken : undefined;
}

/**
 * What is predicted of the first 2,000 samples of the test: of a model that gives scores [N, classes] beside labels `y` [N], or numbers
 * [N, 1] beside numbers `y` [N, 1]; `undefined` of every other.
 */
export async function outputsOfTest(
  task: Task,
  ask: Ask,
  { results }: EvaluationReport,
): Promise<TestOutputs | undefined> {
  const samples: Predicted[] = [];
  const rows: Tensor[] = [];
  let kind: TestOutputs["kind"] | undefined;
  let worst: Wrong[] = [];
  let seen = 0;
  for await (const batch of task.test.epoch(0)) {
    const { y } = batch;
    const inputs = inputsOf(task, batch);
    if (!inputs || !y) return undefined;
    const output = await ask(inputs);
    kind ??= kindOf(task, output, y, "accuracy" in results);
    if (kind === undefined || !(output instanceof Tensor)) return undefined;
    const kept = Math.min(y.shape[0] ?? 0, mostSamples - seen);
    const judge = kind === "classes" ? judgeClasses : judgeNumbers;
    const judged = judge(output, y).slice(0, kept);
    const wrong = judged.flatMap((own, place) => (own && own.predicted !== own.actual ? [{ ...own, place }] : []));
    const chosen = wrong.sort((a, b) => b.loss - a.loss).slice(0, mostKept);
    const copied = chosen.map(({ place, ...own }) => ({
      ...own,
      sample: seen + place,
      input: copyOfRow(inputs, place),
    }));
    worst = [...worst, ...copied].sort((a, b) => b.loss - a.loss || a.sample - b.sample).slice(0, mostKept);
    const counted = judged.flatMap((own, i) => (own ? [i] : []));
    append(
      samples,
      judged.flatMap((own) => own ?? []),
    );
    if (task.format?.table && inputs instanceof Tensor) rows.push(gatherRows(inputs, counted));
    seen += kept;
    if (seen >= mostSamples) break;
  }
  return kind && samples.length > 0 ? { kind, samples, worst, rows: joined(rows) } : undefined;
}

/** Whether outputs are scores of classes or numbers; `undefined` where they are neither, as embeddings that a loss compares. */
export function kindOf(
  task: Pick<Task, "classes">,
  output: unknown,
  y: Tensor,
  hasAccuracy: boolean,
): TestOutputs["kind"] | undefined {
  if (!(output instanceof Tensor) || !isFloat(output.dtype) || output.shape.length !== 2) return undefined;
  const [count = 0, width = 0] = output.shape;
  const { classes = [] } = task;
  if (width > 1 && y.shape.length === 1 && !isFloat(y.dtype) && y.dtype !== "bool")
    return hasAccuracy || classes.length === width ? "classes" : undefined;
  const areNumbers = width === 1 && isFloat(y.dtype) && y.shape.length <= 2 && size(y.shape) === count;
  return areNumbers && !hasAccuracy && classes.length === 0 ? "numbers" : undefined;
}

/** Whether rows are probabilities already, as of a model that ends in a softmax. */
const areProbabilities = (rows: readonly (readonly number[])[]): boolean =>
  rows.every((row) => row.every((own) => own >= 0) && Math.abs(row.reduce((a, b) => a + b, 0) - 1) < 1e-3);

function softmaxOf(scores: readonly number[]): readonly number[] {
  const most = greatest(scores);
  const powers = scores.map((score) => Math.exp(score - most));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

/** The probabilities of each row of scores [N, classes]. */
export function probabilitiesOf(output: Tensor): readonly (readonly number[])[] {
  const [count = 0, width = 0] = output.shape;
  const scores = output.toNumbers();
  const rows = Array.from({ length: count }, (_, i) => scores.slice(i * width, (i + 1) * width));
  return areProbabilities(rows) ? rows : rows.map(softmaxOf);
}

/** What scores [N, classes] say of labels [N]; `undefined` of a label that counts for nothing. */
export function judgeClasses(output: Tensor, y: Tensor): (Predicted | undefined)[] {
  const [, width = 0] = output.shape;
  const labels = y.toNumbers();
  return probabilitiesOf(output).map((probabilities, i) => {
    const actual = labels[i] ?? -1;
    if (actual < 0 || actual >= width) return undefined;
    let predicted = 0;
    for (const [place, own] of probabilities.entries()) if (own > (probabilities[predicted] ?? 0)) predicted = place;
    const loss = -Math.log(Math.max(probabilities[actual] ?? 0, 1e-12));
    return { actual, predicted, confidence: probabilities[predicted] ?? Number.NaN, loss };
  });
}

/** What numbers [N, 1] say of true ones. */
export function judgeNumbers(output: Tensor, y: Tensor): (Predicted | undefined)[] {
  const actual = y.toNumbers();
  return output.toNumbers().map((predicted, i) => {
    const own = actual[i] ?? Number.NaN;
    const loss = (predicted - own) ** 2;
    return Number.isFinite(loss) ? { actual: own, predicted, confidence: Number.NaN, loss } : undefined;
  });
}

/** A sample of a batch, which does not keep the batch in memory. */
const copyOfRow = (inputs: SampleInputs, place: number): SampleInputs =>
  mapTree(inputs, (leaf) => {
    const { dtype, shape, data } = rowOf(leaf as Tensor, place);
    return new Tensor(dtype, shape, data.slice());
  }) as SampleInputs;

function joined(rows: readonly Tensor[]): Tensor | undefined {
  const [first] = rows;
  if (!first) return undefined;
  const width = first.shape[1] ?? 0;
  const count = rows.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  const data = new Float32Array(count * width);
  let at = 0;
  for (const own of rows) {
    data.set(own.toNumbers(), at);
    at += own.data.length;
  }
  return new Tensor("float32", [count, width], data);
}
