/** How alike items are by the users that they share (Sarwar et al. 2001, "Item-based Collaborative Filtering"). */
import type { PartedRatings } from "./rating-parts.ts";

/** Users in common at which a likeness counts half. */
const half = 10;

/**
 * The cosine of items' values over all users, times n / (n + 10) for n users in common; and the values of each user. `measured` makes a value
 * of a rating of the training part.
 */
export function itemLikeness(
  { users, items, train: { x, y } }: PartedRatings,
  measured: (user: number, item: number, rating: number) => number,
) {
  const size = items.length;
  const byUser = users.map((): { readonly item: number; readonly value: number }[] => []);
  for (let row = 0; row < y.data.length; row++) {
    const [user, item] = [Number(x.data[2 * row]), Number(x.data[2 * row + 1])];
    byUser[user]?.push({ item, value: measured(user, item, Number(y.data[row])) });
  }
  const products = new Float32Array(size * size);
  const common = new Uint16Array(size * size);
  const squares = new Float64Array(size);
  for (const own of byUser)
    for (const a of own) {
      squares[a.item] = (squares[a.item] as number) + a.value * a.value;
      for (const b of own) {
        const at = a.item * size + b.item;
        products[at] = (products[at] as number) + a.value * b.value;
        common[at] = Math.min(65_535, (common[at] as number) + 1);
      }
    }
  return {
    likeness(a: number, b: number): number {
      const at = a * size + b;
      const length = Math.sqrt((squares[a] as number) * (squares[b] as number));
      const shared = common[at] as number;
      return a === b || length === 0 ? 0 : ((products[at] as number) / length) * (shared / (shared + half));
    },
    valuesOf: (user: number) => byUser[user] ?? [],
  };
}
