/** Texts without the personal data that is found in them. */

import { type CountryCode, isSupportedCountry } from "libphonenumber-js/min";
import { OptionError } from "../../core/errors.ts";
import { eitherOf, having, listOf, matching, oneOf, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import { digestBy } from "./digest.ts";
import { type PersonalKind, type PersonalSpan, personalKinds } from "./kinds.ts";
import type { NameTagger } from "./names/name-tagger.ts";
import { withoutOverlaps } from "./overlaps.ts";
import { recognizersOf } from "./recognizers/index.ts";
import { type Replacement, replacementNames, replacements } from "./replacements.ts";
import { searchable } from "./searchable.ts";

/** Options of `redactText` and `redactor`. */
export interface RedactOptions {
  /** What finds names of persons, such as `await loadNameTagger()`; false leaves names where they are. */
  readonly names: NameTagger | false;
  /** Kinds that are looked for; default all. */
  readonly kinds?: readonly PersonalKind[] | undefined;
  /** Countries whose national telephone numbers are known, by two letters, the likeliest first; default US, GB, CN, DE. International numbers are known of all. */
  readonly regions?: readonly string[] | undefined;
  /**
   * What stands in the place of what was found. `placeholder`: its kind, `[PERSON]`. `pseudonym`: its kind and a keyed digest, `PERSON_7f3a90c2`, the same for the same
   * value. `fake`: a false value of the same form that belongs to nobody, the same for the same value. Default placeholder.
   */
  readonly replace?: Replacement | undefined;
  /** Key of pseudonyms and false values, of 16 bytes at least: the same in all files that are to agree. Default one of chance that is not kept. */
  readonly key?: Uint8Array | undefined;
  /** Texts that are never changed, such as the name of your company; upper and lower case are alike. */
  readonly allow?: readonly string[] | undefined;
}

/** A place of the text as it was, and what stands there now; never what stood there. */
export interface TextChange extends PersonalSpan {
  readonly replacement: string;
}

/** A text without personal data. */
export interface RedactedText {
  readonly text: string;
  /** What was changed, in order, none overlapping. */
  readonly changes: readonly TextChange[];
  /** How many there are of each kind that occurs. */
  readonly counts: Readonly<Partial<Record<PersonalKind, number>>>;
}

/** A function that takes personal data out of texts. */
export type Redactor = (text: string) => Promise<RedactedText>;

const checkOptions = optionsOf<RedactOptions>("redactText", {
  names: required(
    eitherOf<NameTagger, false>(
      having<NameTagger>("find", "a tagger"),
      matching<false>("false", (value) => value === false),
      "what finds names: await loadNameTagger(), or false to leave names where they are",
    ),
  ),
  kinds: listOf(oneOf(...personalKinds), "kinds"),
  regions: listOf(string, "countries by two letters"),
  replace: oneOf(...replacementNames),
  key: matching<Uint8Array>("bytes of a key", (value) => value instanceof Uint8Array),
  allow: listOf(string, "texts"),
});

function countriesOf(regions: readonly string[]): CountryCode[] {
  return regions.map((region) => {
    const code = region.toUpperCase();
    if (isSupportedCountry(code)) return code;
    throw new OptionError(
      `redactText: regions has "${region}", which is no country of two letters; pass such as US, GB, CN or DE`,
    );
  });
}

/** A text with changes made. */
export function changed(text: string, changes: readonly TextChange[]): string {
  const parts: string[] = [];
  let last = 0;
  for (const { start, end, replacement } of changes) {
    parts.push(text.slice(last, start), replacement);
    last = end;
  }
  return parts.join("") + text.slice(last);
}

/** Texts as they are compared with those allowed. */
const folded = (text: string): string => searchable(text).text.trim().toLowerCase();

/**
 * A function that takes personal data out of texts, with its options checked and its key prepared once. Throws OptionError for unknown kinds and countries, a key that is
 * too short, and names that are asked for without what finds them.
 * @example const redact = redactor({ names: await loadNameTagger(), replace: "pseudonym", key });
 */
export function redactor(options: RedactOptions): Redactor {
  const {
    names,
    kinds,
    regions = ["US", "GB", "CN", "DE"],
    replace = "placeholder",
    key,
    allow = [],
  } = checkOptions(options);
  if (names === false && kinds?.includes("person"))
    throw new OptionError(
      "redactText: kinds has person, and names is false; pass a tagger: names: await loadNameTagger()",
    );
  const recognizers = recognizersOf(countriesOf(regions));
  const wanted = new Set<PersonalKind>(kinds ?? personalKinds);
  const allowed = new Set(allow.map(folded));
  const digest = digestBy(key ?? crypto.getRandomValues(new Uint8Array(32)));
  const replaced = replacements[replace];
  const found = async (text: string): Promise<PersonalSpan[]> => {
    const spans: PersonalSpan[] = [];
    // All kinds are found, so that a card is no telephone number where cards are to stay.
    for (const own of Object.values(recognizers))
      for (const find of own) for (const span of find(text)) spans.push(span);
    if (names !== false && wanted.has("person")) for (const span of await names.find(text)) spans.push(span);
    const kept = withoutOverlaps(spans, text.length);
    return kept.filter(({ kind, start, end }) => wanted.has(kind) && !allowed.has(folded(text.slice(start, end))));
  };
  return async (text) => {
    const plain = searchable(text);
    const spans = await found(plain.text);
    const changes: TextChange[] = [];
    const counts: Partial<Record<PersonalKind, number>> = {};
    for (const span of spans) {
      // The end is behind the last character that is seen, so that what nobody sees behind it stays.
      const [start, end] = [plain.original(span.start), plain.original(span.end - 1) + 1];
      const replacement = await replaced(span, plain.text.slice(span.start, span.end), digest);
      changes.push({ ...span, start, end, replacement });
      counts[span.kind] = (counts[span.kind] ?? 0) + 1;
    }
    return { text: changed(text, changes), changes, counts };
  };
}

/**
 * A text without the personal data that is found in it. What is found is no proof that nothing is left: see the measured recall of each kind in the guide. Throws as `redactor`.
 * @example (await redactText("Write to jane@acme.io", { names: false })).text // "Write to [EMAIL]"
 */
export const redactText = (text: string, options: RedactOptions): Promise<RedactedText> => redactor(options)(text);
