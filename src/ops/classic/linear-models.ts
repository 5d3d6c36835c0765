/** Linear models and what prepares their data, as scikit-learn's are written in ONNX (ai.onnx.ml), read as plain operators. */
import { UnsupportedError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import type { OpDef } from "../../graph/op.ts";
import { sigmoid } from "../activations.ts";
import { cast } from "../cast.ts";
import { constant } from "../constant.ts";
import { div, identity, mul, sub, where } from "../elementwise.ts";
import { abs } from "../functions.ts";
import { gather } from "../indexing.ts";
import { equal, greater, isNan } from "../logic.ts";
import { linear } from "../matmul.ts";
import { concat, reshape } from "../movement.ts";
import { softmax } from "../normalization/normalization.ts";
import { defineComposition } from "../reading.ts";
import { argMax, reduceL1, reduceL2, reduceMax } from "../reduce.ts";

const domain = "ai.onnx.ml";

/** Floats of whatever numbers these operators take. */
const floats = (x: Value): Value => cast(x, "float32");

/** Scores as a file asks for them. */
function transformed(op: string, scores: Value, transform = "NONE"): Value {
  if (transform === "NONE") return scores;
  if (transform === "LOGISTIC") return sigmoid(scores);
  if (transform === "SOFTMAX") return softmax(scores);
  // Scores of 0 stay 0.
  if (transform === "SOFTMAX_ZERO") return mul(softmax(scores), cast(greater(abs(scores), 0), scores.dtype));
  throw new UnsupportedError(
    `${op}: its post_transform is "${transform}"; NONE, LOGISTIC, SOFTMAX and SOFTMAX_ZERO are known`,
  );
}

/** x [N, features] times coefficients [targets, features], and the intercepts [targets]. */
export const LinearRegressor: OpDef = defineComposition("LinearRegressor", {
  domain,
  arity: "2-3",
  kind: "dense",
  attributes: { targets: "int", post_transform: "string" },
  build: ({ inputs: [x, coefficients, intercepts], attributes: { post_transform } }) => [
    transformed("LinearRegressor", linear(floats(x), coefficients, intercepts), post_transform),
  ],
});

/**
 * The class of each row of x [N, features], and the scores of all [N, classes], by coefficients [classes, features] and intercepts. A
 * class that the file names by a text is given by its number.
 */
export const LinearClassifier: OpDef = defineComposition("LinearClassifier", {
  domain,
  arity: "2-3",
  kind: "dense",
  attributes: {
    classlabels_ints: "ints",
    classlabels_strings: "strings",
    multi_class: "int",
    post_transform: "string",
  },
  requiredOutputs: 2,
  build: ({ inputs: [x, coefficients, intercepts], attributes }) => {
    const { classlabels_ints, classlabels_strings = [], post_transform = "NONE" } = attributes;
    const labels = classlabels_ints ?? classlabels_strings.map((_, i) => i);
    const raw = linear(floats(x), coefficients, intercepts);
    // One score of two classes: that of the second.
    const isOne = raw.shape[1] === 1 && labels.length === 2;
    const scores = isOne ? secondScore(raw, post_transform) : transformed("LinearClassifier", raw, post_transform);
    const place = isOne ? cast(reshape(greater(raw, 0), [raw.shape[0] ?? 1]), "int64") : argMax(raw, 1);
    return [gather(constant(tensor([...labels], { dtype: "int64" })), place), scores];
  },
});

function secondScore(raw: Value, transform: string): Value {
  if (transform === "LOGISTIC") return concat([sigmoid(mul(raw, -1)), sigmoid(raw)], 1);
  return transformed("LinearClassifier", concat([mul(raw, -1), raw], 1), transform);
}

/** (x - offset) · scale, each of one number or of one for each feature. */
export const Scaler: OpDef = defineComposition("Scaler", {
  domain,
  arity: "1-3",
  kind: "normalization",
  settings: [1, 2],
  build: ({ inputs: [x, offset, scale] }) => {
    const centred = offset ? sub(floats(x), offset) : floats(x);
    return [scale ? mul(centred, scale) : centred];
  },
});

/** Rows divided by their largest element, the sum of their sizes, or their length; rows of zeros stay. */
export const Normalizer: OpDef = defineComposition("Normalizer", {
  domain,
  arity: "1",
  kind: "normalization",
  attributes: { norm: "string" },
  build: ({ inputs: [given], attributes: { norm = "MAX" } }) => {
    const x = floats(given);
    const norms: Readonly<Record<string, typeof reduceMax>> = { MAX: reduceMax, L1: reduceL1, L2: reduceL2 };
    const of = norms[norm];
    if (!of) throw new UnsupportedError(`Normalizer: its norm is "${norm}"; MAX, L1 and L2 are known`);
    const length = of(x, -1, { keepDims: true });
    return [div(x, where(equal(length, 0), 1, length))];
  },
});

/** Scores by the names of their classes: the scores themselves, since there are no tables of texts here. */
export const ZipMap: OpDef = defineComposition("ZipMap", {
  domain,
  arity: "1",
  kind: "reshape",
  attributes: { classlabels_int64s: "ints", classlabels_strings: "strings" },
  build: ({ inputs: [x] }) => [identity(x)],
});

/** Features at positions of the last axis. */
export const ArrayFeatureExtractor: OpDef = defineComposition("ArrayFeatureExtractor", {
  domain,
  arity: "2",
  kind: "reshape",
  build: ({ inputs: [x, positions] }) => {
    const places = reshape(cast(positions, "int64"), [
      positions.shape.reduce((product, extent) => product * extent, 1),
    ]);
    const rows = x.rank === 1 ? reshape(x, [1, x.shape[0] ?? 1]) : x;
    return [gather(rows, places, -1)];
  },
});

/** 1 where an element is above a threshold, else 0. */
export const Binarizer: OpDef = defineComposition("Binarizer", {
  domain,
  arity: "1",
  kind: "activation",
  attributes: { threshold: "float" },
  build: ({ inputs: [x], attributes: { threshold = 0 } }) => [cast(greater(x, threshold), x.dtype)],
});

/** x with other numbers, one or one for each feature, in the place of a number that stands for none. */
export const Imputer: OpDef = defineComposition("Imputer", {
  domain,
  arity: "1",
  kind: "activation",
  attributes: {
    imputed_value_floats: "floats",
    imputed_value_int64s: "ints",
    replaced_value_float: "float",
    replaced_value_int64: "int",
  },
  build: ({ inputs: [x], attributes }) => {
    const {
      imputed_value_floats,
      imputed_value_int64s = [],
      replaced_value_float = 0,
      replaced_value_int64 = 0,
    } = attributes;
    const values = imputed_value_floats ?? imputed_value_int64s;
    const replaced = imputed_value_floats ? replaced_value_float : replaced_value_int64;
    const missing = Number.isNaN(replaced) ? isNan(x) : equal(x, replaced);
    return [where(missing, constant(tensor([...values], { dtype: x.dtype as "float32" })), x)];
  },
});

/** Matrices side by side, as floats. */
export const FeatureVectorizer: OpDef = defineComposition("FeatureVectorizer", {
  domain,
  arity: "1-",
  kind: "reshape",
  attributes: { inputdimensions: "ints" },
  build: ({ inputs }) => [
    concat(
      inputs.flatMap((x) => (x ? [floats(x)] : [])),
      1,
    ),
  ],
});
