/** Lists of any length: a call takes only so many arguments, so that `push(...list)` and `Math.max(...list)` end in an error of the stack. */

/** Puts items behind those of a list. */
export function append<T>(list: T[], items: Iterable<T>): void {
  for (const item of items) list.push(item);
}

/** The greatest of the numbers and `from`; NaN where one is NaN, as Math.max has it. */
export function greatest(values: Iterable<number>, from = Number.NEGATIVE_INFINITY): number {
  let most = from;
  for (const value of values) most = Math.max(most, value);
  return most;
}

/** The least of the numbers and `from`; NaN where one is NaN. */
export function least(values: Iterable<number>, from = Number.POSITIVE_INFINITY): number {
  let lowest = from;
  for (const value of values) lowest = Math.min(lowest, value);
  return lowest;
}

/** The middle one of the numbers, the upper one of two; NaN of none. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Puts an item behind those that a map has under a key. */
export function appendTo<K, T>(lists: Map<K, T[]>, key: K, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

/** So many items at most, the first, the last and evenly spaced ones between, with their places. */
export function spaced<T>(items: readonly T[], most: number): (readonly [place: number, item: T])[] {
  if (items.length <= most) return items.map((item, place) => [place, item]);
  const places = Array.from({ length: most }, (_, i) => Math.round((i * (items.length - 1)) / (most - 1)));
  return places.map((place) => [place, items[place] as T]);
}
