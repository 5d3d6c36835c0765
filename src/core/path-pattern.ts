/** Patterns of paths, by which parameters and layers are meant. */

/** Patterns of paths: those that one of them matches. */
export type PathPatterns = string | RegExp | readonly (string | RegExp)[];

/** Whether a path matches: a string matches itself, everything below it, and `*` any run of characters. */
export function matchesPath(path: string, pattern: string | RegExp | undefined): boolean {
  if (pattern === undefined) return true;
  // Not `test`, which goes on from its last match when the expression is global.
  if (pattern instanceof RegExp) return path.search(pattern) >= 0;
  const [first = "", ...others] = pattern.split("*");
  const last = others.pop();
  const isEnd = (place: number) => place === path.length || path[place] === ".";
  if (!path.startsWith(first)) return false;
  if (last === undefined) return isEnd(first.length);
  // The first place that each part has leaves most room for those behind it: there is nothing to go back for.
  let place = first.length;
  for (const part of others) {
    const found = path.indexOf(part, place);
    if (found < 0) return false;
    place = found + part.length;
  }
  for (let found = path.indexOf(last, place); found >= 0; found = path.indexOf(last, found + 1)) {
    if (last === "" || isEnd(found + last.length)) return true;
  }
  return false;
}
