/** How large a language model is made for a text. */

/** Tokens that are learned, and the sizes of a GPT. */
export interface WritingSize {
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Rate at which features are dropped while training. */
  readonly dropout: number;
}

/** By the bytes that are trained on, up to so many: the more there is to learn, the more features, and the less is dropped. */
const sizes: readonly (readonly [bytes: number, size: Omit<WritingSize, "vocabulary">])[] = [
  [200_000, { width: 64, layers: 2, heads: 4, dropout: 0.2 }],
  [800_000, { width: 96, layers: 3, heads: 4, dropout: 0.2 }],
  [4_000_000, { width: 128, layers: 4, heads: 4, dropout: 0.1 }],
  [20_000_000, { width: 192, layers: 4, heads: 6, dropout: 0.1 }],
  [Number.POSITIVE_INFINITY, { width: 256, layers: 6, heads: 8, dropout: 0 }],
];
/** The fewest and the most tokens that are learned. */
const [fewest, most] = [512, 8192];

/**
 * Sizes for so many bytes of training text: as many tokens as their square root, a power of two, so that each token is seen often; and a
 * model of some two to four weights a token of the text, which learns from several passes (one pass over unlimited text is another matter:
 * Hoffmann et al. 2022 find a twentieth of a weight best there).
 */
export function writingSize(bytes: number): WritingSize {
  const vocabulary = 2 ** Math.round(Math.log2(Math.sqrt(bytes)));
  const [, size] = sizes.find(([limit]) => bytes <= limit) as (typeof sizes)[number];
  return { ...size, vocabulary: Math.max(fewest, Math.min(most, vocabulary)) };
}
