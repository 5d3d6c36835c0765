/** Classes of scale, by the number of parameters. */

/** Upper bounds; each class is some ten times the one before. docs/inspect.md names examples. */
const classes = [
  ["tiny", 1e5],
  ["small", 1e7],
  ["medium", 1e8],
  ["large", 1e9],
  ["very large", 1e11],
] as const;

export const scaleOf = (parameters: number): string =>
  classes.find(([, bound]) => parameters < bound)?.[0] ?? "extreme";
