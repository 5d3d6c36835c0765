/** The features that a class activation map is made of: maps of a convolutional network, or tokens of image patches, found in the graph. */
import { isFloat } from "../../core/dtype.ts";
import { ShapeError } from "../../core/errors.ts";
import type { Shape } from "../../core/shape.ts";
import { nodesOf, type Value } from "../../graph/ir.ts";
import {
  Add,
  LayerNormalization,
  Reshape,
  RMSNormalization,
  reshape,
  SimplifiedLayerNormalization,
  slice,
  Transpose,
  transpose,
} from "../../ops/index.ts";
import { dependentsOf, layerPath, layerValue, layerValues } from "../layers.ts";

/** Rows and columns of patches, and the tokens that stand before them. */
export interface TokenGrid {
  readonly rows: number;
  readonly columns: number;
  /** Tokens that are of no patch, such as the class token, at the front. */
  readonly others: number;
}

/** Features [N, C, H, W], or tokens [N, T, W] with the grid in which they lie. */
export interface Features {
  readonly value: Value;
  readonly grid?: TokenGrid | undefined;
}

const isMap = ({ rank, shape, dtype }: Value): boolean =>
  rank === 4 && isFloat(dtype) && (shape[2] ?? 1) * (shape[3] ?? 1) > 1;

/**
 * All features that lie as the image does, of more than one place: values [N, C, H, W] behind x on the way to the scores. Where axes were
 * exchanged or elements laid out anew, as heads of attention are, rows and columns are no places any more.
 */
function spatialFeatures(x: Value, scores: Value): readonly Value[] {
  const spatial = new Set<Value>([x]);
  const found: Value[] = [];
  for (const node of nodesOf([scores])) {
    if (node.op === Reshape || node.op === Transpose) continue;
    if (!node.inputs.some((value) => value && spatial.has(value))) continue;
    for (const output of node.outputs) {
      if (output.rank !== 4 || !isFloat(output.dtype)) continue;
      spatial.add(output);
      if (isMap(output)) found.push(output);
    }
  }
  return found;
}

/** Most tokens that stand before those of patches: a class token, one for distillation, and registers. */
const mostOthers = 16;

/** The grid in which tokens [N, T, W] lie, of patches that a map [N, W, rows, columns] embeds; `undefined` where they are no such tokens. */
function gridOf(map: Value, tokens: Value): TokenGrid | undefined {
  const [, width, rows = 1, columns = 1] = map.shape;
  const [samples, length = 0, own] = tokens.shape;
  const others = length - rows * columns;
  const fits = tokens.rank === 3 && samples === map.shape[0] && own === width && others >= 0 && others <= mostOthers;
  return fits && isFloat(tokens.dtype) ? { rows, columns, others } : undefined;
}

const norms: ReadonlySet<unknown> = new Set([LayerNormalization, RMSNormalization, SimplifiedLayerNormalization]);

/**
 * Tokens of patches on the way to the scores, where blocks take them up: behind normalizations and sums of branches. The last comes last;
 * empty where the network has none.
 */
export function tokenFeatures(x: Value, scores: Value): readonly Features[] {
  const map = spatialFeatures(x, scores).at(-1);
  if (!map) return [];
  const behind = dependentsOf(map, scores);
  return nodesOf([scores]).flatMap(({ op, inputs, outputs: [value] }) => {
    const grid = behind.has(value) ? gridOf(map, value) : undefined;
    const isSum = op === Add && inputs.every((own) => own && behind.has(own));
    return grid && (isSum || norms.has(op)) ? [{ value, grid }] : [];
  });
}

/** The last features [N, C, H, W]. */
export const lastSpatial = (x: Value, scores: Value): Features | undefined => {
  const value = spatialFeatures(x, scores).at(-1);
  return value && { value };
};

/** The features of a layer by its path. Throws OptionError for one that there is not, or that gives no places. */
export function featuresOfLayer(where: string, x: Value, scores: Value, path: string): Features {
  const maps = spatialFeatures(x, scores);
  const embedding = maps.at(-1);
  const known = new Set(maps);
  const values = layerValues(x, scores, (own) => known.has(own) || (embedding && gridOf(embedding, own)) !== undefined);
  const value = layerValue(where, values, path);
  if (known.has(value)) return { value };
  return { value, grid: embedding && gridOf(embedding, value) };
}

/** A tensor like the features as maps [N, C, H, W]: tokens of patches laid out in their grid, the others left out. */
export function asMap(value: Value, { grid }: Features): Value {
  if (!grid) return value;
  const { rows, columns, others } = grid;
  const [samples = 1, length = 0, width = 1] = value.shape;
  const patches = slice(value, { axis: 1, start: others, end: length }); // [N, rows · columns, W]
  return reshape(transpose(patches, [0, 2, 1]), [samples, width, rows, columns]);
}

/** The features that a map was made of. */
export interface CamLayer {
  /** The layer that computes them, `layers.3`, by its path in the module or its name in the file. */
  readonly path: string;
  /** The operator that does: `Relu`. */
  readonly type: string;
  /** [1, channels, height, width], or of tokens [1, tokens, width]. */
  readonly shape: Shape;
}

/** How results name features. */
export function describeFeatures({ value }: Features): CamLayer {
  const node = value.producer;
  return { path: (node && layerPath(node)) || "model", type: node?.op.type ?? "", shape: value.shape };
}

/** The error for a network without places. */
export const noFeatures = (where: string): ShapeError =>
  new ShapeError(
    `${where}: no features [N, channels, height, width] lie between the image and the scores; use integratedGradients or occlusion`,
  );
