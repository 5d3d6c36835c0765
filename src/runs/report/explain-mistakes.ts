/** The worst mistakes of a model with what speaks for the class that it predicted, as far as a few seconds suffice. */
import { Tensor } from "../../core/tensor.ts";
import { mapTree } from "../../core/tree.ts";
import { encodePng, pngAddress } from "../../draw/png.ts";
import type { SampleInputs } from "../../explain/index.ts";
import { heatImage, smallerMap } from "../../explain/pictures/heat-image.ts";
import { boundOf, mostBars, type Picture } from "../../explain/pictures/picture.ts";
import type { Module } from "../../nn/index.ts";
import { predict } from "../../train/predict.ts";
import { explainSample } from "../explain/explain-sample.ts";
import type { MethodName } from "../explain/methods.ts";
import type { Sample } from "../explain/sample.ts";
import { featuresSample, floatSample, rowSample, soundSample } from "../explain/samples.ts";
import { idsSample, readRow } from "../explain/token-samples.ts";
import type { Task } from "../recipes/recipe.ts";
import type { TestOutputs, Wrong } from "./outputs.ts";
import type { Mistake, MistakeExplanation } from "./report.ts";

/** Seconds after which no further mistake is explained. */
const mostSeconds = 5;
/** The longer side of a map, in pixels. */
const longestSide = 128;
/** Bars that are kept. */
const mostKept = 8;
/** Columns beyond which a row is explained by leaving each out: Shapley values would take thousands of runs. */
const mostShapley = 12;

/** The sample of a wrong input, as the model takes it. */
function sampleOf({ model, classes, format = {}, reader }: Task, { input }: Wrong): Promise<Sample> {
  const scored = { model, classes };
  const one = mapTree(input, (leaf) => {
    const { dtype, shape, data } = leaf as Tensor;
    return new Tensor(dtype, [1, ...shape], data);
  }) as SampleInputs;
  if (reader) return readRow(scored, one, reader);
  if (!(one instanceof Tensor)) return idsSample(scored, one);
  const x = one;
  if (format.table) return rowSample(scored, x, format.table);
  if (format.text) return featuresSample(scored, x, format.text);
  if (format.sound) return soundSample(scored, x);
  return x.dtype === "float32" ? floatSample(scored, x, x) : idsSample(scored, x);
}

/** A picture as plain data. */
function dataOf(method: string, picture: Picture): MistakeExplanation {
  if (picture.kind === "words") return { method, words: [...picture.words] };
  if (picture.kind === "bars") return { method, bars: [...mostBars(picture, mostKept)].slice(0, mostKept) };
  const map = smallerMap(picture, longestSide);
  return { method, map: pngAddress(encodePng(heatImage(map))), bound: boundOf(map.values.data) };
}

/**
 * Mistakes with what speaks for the predicted class and against it, the worst first; once the time is over the others stay as they are. Nothing
 * is thrown: a model that no method explains has mistakes without.
 * @param seconds the time; default 5
 */
export async function explainedMistakes(
  task: Task,
  { worst }: TestOutputs,
  mistakes: readonly Mistake[],
  seconds = mostSeconds,
): Promise<readonly Mistake[]> {
  const end = performance.now() + 1000 * seconds;
  const found: Mistake[] = [];
  for (const [i, mistake] of mistakes.entries()) {
    const left = end - performance.now();
    const explained = left > 0 ? await explanationOf(task, worst[i] as Wrong, left) : undefined;
    found.push({ ...mistake, ...(explained && { explained }) });
    // What cannot be explained once cannot be explained again.
    if (!explained) return [...found, ...mistakes.slice(i + 1)];
  }
  return found;
}

/** Runs that integrated gradients are worth, each way back some two runs: those of 64 points. */
const integratedRuns = 192;

/** Milliseconds of a run of the model. */
async function runTime({ model, x }: Sample): Promise<number> {
  // The first call compiles.
  await predict(model as Module<never, unknown>, x as never);
  const began = performance.now();
  await predict(model as Module<never, unknown>, x as never);
  return performance.now() - began;
}

/** The usual method, or one of fewer runs where there are milliseconds left for those alone. */
async function methodFor(sample: Sample, left: number): Promise<MethodName> {
  const { usual, x, isImage } = sample;
  if (usual.method === "kernel-shap") return (x.shape[1] ?? 0) > mostShapley ? "occlusion" : "kernel-shap";
  if ((await runTime(sample)) * integratedRuns < left) return usual.method;
  return isImage ? "grad-cam" : "input-times-gradient";
}

async function explanationOf(task: Task, wrong: Wrong, left: number): Promise<MistakeExplanation | undefined> {
  try {
    const sample = await sampleOf(task, wrong);
    const method = await methodFor(sample, left);
    const { pictures } = await explainSample(sample, { method, chosen: { place: wrong.predicted } });
    const [first] = pictures;
    return first && dataOf(method, first.picture);
  } catch {
    return undefined;
  }
}
