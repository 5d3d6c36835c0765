/** Many files read once, a few at a time; what is broken among them is left out and named. */
import { plural } from "../../core/number-text.ts";

/** Files that are read at once. */
const atOnce = 4;
/** Broken files that are named. */
const mostNamed = 3;

/** What was read of each file, `undefined` in the place of a broken one, and what is wrong with those. */
export async function readEach<T>(
  paths: readonly string[],
  read: (path: string) => Promise<T>,
): Promise<{ readonly results: readonly (T | undefined)[]; readonly problems: readonly string[] }> {
  const results = new Array<T | undefined>(paths.length).fill(undefined);
  const problems: string[] = [];
  let next = 0;
  const work = async () => {
    for (let own = next++; own < paths.length; own = next++)
      try {
        results[own] = await read(paths[own] as string);
      } catch (error) {
        problems.push((error as Error).message);
      }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { results, problems: problems.sort() };
}

/** That files were left out, with the reasons of some. */
export const brokenNotes = (problems: readonly string[], what: string): readonly string[] =>
  problems.length === 0
    ? []
    : [
        `left out: ${plural(problems.length, what)} that cannot be read, such as ${problems.slice(0, mostNamed).join("; ")}`,
      ];

/** So many of the paths, evenly from all. */
export function someOf(paths: readonly string[], most: number): readonly string[] {
  const step = Math.max(1, paths.length / most);
  return Array.from({ length: Math.min(most, paths.length) }, (_, i) => paths[Math.floor(i * step)] as string);
}
