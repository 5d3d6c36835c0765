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

function squaredDistances(rows: Rows, points: Rows): Float64Array {
  const { width } = rows;
  const distances = new Float64Array(rows.count * points.count);
  for (let i = 0; i < rows.count; i++)
    for (let p = 0; p < points.count; p++) {
      let sum = 0;
      for (let j = 0; j < width; j++) {
        const difference = (rows.values[i * width + j] as number) - (points.values[p * width + j] as number);
        sum += difference * difference;
      }
      distances[i * points.count + p] = sum;
    }
  return distances;
}
