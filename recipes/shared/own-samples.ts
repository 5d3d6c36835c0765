/** How networks side by side learn from samples of your own, images or sounds: in the time that there is, chosen by samples held back. */
import {
  type AnyModule,
  accuracy,
  type Batch,
  type CandidateChoices,
  type CompileOptions,
  candidateObjective,
  confusionMatrix,
  cosineInTime,
  type Dataset,
  eitherOrBoth,
  exactLabels,
  foldIn,
  keepBestCandidate,
  keyOf,
  type Labelled,
  labelF1,
  labelFigures,
  meanAbsoluteErrorMetric,
  models,
  namesOf,
  OptionError,
  predictor,
  type RecipeSettings,
  r2,
  rootMeanSquaredError,
  type SampleSplit,
  type SampleTarget,
  type Stage,
  type Tensor,
  type TensorModule,
  takenOf,
  trainTop,
} from "../../src/index.ts";
import { requireOwnData } from "./own-data.ts";

/** Of the time, what training may take; the rest is for baselines. */
export const trainingShare = 0.7;
/** Samples that are measured at once, by a network of ours and by a pretrained one, which may be large. */
const mostAtOnce = { own: 256, pretrained: 32 };
/** Batches of an epoch at least: few samples go round several times. */
const leastBatches = 20;

/** Options that recipes of your own samples have in common. */
export const sampleOptions = {
  target: { description: "of a table: the column to predict; default by its name, or the last", default: "" },
  labels: { description: "of a table: columns of 0 and 1, with commas; each is a label", default: "" },
  minutes: { description: "time for training and for the baselines", default: 5 },
} as const;

/** Options of recipes that learn on a base, too. */
export const baseOptions = {
  base: {
    description: "a pretrained model to learn on: a file, a folder, a run, or owner/name on Hugging Face's hub",
    default: "",
  },
  unfreeze: {
    description: "last blocks of the base that are trained too, after the head alone; all where it has no more",
    default: 2,
  },
} as const;

/** The one network on a base. */
export const tuned = eitherOrBoth(["tuned"]);

/** Throws OptionError for a number of blocks that is none. */
export function requireBlocks(unfreeze: number): void {
  if (!(Number.isInteger(unfreeze) && unfreeze >= 0))
    throw new OptionError(`--unfreeze is ${unfreeze}; pass a whole number of blocks from 0`);
}

/** What of the settings concerns all samples, checked. Throws OptionError without data, and for a time that is none. */
export function checkedSettings(
  { data, labels, minutes }: { readonly data: string; readonly labels: string; readonly minutes: number },
  what: string,
) {
  requireOwnData({ data, minutes }, `there are no ${what}; name their folder or table by --data`);
  return { path: data, labels: labels.split(",").flatMap((name) => name.trim() || []) };
}

/** The networks by name, as one model, and how its outputs are shown. */
export function candidatesFor(
  target: SampleTarget,
  { candidates }: CandidateChoices,
  make: (outputs: number) => TensorModule,
) {
  const names = namesOf(target);
  const outputs = Math.max(1, names.length);
  return {
    model: new models.SideBySide(Object.fromEntries(candidates.map((name) => [name, make(outputs)])), {
      gives: target.kind,
      ...(target.kind === "number" && { target: { mean: target.mean, deviation: target.deviation } }),
    }),
    ...(target.kind === "classes" && { classes: names }),
    ...(target.kind === "labels" && { labels: names }),
  };
}

/** How samples are learned. */
export interface Learning {
  readonly model: models.SideBySide;
  readonly settings: RecipeSettings & { readonly minutes: number };
  readonly choices: CandidateChoices;
  /** Batches as they are trained on, in both views. */
  readonly views: (batches: Dataset<Labelled>) => Dataset<Batch>;
  /** Batches as they are measured. */
  readonly plain: (batches: Dataset<Labelled>) => Dataset<Batch>;
  /** On a base: how many of its blocks are trained too, in the last third of the epochs; default there is none, and everything is trained. */
  readonly unfreeze?: number | undefined;
}

/** The head alone, then blocks below it too. */
function stagesFor(blocks: number, epochs: number): readonly Stage[] {
  const later = blocks > 0 ? Math.floor(epochs / 3) : 0;
  const trains = (count: number) => (own: AnyModule) => trainTop(own, count);
  const first = { name: "head alone", epochs: epochs - later, before: trains(0) };
  const last = {
    name: `head and last ${blocks} ${blocks === 1 ? "block" : "blocks"}`,
    epochs: later,
    before: trains(blocks),
  };
  return later === 0 ? [first] : [first, last];
}

/** Everything of a task that trains and measures; `baselineOptions` says how long simple ways may take beside. */
export function learnSamples({ target, parts }: SampleSplit, learning: Learning) {
  const { model, settings, choices, views, plain, unfreeze } = learning;
  const hasBase = unfreeze !== undefined;
  const { seed, batchSize, epochs, learningRate, minutes } = settings;
  const [train, test] = [parts.train.length ?? 0, parts.test.length ?? 0];
  const size = Math.min(batchSize, train);
  const rounds = Math.max(1, Math.ceil(leastBatches / Math.floor(train / size)));
  const repeated = Array.from({ length: rounds - 1 }).reduce<typeof parts.train>(
    (all) => all.concat(parts.train),
    parts.train,
  );
  const batches = views(repeated.shuffle(foldIn(keyOf(seed), "order")).batch(size, { dropLast: true }));
  const measured = (part: Dataset<Labelled>) =>
    plain(part.batch(Math.min(hasBase ? mostAtOnce.pretrained : mostAtOnce.own, part.length ?? 1)));
  const seconds = 60 * minutes;
  return {
    train: batches,
    validation: measured(parts.validation),
    test: measured(parts.test),
    objective: candidateObjective(model, target, choices),
    metrics:
      target.kind === "classes"
        ? [accuracy(), confusionMatrix(target.classes.length)]
        : target.kind === "number"
          ? [rootMeanSquaredError(), meanAbsoluteErrorMetric(), r2()]
          : [labelF1(), exactLabels()],
    ...(target.kind === "labels" && {
      measure(compile: CompileOptions) {
        const ask = predictor(model, { compile });
        return labelFigures((batch) => ask(takenOf(model.inputs, batch) as Tensor), measured(parts.test));
      },
    }),
    samples: { train, test },
    schedule: cosineInTime({
      rate: learningRate,
      steps: epochs * (batches.length ?? 1),
      seconds: trainingShare * seconds,
    }),
    callbacks: [
      keepBestCandidate(
        { ...choices, candidates: model.candidates },
        // Of what was pretrained an early epoch may be the best: it knows much, and soon overfits.
        { epoch: hasBase ? "best" : "last", seconds: trainingShare * seconds },
      ),
    ],
    ...(hasBase && { stages: stagesFor(unfreeze, epochs) }),
    training: {
      clipNorm: 5,
      // What was pretrained moves a little only.
      ...(hasBase && { groups: [{ parameters: /\.base\./, learningRateScale: 0.1 }] }),
    },
    optimizers: { adamw: { weightDecay: 0.05 } },
    baselineOptions: { seed, seconds: (1 - trainingShare) * seconds },
  };
}
