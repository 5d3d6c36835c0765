/** Endings of files' names. */

/** How a name ends that is encrypted by itself. */
export const encryptedEnding = ".age";

/** A name without the ending of encryption: \`table.csv\` of \`table.csv.age\`. */
export const plainName = (name: string): string =>
  name.toLowerCase().endsWith(encryptedEnding) ? name.slice(0, -encryptedEnding.length) : name;

/** The ending of a file's name in small letters with its dot, which says what the file holds: \`.csv\` of \`Table.CSV\` and of \`table.csv.age\`; "" where there is none. */
export function endingOf(name: string): string {
  const last = plainName(name).split(/[\\/]/).at(-1) ?? "";
  const dot = last.lastIndexOf(".");
  return dot > 0 ? last.slice(dot).toLowerCase() : "";
}
