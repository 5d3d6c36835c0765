/** The regular expressions of a tokenizer's file, in place of which its pipeline gets patterns that no text makes hang. */
import { DataError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { Pattern } from "../../core/pattern/pattern.ts";

/**
 * A pattern that stands where methods of strings take a global RegExp. Unlike there, a replacement stands for itself, as in Hugging
 * Face's library.
 */
class TextPattern {
  readonly flags = "gu";
  readonly #pattern: Pattern;

  constructor(source: string) {
    this.#pattern = new Pattern(source, "u");
  }

  [Symbol.match](text: string): string[] | null {
    const found = Array.from(this.#pattern.all(text), (own) => own.text);
    return found.length > 0 ? found : null;
  }

  *[Symbol.matchAll](text: string): Generator<{ readonly 0: string; readonly index: number }> {
    for (const { text: own, index } of this.#pattern.all(text)) yield { 0: own, index };
  }

  [Symbol.replace](text: string, replacement: string): string {
    const parts: string[] = [];
    let [behind, size] = [0, text.length];
    for (const { text: own, index } of this.#pattern.all(text)) {
      size += replacement.length - own.length;
      if (size > Math.max(text.length, limits.tokenizerText))
        throw new DataError(
          `the tokenizer's replacements make more than ${limits.tokenizerText} characters of a text, the limit tokenizerText; pass the text in parts, and distrust a file that makes as many of a short one`,
        );
      parts.push(text.slice(behind, index), replacement);
      behind = index + own.length;
    }
    return parts.length === 0 ? text : [...parts, text.slice(behind)].join("");
  }

  [Symbol.split](text: string): string[] {
    const parts: string[] = [];
    let behind = 0;
    for (const { text: own, index } of this.#pattern.all(text)) {
      // An empty match parts characters, and nothing at the text's ends.
      if (own === "" && (index === behind || index === text.length)) continue;
      parts.push(text.slice(behind, index));
      behind = index + own.length;
    }
    return [...parts, text.slice(behind)];
  }
}

const isPart = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";

/**
 * Puts patterns in place of the expressions that the parts of a pipeline have of their file; others, which are the library's own, stay.
 * Throws what `Pattern` throws.
 */
export function boundPatterns(parts: readonly unknown[]): void {
  const pending = [...parts];
  const seen = new Set<unknown>();
  while (pending.length > 0) {
    const part = pending.pop();
    if (!isPart(part) || seen.has(part)) continue;
    seen.add(part);
    if (seen.size > limits.tokenizerParts)
      throw new DataError(`it has more than ${limits.tokenizerParts} parts, the limit tokenizerParts`);
    const { pattern, config } = part as {
      readonly pattern?: unknown;
      readonly config?: { readonly pattern?: unknown };
    };
    if (pattern instanceof RegExp && config?.pattern !== undefined)
      Reflect.set(part, "pattern", new TextPattern(pattern.source));
    for (const [name, inner] of Object.entries(part)) if (name !== "config") pending.push(inner);
  }
}
