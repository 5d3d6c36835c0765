/** How well towers name, find and tell apart coloured digits, and what does it without sentences: classifiers, neighbours, few examples. */
import {
  adam,
  type CompileOptions,
  type Context,
  confidenceInterval,
  cosine,
  crossEntropy,
  type Dense,
  dense,
  featuresOf,
  fit,
  foldIn,
  fromTensors,
  gatherRows,
  keyOf,
  linearProbe,
  Module,
  nearestNeighbours,
  predictor,
  prototypes,
  sampleShots,
  scaleBytes,
  type Tensor,
  tensor,
  type Value,
} from "../../src/index.ts";
import {
  type Captioned,
  type CaptionedSet,
  colors,
  type DigitSets,
  idsOf,
  type Meaning,
  numbers,
  pairOf,
  pairs,
  prompts,
  wholeCaption,
  withCaption,
} from "./captioned-digits.ts";
import {
  cosineOf,
  type Embedder,
  embedder,
  imageFeatures,
  pairing,
  type ReaderKind,
  type TwoTowers,
} from "./two-towers.ts";

type Results = Readonly<Record<string, number>>;

const integers = (values: readonly number[]) => tensor(values, { dtype: "int32" });
const digitsOf = (shown: readonly Meaning[]) => integers(shown.map(({ digit }) => digit));
const pairsOf = (shown: readonly Meaning[]) => integers(shown.map(pairOf));

/** A classifier by the nearest class, which is the mean of its sentences' vectors: several are an ensemble (sec. 3.1.4). */
async function classifierOf(classes: readonly (readonly string[])[], { texts }: Embedder) {
  const labels = classes.flatMap((own, label) => own.map(() => label));
  return prototypes(await texts(idsOf(classes.flat())), integers(labels), { distance: "cosine" });
}

/** Images that all show something else, of each the first. */
export function distinct({ shown, x }: CaptionedSet, most: number): CaptionedSet {
  const captions = shown.map(wholeCaption);
  const rows = [...captions.keys()].filter((i) => captions.indexOf(captions[i] as string) === i).slice(0, most);
  return { shown: rows.map((i) => shown[i] as Meaning), x: gatherRows(x, rows) };
}

/** Images and sentences among which the partner is sought. */
const sought = 25;

/** Accuracies of towers on sets of images. */
export async function measureTowers(towers: Embedder, sets: DigitSets["test"]): Promise<Results> {
  const first = (texts: readonly string[]) => texts.slice(0, 1);
  const pairClasses = pairs.map(prompts);
  const digitClasses = numbers.map((_, digit) => prompts({ digit }));
  const [byOne, byAll, digitByOne, digitByAll] = [
    await classifierOf(pairClasses.map(first), towers),
    await classifierOf(pairClasses, towers),
    await classifierOf(digitClasses.map(first), towers),
    await classifierOf(digitClasses, towers),
  ];
  const results: Record<string, number> = {};
  for (const [name, set] of Object.entries(sets)) {
    const { shown, x } = set;
    const vectors = await towers.images(x);
    const captions = await towers.texts(idsOf(shown.map(wholeCaption)));
    const swapped = await towers.texts(
      idsOf(shown.map(({ digit, ink, background }) => wholeCaption({ digit, ink: background, background: ink }))),
    );
    const preferred = shown.map((_, i) => {
      const gain = cosineOf(vectors, i, captions, i) - cosineOf(vectors, i, swapped, i);
      // Half a point for sentences that are the same to the model, up to rounding.
      return Math.abs(gain) < 1e-5 ? 0.5 : Number(gain > 0);
    });
    const few = distinct(set, sought);
    const own = integers([...few.shown.keys()]);
    const [images, texts] = [await towers.images(few.x), await towers.texts(idsOf(few.shown.map(wholeCaption)))];
    const found: Results = {
      accuracy: byOne.accuracy(vectors, pairsOf(shown)),
      ensemble_accuracy: byAll.accuracy(vectors, pairsOf(shown)),
      digit_accuracy: digitByOne.accuracy(vectors, digitsOf(shown)),
      digit_ensemble_accuracy: digitByAll.accuracy(vectors, digitsOf(shown)),
      binding_accuracy: preferred.reduce((sum, one) => sum + one, 0) / preferred.length,
      image_to_text_accuracy: prototypes(texts, own).accuracy(images, own),
      text_to_image_accuracy: prototypes(images, own).accuracy(texts, own),
    };
    for (const [what, value] of Object.entries(found)) results[`${name}_${what}`] = value;
  }
  return results;
}

/** The tower of images with a head for each of some questions. */
class Classifier extends Module<Value, Readonly<Record<string, Value>>> {
  readonly features = imageFeatures();
  readonly heads: Readonly<Record<string, Dense>>;
  constructor(classes: Readonly<Record<string, number>>) {
    super();
    this.heads = Object.fromEntries(Object.entries(classes).map(([name, count]) => [name, dense(count)]));
  }
  protected call(x: Value, context: Context): Readonly<Record<string, Value>> {
    const features = this.features.apply(x, context);
    return Object.fromEntries(Object.entries(this.heads).map(([name, head]) => [name, head.apply(features, context)]));
  }
}

/** How everything that is compared is trained. */
export interface TowerTraining {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly compile: CompileOptions;
}

const fitOptions = ({ epochs, learningRate, seed, compile }: TowerTraining, batches: number) => ({
  optimizer: adam({ learningRate: cosine({ rate: learningRate, steps: epochs * batches }) }),
  epochs,
  training: { seed, compile, clipNorm: 1 },
});

/** Trains heads on labels, and gives the classes that each predicts. */
async function classify(
  questions: Readonly<Record<string, readonly [classes: number, of: (shown: Meaning) => number]>>,
  { train }: DigitSets,
  given: TowerTraining,
) {
  const model = new Classifier(
    Object.fromEntries(Object.entries(questions).map(([name, [classes]]) => [name, classes])),
  );
  const label = (own: Captioned) =>
    Object.fromEntries(Object.entries(questions).map(([name, [, of]]) => [name, tensor(of(own), { dtype: "int32" })]));
  const data = train
    .map((own) => ({ x: own.x as Tensor, ...label(own) }))
    .batch(given.batchSize)
    .map(scaleBytes());
  const loss = Object.fromEntries(Object.keys(questions).map((name) => [name, crossEntropy()]));
  await fit(model, data, { loss, ...fitOptions(given, data.length ?? 1) });
  const ask = predictor(model, { compile: given.compile, snapshot: true });
  return async ({ x }: CaptionedSet) => {
    const found = await ask(scaleBytes()({ x }).x);
    return (name: string): readonly number[] => {
      const { shape, data } = found[name] as Tensor;
      const [rows = 0, classes = 1] = shape;
      return Array.from({ length: rows }, (_, i) => {
        const row = data.subarray(i * classes, (i + 1) * classes) as Float32Array;
        return row.indexOf(Math.max(...row));
      });
    };
  };
}

const shareOf = (found: readonly number[], wanted: readonly number[]) =>
  found.filter((one, i) => one === wanted[i]).length / wanted.length;

/** Accuracies of what was trained on labels in place of sentences, and of the nearest image. */
async function baselines(sets: DigitSets, given: TowerTraining): Promise<Results> {
  const heads = await classify(
    { digit: [numbers.length, ({ digit }) => digit], ink: [colors.length, ({ ink }) => ink] },
    sets,
    given,
  );
  const joint = await classify({ pair: [pairs.length, pairOf] }, sets, given);
  const pixels = ({ x }: CaptionedSet) => x.reshape([x.shape[0] ?? 1, -1]);
  const neighbours = nearestNeighbours(pixels(sets.kept), pairsOf(sets.kept.shown), { neighbours: 1 });
  const results: Record<string, number> = {};
  for (const [name, set] of Object.entries(sets.test)) {
    const [digit, wanted] = [set.shown.map(({ digit }) => digit), set.shown.map(pairOf)];
    const [byHeads, byJoint] = [await heads(set), await joint(set)];
    const hues = byHeads("ink");
    const both = byHeads("digit").map((digit, i) => pairOf({ digit, ink: hues[i] as number }));
    Object.assign(results, {
      [`${name}_heads_accuracy`]: shareOf(both, wanted),
      [`${name}_heads_digit_accuracy`]: shareOf(byHeads("digit"), digit),
      [`${name}_joint_accuracy`]: shareOf(byJoint("pair"), wanted),
      [`${name}_neighbour_accuracy`]: neighbours.accuracy(pixels(set), pairsOf(set.shown)),
    });
  }
  return results;
}

const shots = [1, 2, 4, 8, 16, 32];
/** Penalties among which cross-validation chooses, and how nearly each is solved. */
const search = { strengths: [0.001, 0.01, 0.1, 1], maxIterations: 100, tolerance: 1e-4 };

/** Accuracies of classifiers of digits that learn from few examples on the frozen features of the image tower. */
async function fewShot(
  model: TwoTowers,
  { kept, test }: DigitSets,
  { seed, compile }: TowerTraining,
): Promise<Results> {
  const described = ({ shown, x }: CaptionedSet) =>
    featuresOf(
      model.image,
      fromTensors({ x, y: digitsOf(shown) })
        .batch(100, { dropLast: false })
        .map(scaleBytes()),
      {
        layer: "features",
        compile,
      },
    );
  const { features, labels } = await described(kept);
  const tested = Object.entries(test).map(async ([name, set]) => ({ name, ...(await described(set)) }));
  const results: Record<string, number> = {};
  for (const count of shots) {
    const { support } = sampleShots(labels, count, foldIn(keyOf(seed), "shots"));
    const own = [gatherRows(features, support), gatherRows(labels, support)] as const;
    const [probe, means] = [linearProbe(...own, search), prototypes(...own)];
    for (const { name, features, labels } of await Promise.all(tested)) {
      results[`${name}_probe_${count}_accuracy`] = probe.accuracy(features, labels);
      results[`${name}_means_${count}_accuracy`] = means.accuracy(features, labels);
    }
  }
  return results;
}

/** Both readers and all baselines from several seeds: means with 95 % intervals. */
export async function compareTowers(
  build: (reader: ReaderKind) => TwoTowers,
  setsOf: (seed: number) => DigitSets,
  seeds: readonly number[],
  training: Omit<TowerTraining, "seed">,
): Promise<Results> {
  const found = new Map<string, number[]>();
  const note = (prefix: string, results: Results) => {
    for (const [name, value] of Object.entries(results))
      found.set(`${prefix}_${name}`, [...(found.get(`${prefix}_${name}`) ?? []), value]);
  };
  for (const seed of seeds) {
    const [sets, given] = [setsOf(seed), { ...training, seed }];
    for (const reader of ["attention", "words"] as const) {
      const model = build(reader);
      const data = sets.train
        .map(withCaption, foldIn(keyOf(seed), "captions"))
        .batch(given.batchSize)
        .map(scaleBytes());
      await fit(model, data, { objective: pairing(model), ...fitOptions(given, data.length ?? 1) });
      note(reader, await measureTowers(embedder(model, given.compile), sets.test));
      if (reader === "attention") note("shots", await fewShot(model, sets, given));
    }
    note("labels", await baselines(sets, given));
  }
  return Object.fromEntries(
    [...found].flatMap(([name, values]) => {
      const { mean, low, high } = confidenceInterval(values);
      return [
        [name, mean],
        [`${name}_low`, low],
        [`${name}_high`, high],
      ];
    }),
  );
}
