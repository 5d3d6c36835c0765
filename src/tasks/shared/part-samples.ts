/** Images or sounds in parts: what is the same stays together, and what the data say of parts is kept. */
import { DataError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { nearDuplicateImages } from "../../data/profile/image-likeness.ts";
import { partsOfRows } from "../folds/parting.ts";

/** What samples are for. */
export type PartName = "train" | "validation" | "test";

/** A sample, as it is parted. */
export interface PartedSample {
  readonly path: string;
  /** Of its contents: equal of equal samples. */
  readonly sum: string;
  /** Of an image: of its brightness, see `differenceHash`. */
  readonly hash?: Uint16Array;
  /** Of an image: its bytes, where they are kept; without them only equal images are found. */
  readonly bytes?: Uint8Array;
  /** What it is spread over the parts by; nothing for numbers. */
  readonly label: string | undefined;
  /** Where the data say what it is for. */
  readonly part?: PartName | undefined;
}

/** Places of samples by what they are for. */
export type SampleParts = Readonly<Record<PartName, readonly number[]>>;

/** Mean difference of bytes up to which images that look alike are held to be the same. */
const nearlySame = 4;
/** Parts that samples to train on are in, of which one is to choose by. */
const folds = 7;

/** A number for each sample, the same for those that are equal; of images also for those that almost are. */
function groupsOf(samples: readonly PartedSample[]): number[] {
  const first = new Map<string, number>();
  const groups = samples.map(({ sum }, place) => {
    const known = first.get(sum) ?? place;
    first.set(sum, known);
    return known;
  });
  const root = (place: number): number => {
    let own = place;
    while (groups[own] !== own) own = groups[own] as number;
    return own;
  };
  const distinct = [...first.values()];
  const named = distinct.flatMap((place) => {
    const { hash } = samples[place] as PartedSample;
    return hash ? [{ name: String(place), label: "", hash }] : [];
  });
  for (const { items } of nearDuplicateImages(named)) {
    const [a, b] = items.map(Number) as [number, number];
    if (differenceOf(samples[a]?.bytes, samples[b]?.bytes) <= nearlySame) groups[root(b)] = root(a);
  }
  return samples.map((_, place) => root(groups[place] as number));
}

function differenceOf(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  if (!a || !b) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] as number) - (b[i] as number));
  return sum / a.length;
}

/**
 * Parts samples: as the data say, or a fifth to test on and of the others a seventh to choose by, at random, each class in its share. Those
 * that are the same come into one part. Throws DataError for too few of them.
 */
export function partSamples(
  samples: readonly PartedSample[],
  { what, seed }: { readonly what: string; readonly seed: number },
): { readonly parts: SampleParts; readonly notes: readonly string[] } {
  const groups = groupsOf(samples);
  const given = (part: PartName) => samples.flatMap((own, place) => (own.part === part ? [place] : []));
  const drawn = (places: readonly number[], testShare?: number) => {
    const {
      train,
      folds: own,
      test,
    } = partsOfRows({
      groups: places.map((place) => String(groups[place])),
      classes: samples.some(({ label }) => label === undefined)
        ? undefined
        : places.map((place) => samples[place]?.label ?? ""),
      seed,
      folds,
      ...(testShare !== undefined && { share: testShare }),
    });
    const inFold = (isFirst: boolean) =>
      train.flatMap((row, i) => ((own[i] === 0) === isFirst ? [places[row] as number] : []));
    return { train: inFold(false), validation: inFold(true), test: test.map((row) => places[row] as number) };
  };
  const [train, validation, test] = [given("train"), given("validation"), given("test")];
  let parts: SampleParts;
  if (train.length === 0) parts = drawn(samples.map((_, place) => place));
  else if (validation.length > 0 && test.length > 0) parts = { train, validation, test };
  else parts = { ...drawn(train, 0), test: test.length > 0 ? test : validation };
  const measured = new Set([...parts.test, ...parts.validation].map((place) => groups[place]));
  const own = parts.train.filter((place) => !measured.has(groups[place]));
  for (const [name, places] of Object.entries({ ...parts, train: own }))
    if (places.length === 0)
      throw new DataError(
        `of ${plural(samples.length, what)} none is left for the part "${name}"; pass more ${what}s, some dozens of each class`,
      );
  const conflicts = conflictsOf(samples, groups);
  const repeated = samples.length - new Set(groups).size;
  const left = parts.train.length - own.length;
  return {
    parts: { ...parts, train: own },
    notes: [
      ...(repeated > 0
        ? [
            `${plural(repeated, what)} ${repeated === 1 ? "repeats another" : "repeat others"}, and ${repeated === 1 ? "is" : "are"} kept on the same side`,
          ]
        : []),
      ...(left > 0
        ? [
            `${plural(left, what)} of the part to train on also ${left === 1 ? "lies" : "lie"} in one to measure by, and ${left === 1 ? "is" : "are"} not trained on`,
          ]
        : []),
      ...(conflicts.length > 0
        ? [
            `${plural(conflicts.length, what)} ${conflicts.length === 1 ? "appears" : "appear"} under unlike labels, such as ${conflicts[0]}: one of them is wrong`,
          ]
        : []),
    ],
  };
}

/** Samples that are the same under unlike labels, as pairs of paths. */
function conflictsOf(samples: readonly PartedSample[], groups: readonly number[]): string[] {
  return samples.flatMap(({ label, path }, place) => {
    const first = samples[groups[place] as number];
    return first && label !== undefined && first.label !== label ? [`${first.path} and ${path}`] : [];
  });
}
