/** Encoded rows as baselines take them: no value missing, numbers standardized, categories one-hot. */
import { Tensor } from "../../core/tensor.ts";
import type { FieldEncoding, NumberStatistics, RowEncoding } from "../../data/tables/row-encoding.ts";

/** Writes one number of an encoded row into a row of features from `at` on, which are 0. */
interface Feature {
  readonly width: number;
  write(value: number, features: Float32Array, at: number): void;
}

const numberFeature = ({ fill, mean, deviation, hasMissing }: NumberStatistics): Feature => ({
  width: hasMissing ? 2 : 1,
  write(value, features, at) {
    const isMissing = Number.isNaN(value);
    features[at] = ((isMissing ? fill : value) - mean) / deviation;
    if (hasMissing) features[at + 1] = isMissing ? 1 : 0;
  },
});

const categoryFeature = (values: number): Feature => ({
  width: values,
  write(value, features, at) {
    if (value >= 0) features[at + value] = 1;
  },
});

const plainFeature: Feature = {
  width: 1,
  write(value, features, at) {
    features[at] = value;
  },
};

function featuresOf(field: FieldEncoding): readonly Feature[] {
  if (field.kind === "number") return [numberFeature(field.statistics)];
  if (field.kind === "date") return field.parts.map(({ statistics }) => numberFeature(statistics));
  return field.kind === "category" ? [categoryFeature(field.values.length)] : field.words.map(() => plainFeature);
}

/** Encoded rows [rows, numbers] as features [rows, features], all finite. */
export function denseFeatures({ fields }: RowEncoding, x: Tensor): Tensor<"float32"> {
  const features = fields.flatMap(featuresOf);
  const rows = x.shape[0] ?? 0;
  const width = features.reduce((sum, feature) => sum + feature.width, 0);
  const data = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    let at = row * width;
    for (const [i, feature] of features.entries()) {
      feature.write(Number(x.data[row * features.length + i]), data, at);
      at += feature.width;
    }
  }
  return new Tensor("float32", [rows, width], data);
}
