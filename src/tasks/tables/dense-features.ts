/** Encoded rows as baselines take them: no value missing, numbers standardized, categories one-hot. */
import { Tensor } from "../../core/tensor.ts";
import { meansOfParts } from "../../data/tables/rows/image-column.ts";
import {
  encodedWidth,
  type FieldEncoding,
  type NumberStatistics,
  type RowEncoding,
} from "../../data/tables/rows/row-encoding.ts";

/** Writes numbers of an encoded row into a row of features from `at` on, which are 0. */
interface Feature {
  /** Numbers that it reads. */
  readonly reads: number;
  /** Features that it writes. */
  readonly width: number;
  write(values: Float32Array, features: Float32Array, at: number): void;
}

const numberFeature = ({ fill, mean, deviation, hasMissing }: NumberStatistics): Feature => ({
  reads: 1,
  width: hasMissing ? 2 : 1,
  write([value = Number.NaN], features, at) {
    const isMissing = Number.isNaN(value);
    features[at] = ((isMissing ? fill : value) - mean) / deviation;
    if (hasMissing) features[at + 1] = isMissing ? 1 : 0;
  },
});

const categoryFeature = (values: number): Feature => ({
  reads: 1,
  width: values,
  write([value = -1], features, at) {
    if (value >= 0) features[at + value] = 1;
  },
});

const plainFeature: Feature = {
  reads: 1,
  width: 1,
  write([value = 0], features, at) {
    features[at] = value;
  },
};

/** Of an image the means of its parts, standardized, 0 where it is missing, and whether it is. */
const imageFeature = (field: Extract<FieldEncoding, { readonly kind: "image" }>): Feature => ({
  reads: encodedWidth({ fields: [field] }),
  width: field.parts.length + (field.hasMissing ? 1 : 0),
  write(values, features, at) {
    const isMissing = Number.isNaN(values[0]);
    if (isMissing && field.hasMissing) features[at + field.parts.length] = 1;
    if (isMissing) return;
    const means = meansOfParts(values, field);
    for (const [part, { mean, deviation }] of field.parts.entries())
      features[at + part] = ((means[part] as number) - mean) / deviation;
  },
});

function featuresOf(field: FieldEncoding): readonly Feature[] {
  if (field.kind === "number") return [numberFeature(field.statistics)];
  if (field.kind === "date") return field.parts.map(({ statistics }) => numberFeature(statistics));
  if (field.kind === "image") return [imageFeature(field)];
  return field.kind === "category" ? [categoryFeature(field.values.length)] : field.words.map(() => plainFeature);
}

/** Encoded rows [rows, numbers] as features [rows, features], all finite. */
export function denseFeatures({ fields }: RowEncoding, x: Tensor): Tensor<"float32"> {
  const features = fields.flatMap(featuresOf);
  const rows = x.shape[0] ?? 0;
  const width = features.reduce((sum, feature) => sum + feature.width, 0);
  const reads = features.reduce((sum, feature) => sum + feature.reads, 0);
  const numbers = x.data as Float32Array;
  const data = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    let [from, at] = [row * reads, row * width];
    for (const feature of features) {
      feature.write(numbers.subarray(from, from + feature.reads), data, at);
      from += feature.reads;
      at += feature.width;
    }
  }
  return new Tensor("float32", [rows, width], data);
}
