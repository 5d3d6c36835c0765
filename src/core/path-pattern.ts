/** Patterns of paths, by which parameters and layers are meant. */

/** Whether a path matches: a string matches itself, everything below it, and `*` any run of characters. */
export function matchesPath(path: string, pattern: string | RegExp | undefined): boolean {
  if (pattern === undefined) return true;
  // Not `test`, which goes on from its last match when the expression is global.
  if (pattern instanceof RegExp) return path.search(pattern) >= 0;
  const source = pattern
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  return new RegExp(`^${source}(\\..*)?$`).test(path);
}
