/** Scripts that put no spaces between words. */

/** The characters of these scripts, as the inside of a class of a regular expression with the flag u. */
export const unspacedScripts = ["Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar"]
  .map((script) => String.raw`\p{sc=${script}}`)
  .join("");
