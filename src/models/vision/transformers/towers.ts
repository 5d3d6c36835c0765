/** What models of images and texts have in common: options of their towers, and the comparison of their vectors. */
import { count } from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import type { Value } from "../../../graph/ir.ts";
import type { NamedInputs } from "../../../nn/index.ts";
import { div, reduceL2 } from "../../../ops/index.ts";
import {
  detailsType,
  sizesType,
  sizesTypes,
  type TransformerDetails,
  type TransformerSizes,
} from "../../shared/tokens.ts";

/** The tower of texts. */
export interface TextTowerOptions {
  /** Its extents. */
  readonly sizes: TransformerSizes;
  /** Where it is not as published; without `dropout`. */
  readonly details?: Omit<TransformerDetails, "dropout"> | undefined;
  /** The token that ends a text; CLIP takes its state, by default that of the token of the largest number, as released. */
  readonly end?: number | undefined;
}

/** The tower of images. */
export interface ImageTowerOptions {
  /** Its extents. */
  readonly sizes: Omit<TransformerSizes, "vocabulary" | "positions">;
  /** Where it is not as published; without `dropout`. */
  readonly details?: Omit<TransformerDetails, "dropout"> | undefined;
  /** Rows of an image, and columns; default 224. */
  readonly image?: number;
  /** Rows of a patch, and columns; default that of the publication. */
  readonly patch?: number;
  /** Default 3. */
  readonly channels?: number;
}

const { vocabulary: _, positions: __, ...extents } = sizesTypes;
export const textTowerType = optionsOf<TextTowerOptions>("text", {
  sizes: required(sizesType),
  details: detailsType,
  end: count(0),
}).type;
export const imageTowerType = optionsOf<ImageTowerOptions>("image", {
  sizes: required(optionsOf<ImageTowerOptions["sizes"]>("sizes", extents).type),
  details: detailsType,
  image: count(),
  patch: count(),
  channels: count(),
}).type;

/** What a model of two towers takes. */
export type PairInputs = {
  /** Images, [N, C, H, W]. */
  readonly x: Value;
  /** Token ids of texts, integers [M, T]. */
  readonly text: Value;
  /** Which tokens take part, [M, T]; default all. */
  readonly mask?: Value | undefined;
};
export const pairInputs = { x: "required", text: "required", mask: "optional" } as const satisfies NamedInputs;

/** What it gives. */
export type PairOutputs = {
  /** How well each image fits each text, logits [N, M]. */
  readonly similarities: Value;
  /** Of length 1, [M, projection]. */
  readonly textVectors: Value;
  /** Of length 1, [N, projection]. */
  readonly imageVectors: Value;
};

/** Vectors of length 1: [N, W] → [N, W]. */
export const unit = (x: Value): Value => div(x, reduceL2(x, 1, { keepDims: true }));
