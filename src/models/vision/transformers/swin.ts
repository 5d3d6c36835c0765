/** Swin (Liu et al. 2021): a transformer that attends within windows of an image, which shift from layer to layer. */
import { OptionError, ShapeError } from "../../../core/errors.ts";
import { count, extentsType, flag, listOf, positive } from "../../../core/option-types.ts";
import { optionsOf, required } from "../../../core/options.ts";
import { showShape } from "../../../core/shape.ts";
import { Tensor, tensor } from "../../../core/tensor.ts";
import type { Value } from "../../../graph/ir.ts";
import {
  type ActivationName,
  activation,
  attend,
  type Context,
  conv2d,
  type Dense,
  dense,
  dropout,
  joinHeads,
  type LayerNorm,
  layerNorm,
  Module,
  splitHeads,
} from "../../../nn/index.ts";
import {
  add,
  concat,
  constant,
  expand,
  gather,
  pad,
  reduceMean,
  reshape,
  slice,
  transpose,
} from "../../../ops/index.ts";
import { type Chain, chain } from "../../shared/blocks.ts";
import { type Architectures, architectures, type EncoderOutputs, headed, pooledOf } from "../../shared/heads.ts";
import { detailsType, initial, type TransformerDetails } from "../../shared/tokens.ts";

/** Options of `SwinModel`. */
export interface SwinOptions {
  /** Rows and columns of an image; default [224, 224]. */
  readonly image?: readonly [rows: number, columns: number];
  /** Rows of a patch, and columns; default 4. */
  readonly patch?: number;
  /** Features of the first stage, which double from each to the next; default 96. */
  readonly width?: number;
  /** Layers and heads of each stage; default 2, 2, 6, 2 and 3, 6, 12, 24. */
  readonly stages?: readonly { readonly layers: number; readonly heads: number }[];
  /** Rows of a window, and columns, in patches; default 7. */
  readonly window?: number;
  /** Where it is not as published. */
  readonly details?: TransformerDetails | undefined;
  /** What sets sizes apart. */
  readonly variant?: SwinVariant;
}

/** What sets sizes of Swin apart. */
export interface SwinVariant {
  /** Features inside a network, as a factor of those outside; default 4. */
  readonly expansion?: number;
  /** Queries, keys and values have a bias; default true. */
  readonly attentionBias?: boolean;
}

const checkOptions = optionsOf<SwinOptions>("swin", {
  image: extentsType,
  patch: count(),
  width: count(),
  stages: listOf(
    optionsOf<{ layers: number; heads: number }>("stage", { layers: required(count()), heads: required(count()) }).type,
    "{ layers, heads }",
  ),
  window: count(),
  details: detailsType,
  variant: optionsOf<SwinVariant>("variant", { expansion: positive, attentionBias: flag }).type,
});

const published = [
  { layers: 2, heads: 3 },
  { layers: 2, heads: 6 },
  { layers: 6, heads: 12 },
  { layers: 2, heads: 24 },
];

const defaults = ({ details, variant, ...own }: SwinOptions) => ({
  image: [224, 224] as const,
  patch: 4,
  width: 96,
  stages: published as readonly { readonly layers: number; readonly heads: number }[],
  window: 7,
  activation: "gelu" as ActivationName,
  dropout: 0,
  attentionDropout: 0,
  epsilon: 1e-5,
  deviation: 0.02,
  expansion: 4,
  attentionBias: true,
  ...own,
  ...details,
  ...variant,
});
type Settings = ReturnType<typeof defaults>;

/** Elements of the tables below; those of the largest published models have 1.3 million. */
const mostPlaces = 2 ** 24;

function requirePlaces(windows: number, window: number): void {
  const places = windows * window ** 4;
  if (places > mostPlaces)
    throw new OptionError(
      `swin: ${windows} windows of ${window} x ${window} places have ${places} pairs of places, expected ${mostPlaces} at most; pass smaller windows (window_size), or smaller images`,
    );
}

/** For each pair of places of a window the row of its table of biases, by their distance: int64 [M²·M²]. */
function biasRows(window: number): number[] {
  const places = Array.from({ length: window * window }, (_, i) => [Math.floor(i / window), i % window] as const);
  return places.flatMap(([row, column]) =>
    places.map(([r, c]) => (row - r + window - 1) * (2 * window - 1) + (column - c + window - 1)),
  );
}

/** What windows have seen after the map was moved on by `shift`: places that were apart are not seen, [windows, M², M²]. */
function shiftMask(rows: number, columns: number, window: number, shift: number): Tensor {
  const region = (at: number, extent: number) => (at < extent - window ? 0 : at < extent - shift ? 1 : 2);
  const across = columns / window;
  const windows = (rows / window) * across;
  const area = window * window;
  const regionOf = (index: number, place: number) => {
    const row = Math.floor(index / across) * window + Math.floor(place / window);
    const column = (index % across) * window + (place % window);
    return 3 * region(row, rows) + region(column, columns);
  };
  const data = Float32Array.from({ length: windows * area * area }, (_, i) => {
    const index = Math.floor(i / (area * area));
    const [from, to] = [Math.floor(i / area) % area, i % area];
    return regionOf(index, from) === regionOf(index, to) ? 0 : -100;
  });
  return new Tensor("float32", [windows, 1, area, area], data);
}

/** Moves an axis on, what leaves at the front coming in behind. */
function roll(x: Value, axis: number, by: number): Value {
  const extent = x.shape[axis] ?? 1;
  const at = ((by % extent) + extent) % extent;
  if (at === 0) return x;
  return concat([slice(x, { axis, start: at, end: extent }), slice(x, { axis, start: 0, end: at })], axis);
}

type WindowInputs = { readonly x: Value; readonly mask?: Value | undefined };

/** Attention within windows, [N·windows, M², C], with learned biases by distance (eq. 4). */
class WindowAttention extends Module<WindowInputs> {
  override readonly kind = "attention";
  override readonly inputs = { x: "required", mask: "optional" } as const;
  readonly query: Dense;
  readonly key: Dense;
  readonly value: Dense;
  readonly #heads: number;
  readonly #settings: Settings;
  constructor(width: number, heads: number, settings: Settings) {
    super();
    const { attentionBias: bias, deviation } = settings;
    const projection = () => dense(width, { bias, initializer: initial(deviation) });
    this.query = projection();
    this.key = projection();
    this.value = projection();
    this.#heads = heads;
    this.#settings = settings;
  }
  protected call({ x, mask }: WindowInputs, context: Context): Value {
    const { window, deviation, attentionDropout } = this.#settings;
    const heads = this.#heads;
    const [batch = 1, area = 1] = x.shape;
    const table = context.parameter(this, "relative_position_bias_table", {
      shape: [(2 * window - 1) ** 2, heads],
      initializer: initial(deviation),
    });
    const rows = gather(table, constant(tensor(biasRows(window), { dtype: "int64" }))); // [M²·M², H]
    const own = reshape(transpose(rows), [1, heads, area, area]);
    const bias = mask ? masked(own, mask, batch) : own;
    const [q, k, v] = [this.query, this.key, this.value].map((layer) => splitHeads(layer.apply(x, context), heads));
    return joinHeads(attend(q as Value, k as Value, v as Value, { bias, dropout: attentionDropout }, context));
  }
}

/** A bias [1, H, M², M²] and a mask [windows, 1, M², M²] for every window of every image: [N·windows, H, M², M²]. */
function masked(bias: Value, mask: Value, batch: number): Value {
  const [windows = 1] = mask.shape;
  const [, heads = 1, area = 1] = bias.shape;
  const both = reshape(add(bias, mask), [1, windows, heads, area, area]);
  return reshape(expand(both, [batch / windows, windows, heads, area, area]), [batch, heads, area, area]);
}

/** Attention within windows and a network (fig. 3b): [N, H, W, C] → [N, H, W, C]. */
class Layer extends Module {
  readonly layernorm_before: LayerNorm;
  readonly attention: { readonly self: WindowAttention; readonly output: Chain };
  readonly layernorm_after: LayerNorm;
  readonly intermediate: Chain;
  readonly output: Chain;
  readonly #window: number;
  readonly #shift: number;
  constructor(width: number, heads: number, index: number, settings: Settings) {
    super();
    const { epsilon, deviation, expansion, activation: name, dropout: rate, window } = settings;
    const initializer = initial(deviation);
    const outputOf = () => chain({ dense: dense(width, { initializer }), dropout: dropout(rate) });
    this.layernorm_before = layerNorm({ epsilon });
    this.attention = { self: new WindowAttention(width, heads, settings), output: outputOf() };
    this.layernorm_after = layerNorm({ epsilon });
    this.intermediate = chain({
      dense: dense(Math.floor(expansion * width), { initializer }),
      activation: activation(name),
    });
    this.output = outputOf();
    this.#window = window;
    this.#shift = index % 2 === 0 ? 0 : Math.floor(window / 2);
  }
  protected call(x: Value, context: Context): Value {
    const attended = add(x, this.#attend(this.layernorm_before.apply(x, context), context));
    const parts = [this.layernorm_after, this.intermediate, this.output];
    const change = parts.reduce((value: Value, part) => part.apply(value, context), attended);
    return add(attended, change);
  }

  #attend(x: Value, context: Context): Value {
    const [batch = 1, rows = 1, columns = 1, width = 1] = x.shape;
    const window = this.#window;
    if (Math.min(rows, columns) < window)
      throw new ShapeError(`its map ${showShape(x.shape)} is smaller than a window of ${window}; pass larger images`);
    // One window for the whole map has nothing to shift.
    const shift = Math.min(rows, columns) <= window ? 0 : this.#shift;
    const [below, right] = [rows, columns].map((extent) => (window - (extent % window)) % window) as [number, number];
    const padded = below + right === 0 ? x : pad(x, [[0, 0], [0, below], [0, right], [0, 0]]); // biome-ignore format: an axis each
    const moved = roll(roll(padded, 1, shift), 2, shift);
    const [down, across] = [(rows + below) / window, (columns + right) / window];
    const apart = transpose(reshape(moved, [batch, down, window, across, window, width]), [0, 1, 3, 2, 4, 5]);
    const windows = reshape(apart, [batch * down * across, window * window, width]);
    requirePlaces(shift === 0 ? 1 : down * across, window);
    const mask = shift === 0 ? undefined : constant(shiftMask(rows + below, columns + right, window, shift));
    const { self, output } = this.attention;
    const found = output.apply(self.apply({ x: windows, mask }, context), context);
    const joined = transpose(reshape(found, [batch, down, across, window, window, width]), [0, 1, 3, 2, 4, 5]);
    const whole = reshape(joined, [batch, down * window, across * window, width]);
    const back = roll(roll(whole, 1, -shift), 2, -shift);
    return slice(slice(back, { axis: 1, start: 0, end: rows }), { axis: 2, start: 0, end: columns });
  }
}

/** Joins four neighbours to one of twice the features (sec. 3.1): [N, H, W, C] → [N, H/2, W/2, 2C]. */
class Merging extends Module {
  readonly reduction: Dense;
  readonly norm: LayerNorm;
  constructor(width: number, { deviation }: Settings) {
    super();
    this.reduction = dense(2 * width, { bias: false, initializer: initial(deviation) });
    this.norm = layerNorm();
  }
  protected call(x: Value, context: Context): Value {
    const [, rows = 1, columns = 1] = x.shape;
    const even = pad(x, [[0, 0], [0, rows % 2], [0, columns % 2], [0, 0]]); // biome-ignore format: an axis each
    const every = (row: number, column: number) =>
      slice(slice(even, { axis: 1, start: row, step: 2 }), { axis: 2, start: column, step: 2 });
    const joined = concat([every(0, 0), every(1, 0), every(0, 1), every(1, 1)], 3);
    return this.reduction.apply(this.norm.apply(joined, context), context);
  }
}

class Stage extends Module {
  readonly blocks: readonly Layer[];
  readonly downsample: Merging | undefined;
  constructor(index: number, settings: Settings) {
    super();
    const { stages } = settings;
    const { layers, heads } = stages[index] as { layers: number; heads: number };
    const width = settings.width * 2 ** index;
    if (width % heads !== 0)
      throw new OptionError(`swin: ${heads} heads do not divide the width ${width} of stage ${index}; pass a divisor`);
    this.blocks = Array.from({ length: layers }, (_, i) => new Layer(width, heads, i, settings));
    this.downsample = index < stages.length - 1 ? new Merging(width, settings) : undefined;
  }
  protected call(x: Value, context: Context): Value {
    const states = this.blocks.reduce((value, block) => block.apply(value, context), x);
    return this.downsample?.apply(states, context) ?? states;
  }
}

/** Patches of an image, normalized: [N, C, rows, columns] → [N, H, W, width]. */
class Embeddings extends Module {
  readonly patch_embeddings: { readonly projection: Module };
  readonly norm: LayerNorm;
  readonly dropout: Module;
  readonly #settings: Settings;
  constructor(settings: Settings) {
    super();
    const { width, patch, deviation } = settings;
    this.patch_embeddings = { projection: conv2d(width, patch, { stride: patch, initializer: initial(deviation) }) };
    this.norm = layerNorm();
    this.dropout = dropout(settings.dropout);
    this.#settings = settings;
  }
  protected call(x: Value, context: Context): Value {
    const { patch } = this.#settings;
    const missing = (extent: number | undefined) => (patch - ((extent ?? 0) % patch)) % patch;
    const whole = pad(x, [[0, 0], [0, 0], [0, missing(x.shape[2])], [0, missing(x.shape[3])]]); // biome-ignore format: an axis each
    const map = transpose(this.patch_embeddings.projection.apply(whole, context), [0, 2, 3, 1]);
    return this.dropout.apply(this.norm.apply(map, context), context);
  }
}

/** Swin (Liu et al. 2021): images [N, C, H, W] → states [N, patches, width], and their mean. Names as in Hugging Face's library. */
export class SwinModel extends Module<Value, EncoderOutputs> {
  readonly embeddings: Embeddings;
  readonly encoder: { readonly layers: readonly Stage[] };
  readonly layernorm: LayerNorm;
  constructor(options: SwinOptions = {}) {
    super();
    const settings = defaults(checkOptions(options));
    this.embeddings = new Embeddings(settings);
    this.encoder = { layers: settings.stages.map((_, i) => new Stage(i, settings)) };
    this.layernorm = layerNorm({ epsilon: settings.epsilon });
  }
  protected call(x: Value, context: Context): EncoderOutputs {
    const parts = [this.embeddings, ...this.encoder.layers, this.layernorm];
    const map = parts.reduce((value: Value, part) => part.apply(value, context), x);
    const [batch = 1, rows = 1, columns = 1, width = 1] = map.shape;
    const states = reshape(map, [batch, rows * columns, width]);
    return { states, pooled: reduceMean(states, 1) };
  }
}

/** Swin's models by the names of Hugging Face's classes. */
export const swinArchitectures = architectures({
  SwinModel: (options) => new SwinModel(options),
  SwinForImageClassification: (options, { labels = 2 } = {}) =>
    headed(
      { swin: new SwinModel(options) },
      { classifier: dense(labels, { initializer: initial(options.details?.deviation) }) },
      pooledOf,
    ),
} as const satisfies Architectures<SwinOptions>);
