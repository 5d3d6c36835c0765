/** Simple baselines of labels: the most frequent ones, and a linear model and nearest neighbours for each label. */
import { foldIn, keyOf } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import {
  type BaselineResult,
  joinedRows,
  type TableBaseline,
  type TableRows,
  tableRows,
} from "../../train/baselines/baseline.ts";
import type { CompareBaselinesOptions } from "../../train/baselines/compare.ts";
import { kNearest } from "../../train/baselines/k-nearest.ts";
import { logisticRegression } from "../../train/baselines/linear.ts";
import type { FeatureRows } from "./feature-rows.ts";
import { f1OfMarks } from "./label-figures.ts";

type Parts = Readonly<Record<"train" | "validation" | "test", FeatureRows>>;

/** Rows with one label as two classes. */
function rowsOfLabel({ x, y }: FeatureRows, label: number): TableRows {
  const [samples = 0, labels = 0] = y.shape;
  const own = Int32Array.from({ length: samples }, (_, sample) => Number(y.data[sample * labels + label]));
  return tableRows("labels", { x, labels: { kind: "classes", y: new Tensor("int32", [samples], own), classes: 2 } });
}

/** So many of the most frequent labels for every sample; how many, the validation part says. */
function mostFrequent({ train, validation, test }: Parts): BaselineResult {
  const began = performance.now();
  const [samples = 0, labels = 0] = train.y.shape;
  const counts = Array.from({ length: labels }, (_, label) => {
    let sum = 0;
    for (let sample = 0; sample < samples; sample++) sum += Number(train.y.data[sample * labels + label]);
    return { label, sum };
  }).sort((a, b) => b.sum - a.sum || a.label - b.label);
  const scoreOf = ({ y }: FeatureRows, many: number) => {
    const marks = new Uint8Array(y.data.length);
    for (let sample = 0; sample < (y.shape[0] ?? 0); sample++)
      for (const { label } of counts.slice(0, many)) marks[sample * labels + label] = 1;
    return f1OfMarks(marks, y.data);
  };
  const tried = counts.map((_, i) => ({ many: i + 1, score: scoreOf(validation, i + 1) }));
  const best = tried.reduce((a, b) => (b.score > a.score ? b : a));
  return {
    name: "most frequent labels",
    settings: `the ${best.many} most frequent`,
    validation: best.score,
    test: scoreOf(test, best.many),
    metric: "label F1",
    seconds: (performance.now() - began) / 1000,
  };
}

/** What simple ways reach of labels [N, labels], by F1 over all samples and labels; each label is learned by itself. */
export async function compareLabelBaselines(
  parts: Parts,
  { seed = 0, seconds = 60 }: CompareBaselinesOptions = {},
): Promise<readonly BaselineResult[]> {
  const labels = parts.train.y.shape[1] ?? 0;
  const results = [mostFrequent(parts)];
  const baselines: readonly TableBaseline[] = [logisticRegression, kNearest];
  for (const { name, fit } of baselines) {
    const began = performance.now();
    const marks = {
      validation: new Uint8Array(parts.validation.y.data.length),
      test: new Uint8Array(parts.test.y.data.length),
    };
    for (let label = 0; label < labels; label++) {
      // Other work of the process gets its turn.
      await new Promise((resolve) => setTimeout(resolve, 0));
      const [train, validation, test] = [parts.train, parts.validation, parts.test].map((part) =>
        rowsOfLabel(part, label),
      ) as [TableRows, TableRows, TableRows];
      const limits = {
        key: foldIn(keyOf(seed), name, label),
        seconds: (0.5 * seconds) / baselines.length / labels,
        later: test.count,
      };
      const fitted = fit(train, validation, limits);
      const put = (into: Uint8Array, predicted: Float64Array) => {
        for (const [sample, own] of predicted.entries()) into[sample * labels + label] = own;
      };
      put(marks.validation, fitted.refit(train)(validation));
      put(marks.test, fitted.refit(joinedRows(train, validation))(test));
    }
    results.push({
      name,
      settings: "for each label by itself",
      validation: f1OfMarks(marks.validation, parts.validation.y.data),
      test: f1OfMarks(marks.test, parts.test.y.data),
      metric: "label F1",
      seconds: (performance.now() - began) / 1000,
    });
  }
  return results;
}
