/** A sample explained by a method, and checked: values, pictures, and sentences that say what they are. */
import { greatest, least } from "../../core/lists.ts";
import type { Tensor } from "../../core/tensor.ts";
import {
  type Attribution,
  type Completeness,
  deletionAndInsertion,
  type Faithfulness,
  type Infidelity,
  infidelity,
  maxSensitivity,
  type SanityCheck,
  type Sensitivity,
  sanityCheck,
  type TitledPicture,
} from "../../explain/index.ts";
import { signedText } from "../../explain/pictures/picture.ts";
import { type Inside, type MethodName, methods, requireSuited } from "./methods.ts";
import { type AnySample, type Chosen, largestOf, nameOf, type Sample, targetOf } from "./sample.ts";

/** How a sample is explained. */
export interface ExplainSampleOptions {
  /** Default the usual one of the kind. */
  readonly method?: MethodName | undefined;
  /** Default the largest score, compared with no other. */
  readonly chosen?: Chosen | undefined;
  /** Whether the values are checked too; default false. */
  readonly check?: boolean | undefined;
}

/** Whether values are worth believing. */
export interface Checked {
  readonly faithfulness: Faithfulness;
  readonly infidelity: Infidelity;
  /** Nothing of methods that ask the tokens as they are, which nothing lies close to. */
  readonly sensitivity?: Sensitivity;
  readonly sanity: SanityCheck;
}

/** What the checks say against the values, a sentence each. */
export const notesOf = ({ faithfulness, infidelity: disturbed, sensitivity, sanity }: Checked): readonly string[] => [
  ...faithfulness.notes,
  ...disturbed.notes,
  ...(sensitivity?.notes ?? []),
  ...sanity.notes,
];

/** What came of it. */
export interface ExplainedSample {
  readonly method: MethodName;
  readonly chosen: Chosen;
  /** What is explained: `7`, `7 rather than 1`. */
  readonly subject: string;
  /** The score, or the difference of two. */
  readonly score: number;
  /** Values of the elements; nothing of methods that look inside. */
  readonly attribution?: Attribution;
  readonly completeness?: Completeness;
  readonly pictures: readonly TitledPicture[];
  /** What was done, and why so, a sentence each. */
  readonly sentences: readonly string[];
  readonly notes: readonly string[];
  readonly checked?: Checked;
}

const isInside = (found: Attribution | Inside): found is Inside => "pictures" in found;

const rounded = (value: number): string => String(Number(value.toPrecision(4)));

/** What the values sum to, beside what they should. */
function completenessText({ sum, expected }: Completeness, baselineText: string): string {
  return `The values sum to ${signedText(sum)}; from ${baselineText} to this input the score changes by ${signedText(expected)}.`;
}

/**
 * Explains a sample. Throws OptionError for a method that does not suit it, and what the method throws.
 * @example
 * const { pictures } = await explainSample(await sampleOf(run, "seven.png"), { method: "occlusion" });
 */
export async function explainSample(
  sample: AnySample,
  { method = sample.usual.method, chosen = { place: largestOf(sample) }, check = false }: ExplainSampleOptions = {},
): Promise<ExplainedSample> {
  requireSuited(method, sample);
  const target = targetOf(sample, chosen);
  const explainAt = (own: Sample, x: Tensor) => methods[method].explain({ ...own, x, target, chosen });
  const found = await ("drops" in sample ? sample.drops(chosen) : explainAt(sample, sample.x));
  const { place, against } = chosen;
  const subject =
    against === undefined ? nameOf(sample, place) : `${nameOf(sample, place)} rather than ${nameOf(sample, against)}`;
  const scoreAt = (at: number) => sample.scores[at] as number;
  const score = against === undefined ? scoreAt(place) : scoreAt(place) - scoreAt(against);
  const { about, title } = methods[method];
  const by = `By ${method}: ${about}.${method === sample.usual.method ? ` ${sample.usual.why}` : ""}`;
  const scored = `The ${against === undefined ? "score" : "difference of the scores"} is ${rounded(score)}.`;
  const shared = { method, chosen, subject, score };
  if (isInside(found))
    return { ...shared, pictures: found.pictures, sentences: [by], notes: [...found.notes, ...unchecked(check)] };
  const { completeness, notes } = found;
  const picture = {
    title: title?.(subject) ?? `What speaks for ${subject}, and against it`,
    picture: sample.picture(found.values),
  };
  const checked =
    check && !("drops" in sample)
      ? await checksOf(sample, found, { target, method, explain: (x) => explainAt(sample, x) })
      : undefined;
  return {
    ...shared,
    attribution: found,
    ...(completeness && { completeness }),
    pictures: [picture],
    sentences: [by, scored, ...(completeness ? [completenessText(completeness, sample.baselineText)] : [])],
    notes: [
      ...notes,
      ...(completeness && isFlat(completeness, sample)
        ? [
            `the score is nearly that of ${sample.baselineText}: the values are small${sample.scoresOf === "classes" && against === undefined ? "; ask why not another class, --against" : ""}`,
          ]
        : []),
      ...(checked ? notesOf(checked) : []),
      ...(check && !checked ? ["the checks need the input of the model, which a run that is asked does not show"] : []),
    ],
    ...(checked && { checked }),
  };
}

/** Whether the score hardly changes on the way from the baseline, beside how far the scores of a sample lie apart. */
function isFlat({ expected }: Completeness, { scores }: AnySample): boolean {
  const all = Array.from(scores);
  return all.length > 1 && Math.abs(expected) < 0.05 * (greatest(all) - least(all));
}

/** What looks inside gives no values that could be checked. */
const unchecked = (check: boolean): readonly string[] =>
  check ? ["there is nothing to check: the checks are of methods that give each part of the input a value"] : [];

/** Values below which maps of random layers are alike by chance, so that several are compared. */
const fewValues = 32;

/** Inputs close by that are explained too. */
const neighbours = 5;

interface Checking {
  readonly target: ReturnType<typeof targetOf>;
  readonly method: MethodName;
  explain(x: Tensor): Promise<Attribution | Inside>;
}

async function checksOf(
  { model, x, baseline }: Sample,
  attribution: Attribution,
  { target, method, explain }: Checking,
): Promise<Checked> {
  const explains = async (own: Tensor) => (await explain(own)) as Attribution;
  const faithfulness = await deletionAndInsertion(model, x, attribution, { target, baseline });
  const disturbed = await infidelity(model, x, attribution, { target, baseline });
  const sensitivity = methods[method].asIs ? undefined : await maxSensitivity(x, explains, { samples: neighbours });
  const repeats = attribution.values.data.length < fewValues ? 5 : 1;
  const sanity = await sanityCheck(model, x, () => explains(x), { repeats });
  return { faithfulness, infidelity: disturbed, ...(sensitivity && { sensitivity }), sanity };
}
