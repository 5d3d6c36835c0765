/** What the checks of an explanation found, in sentences: its figures, the verdict, and the curves. */
import { linePlot } from "../../draw/plot.ts";
import { type Checked, notesOf } from "../../runs/explain/explain-sample.ts";

/** The figures of the checks, a sentence each. */
export function checkSentences({ faithfulness, infidelity, sensitivity, sanity }: Checked): string[] {
  const { deletion, insertion, random } = faithfulness;
  const figure = (value: number) => String(Number(value.toPrecision(4)));
  const share = infidelity.zeros > 0 ? infidelity.scaled / infidelity.zeros : 1;
  const last = sanity.layers.at(-1);
  const likeness = last
    ? `; the map of random layers has a rank correlation of ${last.signed.toFixed(2)} with this one, ${last.absolute.toFixed(2)} without signs`
    : "";
  return [
    `Deletion: the mean score is ${figure(deletion.area)} as the most important parts go first, ${figure(random.deletion)} in random orders (lower is better).`,
    `Insertion: ${figure(insertion.area)} as they come first, ${figure(random.insertion)} in random orders (higher is better).`,
    `Infidelity: under disturbances the values miss ${figure(100 * share)} % of what the score does, at their best scale (lower is better; values of 0 miss 100 %).`,
    ...(sensitivity
      ? [
          `Sensitivity: within 2 % of the input's range the values change by at most ${figure(sensitivity.sensitivity)} times their size (lower is better).`,
        ]
      : []),
    `Sanity check: ${sanity.passes ? "passed" : isUntold(sanity) ? "says nothing of this model" : "not passed"}${likeness}.`,
  ];
}

/** Whether the sanity check says nothing: what was counted of the data cannot be made random. */
const isUntold = ({ passes: isPassed, kept }: Checked["sanity"]): boolean => !isPassed && kept.length > 0;

/** What the checks but that of random layers say against the values. */
const othersOf = (checked: Checked): readonly string[] =>
  notesOf(checked).filter((note) => !checked.sanity.notes.includes(note));

/** Whether no check is failed. */
export const passes = (checked: Checked): boolean =>
  othersOf(checked).length === 0 && (checked.sanity.passes || isUntold(checked.sanity));

/** The rank correlation from which on maps are alike, that of `sanityCheck`. */
const alike = 0.5;

/** Whether to believe the values. */
export function verdictOf(checked: Checked): string {
  const { sanity } = checked;
  if (!passes(checked)) {
    // Products with the way from the baseline are as large as that is, whatever the model learned.
    const signsPass = othersOf(checked).length === 0 && (sanity.layers.at(-1)?.signed ?? 1) < alike;
    return signsPass
      ? "The signs depend on what the model learned, the sizes hardly: they show how far the input lies from what it is compared with. Rely on which way a part speaks, not on how much."
      : "A check is not passed: do not rely on these values.";
  }
  return `${isUntold(sanity) ? "The other checks" : "All checks"} are passed; that is no proof of a cause.`;
}

/** The curves of deletion and insertion, as SVG. */
export function curvesOf({ faithfulness: { deletion, insertion } }: Checked): string {
  const points = ({ shares, scores }: typeof deletion) =>
    shares.map((share, i) => [share, scores[i] as number] as const);
  return linePlot(
    [
      { name: "deletion", points: points(deletion) },
      { name: "insertion", points: points(insertion) },
    ],
    {
      title: "The score as parts are changed",
      x: { label: "share of the parts" },
      y: { label: "score" },
      width: 460,
      height: 280,
    },
  );
}
