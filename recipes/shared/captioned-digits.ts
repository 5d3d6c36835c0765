/** Coloured digits on coloured backgrounds, sentences that describe them, and pairs of a digit and a colour that are held out together. */
import {
  type Color,
  DataError,
  type Dataset,
  foldIn,
  fromIndexed,
  gatherRows,
  type Key,
  keyOf,
  padRows,
  Random,
  specialTokens,
  Tensor,
  Vocabulary,
  wordsOf,
} from "../../src/index.ts";
import type { ImageClassification, LabelledImages } from "../../src/node.ts";

/** Pixels of an image's height and width. */
export const side = 28;
const area = side * side;
/** Tokens of a caption, with those that begin and end it. */
export const longest = 14;

export const numbers = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"] as const;
const paints: Readonly<Record<string, Color>> = {
  red: [220, 35, 35],
  yellow: [230, 225, 60],
  green: [40, 170, 60],
  blue: [50, 85, 235],
  purple: [150, 50, 190],
  white: [235, 235, 235],
};
export const colors: readonly string[] = Object.keys(paints);
/** Pixels by which a digit is shifted at most, to each side. */
const shift = 3;
/** By how much a channel differs from the colour's at most. */
const tint = 15;
/** How light a background is beside ink of its colour. */
const dimmed = 0.4;

/** What an image shows: a digit, and places in the list of colours. */
export interface Meaning {
  readonly digit: number;
  readonly ink: number;
  readonly background: number;
}
/** An image, and what it shows. */
export interface Captioned extends Meaning {
  /** uint8 [3, side, side]. */
  readonly x: Tensor<"uint8">;
}

/** A digit and the colour of its ink as one number. */
export const pairOf = ({ digit, ink }: Pick<Meaning, "digit" | "ink">): number => digit * colors.length + ink;
export const pairs: readonly Pick<Meaning, "digit" | "ink">[] = numbers.flatMap((_, digit) =>
  colors.map((_, ink) => ({ digit, ink })),
);

/** Pairs to train on, to choose settings by and to test on: each digit lacks one colour; half of those pairs validate, half test. */
export interface Split {
  readonly train: ReadonlySet<number>;
  readonly validation: ReadonlySet<number>;
  readonly test: ReadonlySet<number>;
}

export function splitPairs(key: Key): Split {
  const random = new Random(key);
  const hues = random.permutation(colors.length);
  const held = Array.from(random.permutation(numbers.length), (digit, i) =>
    pairOf({ digit, ink: hues[i % colors.length] as number }),
  );
  const all = pairs.map(pairOf);
  return {
    train: new Set(all.filter((pair) => !held.includes(pair))),
    validation: new Set(held.slice(0, numbers.length / 2)),
    test: new Set(held.slice(numbers.length / 2)),
  };
}

const pick = <T>(from: readonly T[], random: Random): T => from[random.integer(from.length)] as T;

/** The paint of a colour as light as `light`, a little darker and tinted at random. */
function painted(color: number, brightest: number, random: Random): Color {
  const light = brightest * random.uniform(0.8, 1);
  const [red, green, blue] = (paints[colors[color] as string] as Color).map((level) =>
    Math.max(0, Math.min(255, light * level + random.uniform(-tint, tint))),
  );
  return [red ?? 0, green ?? 0, blue ?? 0];
}

/** An image of a digit and a colour that it may have; digits that may have none are passed over. Throws DataError where all are. */
function drawn({ x, y }: LabelledImages, allowed: ReadonlySet<number>, random: Random) {
  for (let tries = 0; tries < 1000; tries++) {
    const row = random.integer(x.shape[0] ?? 1);
    const digit = Number(y.data[row]);
    const inks = colors.flatMap((_, ink) => (allowed.has(pairOf({ digit, ink })) ? [ink] : []));
    if (inks.length > 0) return { row, digit, ink: pick(inks, random) };
  }
  const wanted = [...new Set(Array.from(allowed, (pair) => Math.floor(pair / colors.length)))].join(", ");
  throw new DataError(`among ${y.data.length} images there is none of ${wanted}; pass more of MNIST's images`);
}

/** A digit in a colour that it may have, on another. */
function captionedDigit(digits: LabelledImages, allowed: ReadonlySet<number>, random: Random): Captioned {
  const { row, digit, ink } = drawn(digits, allowed, random);
  const background = (ink + 1 + random.integer(colors.length - 1)) % colors.length;
  const [front, behind] = [painted(ink, 1, random), painted(background, dimmed, random)];
  const [across, down] = [random.integer(2 * shift + 1) - shift, random.integer(2 * shift + 1) - shift];
  const pixels = new Uint8Array(3 * area);
  for (const [channel, level] of behind.entries()) pixels.fill(level, channel * area, (channel + 1) * area);
  const own = digits.x.data.subarray(row * area, (row + 1) * area);
  for (const [i, level] of own.entries()) {
    const [column, line] = [(i % side) + across, Math.floor(i / side) + down];
    if (level === 0 || column < 0 || line < 0 || column >= side || line >= side) continue;
    for (let channel = 0; channel < 3; channel++)
      pixels[channel * area + line * side + column] =
        (level * (front[channel] as number) + (255 - level) * (behind[channel] as number)) / 255;
  }
  return { digit, ink, background, x: new Tensor("uint8", [3, side, side], pixels) };
}

/** Images with what they show. */
export interface CaptionedSet {
  readonly shown: readonly Meaning[];
  /** uint8 [N, 3, side, side]. */
  readonly x: Tensor<"uint8">;
}

/** So many of them, the same for a key. */
export function captionedSet(
  digits: LabelledImages,
  allowed: ReadonlySet<number>,
  count: number,
  key: Key,
): CaptionedSet {
  const pixels = new Uint8Array(3 * area * count);
  const shown = Array.from({ length: count }, (_, i) => {
    const { x, ...own } = captionedDigit(digits, allowed, new Random(foldIn(key, i)));
    pixels.set(x.data, 3 * area * i);
    return own;
  });
  return { shown, x: new Tensor("uint8", [count, 3, side, side], pixels) };
}

/** Images to train on, new in each epoch; to choose settings by; and to test on: of pairs that training has, and of others. */
export interface DigitSets {
  readonly train: Dataset<Captioned>;
  readonly validation: Readonly<Record<"seen" | "unseen", CaptionedSet>>;
  readonly test: Readonly<Record<"seen" | "unseen", CaptionedSet>>;
  /** Some images as those to train on, for baselines that keep them. */
  readonly kept: CaptionedSet;
}

/** The sets of a seed, at most `limit` images each. The last tenth of the training digits validates. */
export function digitSets(
  { train, test }: ImageClassification,
  seed: number,
  limit = Number.POSITIVE_INFINITY,
): DigitSets {
  const key = keyOf(seed);
  const split = splitPairs(foldIn(key, "pairs"));
  const { x, y } = train.tensors;
  const border = Math.floor(0.9 * y.data.length);
  const part = (from: number, to: number) => {
    const rows = Array.from({ length: to - from }, (_, i) => from + i);
    return { x: gatherRows(x, rows), y: gatherRows(y, rows) };
  };
  const [known, held] = [part(0, border), part(border, y.data.length)];
  const set = (from: LabelledImages, allowed: ReadonlySet<number>, what: string, count = 1000) =>
    captionedSet(from, allowed, Math.min(count, limit), foldIn(key, what));
  return {
    train: fromIndexed(Math.min(8000, limit), (i) => i).map(
      (_, random) => captionedDigit(known, split.train, random),
      foldIn(key, "images"),
    ),
    validation: {
      seen: set(held, split.train, "validation, seen"),
      unseen: set(held, split.validation, "validation, new"),
    },
    test: { seen: set(test.tensors, split.train, "test, seen"), unseen: set(test.tensors, split.test, "test, new") },
    kept: set(known, split.train, "kept"),
  };
}

/** "a" or "an" before a colour, if any, and a number. */
const named = (...words: readonly (string | undefined)[]) => {
  const own = words.filter((word) => word !== undefined).join(" ");
  return `${/^(eight|8)/.test(own) ? "an" : "a"} ${own}`;
};

/** Sentences about a digit, in a colour or none, on a background or none. */
function sentences(number: string, ink: string | undefined, background: string | undefined): readonly string[] {
  const behind = background === undefined ? [""] : [` on ${background}`, ` on ${named(background)} background`];
  const tail = background === undefined ? "" : `, the background is ${background}`;
  return [
    ...behind.flatMap((place) => [
      `${named(ink, number)}${place}`,
      ...(ink ? [`${named(number)} in ${ink}${place}`] : []),
    ]),
    ...(ink ? [`the ${number} is ${ink}${tail}`] : []),
    ...(background
      ? [`on ${background} there is ${named(ink, number)}`, `${background} behind ${named(ink, number)}`]
      : []),
  ];
}

/** A sentence about an image, drawn at random: colours may be left out, and the digit is a word or a numeral. */
export function captionOf({ digit, ink, background }: Meaning, random: Random): string {
  const some = (share: number, color: number) => (random.uniform() < share ? colors[color] : undefined);
  const number = random.uniform() < 0.5 ? (numbers[digit] as string) : String(digit);
  return pick(sentences(number, some(0.5, ink), some(0.4, background)), random);
}

/** All that an image shows, in one sentence. */
export const wholeCaption = ({ digit, ink, background }: Meaning): string =>
  `${named(colors[ink], numbers[digit])} on ${colors[background]}`;

/** Sentences that a class is described by, the plainest first: of a digit, or of a digit in a colour. */
export const prompts = ({ digit, ink }: { readonly digit: number; readonly ink?: number }): readonly string[] => {
  const own = (background?: string) =>
    sentences(numbers[digit] as string, ink === undefined ? undefined : colors[ink], background);
  return [...own(), ...colors.filter((_, background) => background !== ink).flatMap((background) => own(background))];
};

/** Every word that captions have, by id: what begins and ends a sentence are among them. */
export const vocabulary = new Vocabulary([
  ...specialTokens,
  ...new Set([
    ...wordsOf("a an the is on in there behind background ,"),
    ...numbers,
    ...numbers.map((_, digit) => String(digit)),
    ...colors,
  ]),
]);

/** Token ids of sentences, int32 [N, longest]; the state of the first token stands for the sentence. Longer ones are cut. */
export const idsOf = (texts: readonly string[]): Tensor<"int32"> =>
  padRows(
    texts.map((text) => vocabulary.encode(["<bos>", ...wordsOf(text).slice(0, longest - 2), "<eos>"])),
    longest,
  );

/** Images of a set with a sentence each, for a batch. */
export const withCaption = ({ x, ...shown }: Captioned, random: Random) => ({
  x,
  text: idsOf([captionOf(shown, random)]).reshape([longest]),
});

/** The images of sets one after the other. */
export const imagesOf = (sets: readonly CaptionedSet[]): Dataset<Captioned> => {
  const all = sets.flatMap(({ shown, x }) =>
    shown.map((own, i) => ({ ...own, x: gatherRows(x, [i]).reshape([3, side, side]) })),
  );
  return fromIndexed(all.length, (i) => all[i] as Captioned);
};
