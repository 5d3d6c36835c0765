/** The way to compute a training step within a budget of memory that takes the least work: what is computed again on the way back. */
import { OptionError } from "../core/errors.ts";
import { byteText } from "../core/number-text.ts";
import { nodesOf, type Value } from "../graph/ir.ts";
import { checkpointed, type Segments, segmentsOfBlocks, workOf } from "./checkpointing.ts";
import { computedAgain, recomputed, type Step } from "./recompute.ts";

/** A step, and what computing it takes. */
export interface PlannedStep {
  /** Beside gradients: the loss first. */
  readonly forward: readonly Value[];
  readonly gradients: readonly Value[];
  /** Segments of the model, blocks where it has some, in which results are computed again. */
  readonly segments: { readonly again: number; readonly all: number };
  /** Whether scores of many classes are made in pieces, and again on the way back. */
  readonly hasPieces: boolean;
  /** Work beside that of the step that computes least, as a share of it. */
  readonly addedWork: number;
}

/** A planned step with the memory that it takes. */
export interface FittedStep extends PlannedStep {
  /** Bytes of the whole step. */
  readonly bytes: number;
}

/** What a step must fit into. */
export interface Budget {
  /** Bytes for the whole step. */
  readonly bytes: number;
  /** Bytes that a step of these results would take. */
  readonly measure: (results: readonly Value[]) => number;
}

/** Multiply-adds for a byte up to which results are computed again: each about doubles, without a bound in blocks at last. */
const levels = [30, 60, 120, 250, 500, 1000, Number.POSITIVE_INFINITY];

const workOfAll = (results: readonly Value[]): number => nodesOf(results).reduce((sum, node) => sum + workOf(node), 0);

/** Everything that may be done about a step, with the segments that it has. */
interface Choices {
  readonly step: Step;
  readonly hasPieces: boolean;
  readonly segmentOf: Segments;
  readonly names: readonly string[];
  /** Work of the step that computes least. */
  readonly leastWork: number;
}

/** The step in which results are computed again up to a level: in so many segments, and in the others up to another. */
function stepAt(
  { step, hasPieces, segmentOf, names, leastWork }: Choices,
  level: number,
  first = names.length,
  other = 0,
): PlannedStep {
  const levelOf = new Map(names.map((name, i) => [name, i < first ? level : other]));
  const groups = checkpointed(step, segmentOf, (segment) => levelOf.get(segment) ?? 0);
  const gradients = computedAgain(step, groups);
  const again = other > 0 ? names.length : first;
  return {
    forward: step.forward,
    gradients,
    segments: { again, all: names.length },
    hasPieces,
    addedWork: workOfAll([...step.forward, ...gradients]) / leastWork - 1,
  };
}

/**
 * The step of least work that fits. Throws OptionError, with the least that was found, where none does.
 * @param inPieces gives the step with the scores of many classes in pieces, `undefined` where there are none
 */
export function stepWithin(
  whole: Step,
  inPieces: () => Step | undefined,
  { bytes: budget, measure }: Budget,
): FittedStep {
  let least = Number.POSITIVE_INFINITY;
  const fitted = (planned: PlannedStep): FittedStep => {
    const bytes = measure([...planned.forward, ...planned.gradients]);
    least = Math.min(least, bytes);
    return { ...planned, bytes };
  };
  /** Of choices in the order of their work the first that fits, as if each took less memory than the one before it. */
  const firstOf = (count: number, at: (index: number) => PlannedStep) => {
    let found: { readonly index: number; readonly step: FittedStep } | undefined;
    for (let [low, high] = [-1, count]; high - low > 1; ) {
      const middle = (low + high) >> 1;
      const step = fitted(at(middle));
      if (step.bytes > budget) low = middle;
      else [high, found] = [middle, { index: middle, step }];
    }
    return found;
  };
  const leastWork = workOfAll([...whole.forward, ...whole.gradients]);
  const choicesOf = (step: Step, hasPieces: boolean): Choices => ({
    step,
    hasPieces,
    leastWork,
    ...segmentsOfBlocks(step),
  });
  const ofWhole = choicesOf(whole, false);
  const usual = fitted({
    forward: whole.forward,
    gradients: recomputed(whole),
    segments: { again: 0, all: ofWhole.names.length },
    hasPieces: false,
    addedWork: 0,
  });
  if (usual.bytes <= budget) return usual;
  const pieces = inPieces();
  const [best] = [ofWhole, ...(pieces ? [choicesOf(pieces, true)] : [])]
    .flatMap((own) => {
      const found = firstOf(levels.length, (i) => stepAt(own, levels[i] as number));
      return found ? [{ own, ...found }] : [];
    })
    .sort((a, b) => a.step.addedWork - b.step.addedWork);
  if (!best)
    throw new OptionError(
      `training: the budget of memory is ${byteText(budget)}, and a step takes at least ${byteText(least)} however much is computed again; allow that much, or pass a smaller batch, shorter sequences or smaller images, or train fewer parameters (freeze, LoRA)`,
    );
  const { own, index, step } = best;
  const [level = 0, before = 0] = [levels[index], levels[index - 1]];
  // Fewer segments, as long as it fits.
  return firstOf(own.names.length - 1, (i) => stepAt(own, level, i + 1, before))?.step ?? step;
}
