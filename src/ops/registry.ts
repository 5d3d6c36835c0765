/** Every operator, collected from the families; nothing is listed by hand. */
import type { Value } from "../graph/ir.ts";
import { OpDef, type OpKind } from "../graph/op.ts";
import * as activations from "./activations.ts";
import * as algebra from "./algebra/determinant.ts";
import * as attention from "./attention/attention.ts";
import * as contribAttention from "./attention/contrib-attention.ts";
import * as groupedAttention from "./attention/grouped-attention.ts";
import * as rotary from "./attention/rotary.ts";
import * as casts from "./cast.ts";
import * as linearModels from "./classic/linear-models.ts";
import * as trees from "./classic/trees.ts";
import * as constants from "./constant.ts";
import * as control from "./control/if.ts";
import * as einsum from "./einsum.ts";
import * as elementwise from "./elementwise.ts";
import * as functions from "./functions.ts";
import * as fusions from "./fusions.ts";
import * as indexing from "./indexing.ts";
import * as logic from "./logic.ts";
import * as matmul from "./matmul.ts";
import * as movement from "./movement.ts";
import * as channelNormalization from "./normalization/channel-normalization.ts";
import * as normalization from "./normalization/normalization.ts";
import * as quantizedLinear from "./quantized/linear.ts";
import * as quantizedProducts from "./quantized/products.ts";
import * as quantization from "./quantized/quantization.ts";
import * as random from "./random.ts";
import * as rearrange from "./rearrange.ts";
import * as recurrent from "./recurrent/recurrent.ts";
import * as reduce from "./reduce.ts";
import * as compression from "./selection/compress.ts";
import * as scattering from "./selection/scatter.ts";
import * as uniqueness from "./selection/unique.ts";
import * as fourier from "./signal/fourier.ts";
import * as windows from "./signal/windows.ts";
import * as slicing from "./slicing.ts";
import * as known from "./static-values.ts";
import * as tfIdf from "./text/tf-idf.ts";
import * as labelScores from "./training/label-scores.ts";
import * as losses from "./training/losses.ts";
import * as ranks from "./training/ranks.ts";
import * as updates from "./training/updates.ts";
import * as gridSampling from "./vision/grid-sample.ts";
import * as interpolation from "./vision/interpolation.ts";
import * as normPooling from "./vision/lp-pool.ts";
import * as regions from "./vision/roi-align.ts";
import * as suppression from "./vision/suppression.ts";
import * as convolution from "./windows/convolution.ts";
import * as nchwc from "./windows/nchwc.ts";
import * as pooling from "./windows/pooling.ts";

const opsOf = (family: object): OpDef[] => Object.values(family).filter((item): item is OpDef => item instanceof OpDef);

const ofOperands = ({ minInputs }: OpDef): OpKind => (minInputs > 1 ? "arithmetic" : "activation");

/** The families, and the kind of their operators where those say no other. */
const families: readonly (readonly [object, (op: OpDef) => OpKind])[] = [
  [constants, () => "constant"],
  [elementwise, ofOperands],
  [casts, ofOperands],
  [functions, ofOperands],
  [activations, ofOperands],
  [logic, ofOperands],
  [matmul, () => "dense"],
  [reduce, () => "pooling"],
  [movement, () => "reshape"],
  [slicing, () => "reshape"],
  [convolution, () => "convolution"],
  [pooling, () => "pooling"],
  [indexing, () => "embedding"],
  [scattering, () => "embedding"],
  [suppression, () => "other"],
  [normalization, () => "normalization"],
  [rearrange, () => "reshape"],
  [interpolation, () => "reshape"],
  [channelNormalization, () => "normalization"],
  [quantization, () => "other"],
  [quantizedLinear, () => "other"],
  [quantizedProducts, () => "dense"],
  [einsum, () => "dense"],
  [fusions, () => "other"],
  [nchwc, () => "other"],
  [linearModels, () => "other"],
  [trees, () => "other"],
  [attention, () => "attention"],
  [contribAttention, () => "attention"],
  [groupedAttention, () => "attention"],
  [rotary, () => "attention"],
  [recurrent, () => "recurrent"],
  [known, () => "other"],
  [random, () => "other"],
  [ranks, () => "other"],
  [labelScores, () => "dense"],
  [losses, () => "other"],
  [updates, () => "other"],
  [gridSampling, () => "reshape"],
  [normPooling, () => "pooling"],
  [regions, () => "pooling"],
  [fourier, () => "other"],
  [windows, () => "constant"],
  [algebra, () => "other"],
  [control, () => "other"],
  [compression, () => "reshape"],
  [uniqueness, () => "other"],
  [tfIdf, () => "embedding"],
];

/** All operators, family by family. */
export const allOps: readonly OpDef[] = families.flatMap(([family]) => opsOf(family));

const kinds = new Map(families.flatMap(([family, kind]) => opsOf(family).map((op) => [op, op.kind ?? kind(op)])));

/** What an operator computes, as reports group layers. */
export const kindOf = (op: OpDef): OpKind => kinds.get(op) ?? op.kind ?? "other";

const views: ReadonlySet<OpDef> = new Set([
  movement.Reshape,
  movement.Flatten,
  movement.Squeeze,
  movement.Unsqueeze,
  elementwise.Identity,
  elementwise.StopGradient,
  random.Dropout,
]);

/** Whether an operator's output is its first operand under another shape, the same bytes. */
export const isView = (op: OpDef): boolean => views.has(op);

/** The value whose memory a value shares: under another shape it is the same bytes. */
export function storageOf(value: Value): Value {
  let source = value;
  while (source.producer && isView(source.producer.op) && source.producer.inputs[0]) source = source.producer.inputs[0];
  return source;
}

const byName = new Map(allOps.map((op) => [`${op.domain}:${op.type}`, op]));

/** The operator of ONNX's name and domain ("" for its own), `undefined` for one that is not defined here. */
export const findOp = (type: string, domain = ""): OpDef | undefined =>
  byName.get(`${domain === "ai.onnx" ? "" : domain}:${type}`);

/** Operators whose output elements depend on the operands' elements at the same place alone, under broadcasting. */
export const elementwiseOps: ReadonlySet<OpDef> = new Set(
  [elementwise, casts, functions, activations, logic].flatMap(opsOf),
);
