/** Street and postal addresses of English-speaking countries, and the commonest forms of German, French and Dutch ones. */
import type { PersonalSpan } from "../kinds.ts";

const word = "[A-Z][\\p{L}'’.]{0,24}";
const types =
  "Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Ter|Parkway|Pkwy|Circle|Cir|Highway|Hwy|Close|Crescent|Cres|Gardens|Gdns|Grove|Mews|Hill|Row|Walk|Way|Quay|Green|Alley|Loop|Trail|Trl|Rise|Vale|Wharf|Broadway";
const unit =
  "(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Room|Rm|Building|Bldg|No)\\.? ?[A-Z]?\\d{0,5}[A-Za-z]?|#\\d{1,5}[A-Za-z]?";
const ukPostcode = "[A-Z]{1,2}\\d[A-Z\\d]? ?\\d[ABD-HJLNP-UW-Z]{2}";
const usPostcode = "(?:[A-Z]{2}|[A-Z][a-z]{3,12}(?: [A-Z][a-z]{3,9})?),? \\d{5}(?:-\\d{4})?";
const canadianPostcode = "[A-Z]{2},? [A-Z]\\d[A-Z] ?\\d[A-Z]\\d";
const city = `${word}(?: (?:of|upon|on|the|de|del|la|le|in|am|an|der))?(?:[ -]${word}){0,2}`;
/** What follows a street: units, a town, a postal code. */
const rest =
  `(?:,? (?:${unit})(?![\\p{L}\\d]))?` +
  `(?:(?:,|,?\\n)? ?(?:${city}),?(?: ${city},?)? (?:${usPostcode}|${ukPostcode}|${canadianPostcode}|\\d{4,5})(?![\\p{L}\\d])|,? (?:${ukPostcode}|\\d{5}(?:-\\d{4})?)(?![\\p{L}\\d])|, ${city}(?=[,.;\\n]|$))?`;
const front = `(?:(?:${unit}),? )?`;

const forms: readonly (readonly [rule: string, pattern: RegExp, certainty: number])[] = [
  [
    "street",
    new RegExp(
      `(?<![\\p{L}\\d.,$£€-])${front}\\d{1,5}[A-Za-z]?(?:-\\d{1,4})? (?:[NSEW]\\.? |North |South |East |West )?(?:(?:${word}(?:-${word})?|\\d{1,3}(?:st|nd|rd|th)) ){1,4}?(?:${types})\\b\\.?(?: (?:NW|NE|SW|SE|N|S|E|W|North|South|East|West)(?![\\p{L}]))?${rest}`,
      "gu",
    ),
    0.85,
  ],
  [
    "post-box",
    new RegExp(`(?<![\\p{L}\\d])(?:P\\.? ?O\\.? ?Box|Post Office Box|Postfach) \\d{1,6}${rest}`, "giu"),
    0.85,
  ],
  [
    "german-street",
    new RegExp(
      `(?<![\\p{L}\\d-])(?:[A-ZÄÖÜ][\\p{L}-]{1,24}(?:straße|strasse|str\\.|weg|gasse|platz|allee|ufer|damm|ring|gracht|straat|laan|plein|kade)|[A-Z][a-zäöü]{2,20}(?:er|es)? (?:Straße|Strasse|Str\\.|Weg|Platz|Allee|Ufer|Damm|Ring)) \\d{1,4}[a-z]?(?![\\p{L}\\d])(?:, (?:[A-Z]{1,2}-)?\\d{4,5}(?: [A-Z]{2})? ${city})?`,
      "gu",
    ),
    0.8,
  ],
  [
    "french-street",
    new RegExp(
      `(?<![\\p{L}\\d])\\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|boulevard|allée|chemin|impasse|quai|place) (?:(?:de|du|des|la|le|les|l'|d')[ ]?){0,3}[A-ZÉ][\\p{L}'-]{1,24}(?: [A-ZÉ][\\p{L}'-]{1,24}){0,3}(?:, \\d{5} ${city})?`,
      "gu",
    ),
    0.8,
  ],
  [
    "spanish-street",
    new RegExp(
      `(?<![\\p{L}\\d])(?:Calle|Avenida|Plaza|Paseo|Via|Viale|Piazza|Corso|Rua) (?:(?:de|del|la|las|los|el|di|da|do) ){0,3}${word}(?: ${word}){0,2},? \\d{1,4}(?:, \\d{5} ${city})?`,
      "gu",
    ),
    0.75,
  ],
];

/** Finds addresses with a number of a house or a box; a street alone is none. */
export function* westernAddresses(text: string): Generator<PersonalSpan> {
  for (const [rule, pattern, certainty] of forms)
    for (const { index, 0: found } of text.matchAll(pattern))
      yield { kind: "address", start: index, end: index + found.length, rule, certainty };
}
