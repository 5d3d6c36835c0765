/** Two spirals, and how many of the held-out points their nearest neighbour puts right: the baseline. */
import { keyOf, Random } from "sardonyx/web";

/** Points [n, 2] and the spiral of each, [n]. */
export interface Points {
  readonly x: Float32Array;
  readonly y: Int32Array;
}

/** Half the width of the plane that is drawn. */
export const reach = 4;

/** Points of two spirals of a turn and a quarter, with some noise; the seed says which. */
export function spirals(count: number, seed: number): Points {
  const random = new Random(keyOf(seed));
  const x = new Float32Array(2 * count);
  const y = Int32Array.from({ length: count }, (_, i) => i % 2);
  for (let i = 0; i < count; i++) {
    const turn = random.uniform(0.5, 3);
    const angle = (turn + (i % 2)) * Math.PI;
    x[2 * i] = turn * Math.cos(angle) + 0.15 * random.normal();
    x[2 * i + 1] = turn * Math.sin(angle) + 0.15 * random.normal();
  }
  return { x, y };
}

/** The share of held-out points whose nearest training point is of their spiral. */
export function nearestNeighbour(train: Points, test: Points): number {
  let right = 0;
  for (let i = 0; i < test.y.length; i++) {
    let [nearest, own] = [Number.POSITIVE_INFINITY, -1];
    for (let j = 0; j < train.y.length; j++) {
      const across = (test.x[2 * i] ?? 0) - (train.x[2 * j] ?? 0);
      const up = (test.x[2 * i + 1] ?? 0) - (train.x[2 * j + 1] ?? 0);
      const distance = across ** 2 + up ** 2;
      if (distance < nearest) [nearest, own] = [distance, train.y[j] ?? -1];
    }
    if (own === test.y[i]) right++;
  }
  return right / test.y.length;
}
