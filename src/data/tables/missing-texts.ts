/** Texts that stand for a missing value. */

/** Those that are taken for missing unless an option names others. */
export const missingTexts: readonly string[] = [
  "",
  "NA",
  "N/A",
  "NaN",
  "nan",
  "null",
  "NULL",
  "None",
  "?",
  "-",
  "#N/A",
];

/** Makes "" of cells that stand for a missing value. */
export function missingFilter(texts: readonly string[] = missingTexts): (cell: string) => string {
  const known = new Set(texts.map((text) => text.trim()));
  let longest = 0;
  for (const text of known) longest = Math.max(longest, text.length);
  return (cell) => (cell.length <= longest && known.has(cell) ? "" : cell);
}
