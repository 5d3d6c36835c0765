/** What members of a network see in the images of a table: a small convolutional network for each. */
import type { Value } from "../../graph/ir.ts";
import { type Context, Module, uniformInit, zerosInit } from "../../nn/index.ts";
import { concat, conv, expand, reduceMean, relu, reshape, transpose } from "../../ops/index.ts";
import type { ImagesOfRows } from "./table-columns.ts";

/** Filters of a member's convolutions, each of which halves the image. */
const filters = [8, 16, 16] as const;
/** Parts across and down whose features are kept apart. */
const parts = 2;
/** Features that a member makes of an image. */
export const imageFeatures = filters[2] * parts * parts;

/** What a convolution of members reads: the image, which all of them see, or the channels of each. */
type Reads = "image" | "members";

/** A convolution of 3 x 3, every other row and column, for each member: [N, C, H, W] or [N, members · C, H, W] → [N, members · filters, H/2, W/2]. */
class MemberConvolution extends Module {
  override readonly kind = "convolution";
  readonly #members: number;
  readonly #filters: number;
  readonly #reads: Reads;
  constructor(members: number, count: number, reads: Reads) {
    super();
    this.#members = members;
    this.#filters = count;
    this.#reads = reads;
  }
  protected call(x: Value, context: Context): Value {
    const groups = this.#reads === "image" ? 1 : this.#members;
    const outputs = this.#members * this.#filters;
    const channels = (x.shape[1] ?? 1) / groups;
    const bound = Math.sqrt(6 / (9 * channels)); // He et al. 2015, eq. 10
    const w = context.parameter(this, "weight", {
      shape: [outputs, channels, 3, 3],
      initializer: uniformInit(-bound, bound),
    });
    const bias = context.parameter(this, "bias", { shape: [outputs], initializer: zerosInit });
    const padding = [
      [1, 1],
      [1, 1],
    ] as const;
    return relu(conv(x, w, { strides: [2, 2], padding, groups, bias }));
  }
}

/** Features of the images of one column, [members, N, 64], and whether an image is missing. */
export class ImageBranch extends Module<ImagesOfRows> {
  override readonly inputs = "tree";
  readonly layers: readonly MemberConvolution[];
  readonly #members: number;
  constructor(members: number) {
    super();
    this.#members = members;
    this.layers = filters.map((count, i) => new MemberConvolution(members, count, i === 0 ? "image" : "members"));
  }
  protected call({ pixels, missing }: ImagesOfRows, context: Context): Value {
    const members = this.#members;
    const seen = this.layers.reduce((x, layer) => layer.apply(x, context), pixels); // [N, members · 16, H/8, W/8]
    const [rows = 1, channels = 1, height = 1, width = 1] = seen.shape;
    const grid = reshape(seen, [rows, channels, parts, height / parts, parts, width / parts]);
    const features = transpose(reshape(reduceMean(grid, [3, 5]), [rows, members, imageFeatures]), [1, 0, 2]);
    return missing ? concat([features, expand(missing, [members, ...missing.shape])], 2) : features;
  }
}
