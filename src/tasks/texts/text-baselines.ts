/** Simple baselines on the texts that the networks are trained and tested on. */
import type { LabelledText } from "../../data/text/labelled-text.ts";
import type { BaselineResult } from "../../train/baselines/baseline.ts";
import { type CompareTextsOptions, compareLabelBaselines, compareTextBaselines } from "../../train/baselines/texts.ts";
import type { LabelledTexts, PartedTexts } from "./part-texts.node.ts";

/** What simple ways reach in so much time; their settings are chosen on the texts of the first fold. */
export async function baselinesOfTexts(
  { target, train, folds, test }: PartedTexts,
  options: CompareTextsOptions = {},
): Promise<readonly BaselineResult[]> {
  const parts = <T>(samplesOf: (samples: LabelledTexts) => readonly T[]) => {
    const all = samplesOf(train);
    return {
      train: all.filter((_, place) => folds[place] !== 0),
      validation: all.filter((_, place) => folds[place] === 0),
      test: samplesOf(test),
    };
  };
  if (target.kind === "labels")
    return compareLabelBaselines(
      parts(({ texts, y }) =>
        texts.map((text, place) => ({
          text,
          has: target.labels.map((_, label) => Number(y.data[place * target.labels.length + label]) === 1),
        })),
      ),
      options,
    );
  const labelled = ({ texts, y }: LabelledTexts): LabelledText[] =>
    texts.map((text, place) => ({ text, label: Number(y.data[place]) }));
  return compareTextBaselines(parts(labelled), target.kind === "classes" ? target.classes.length : 0, options);
}
