/** Identity, tax and insurance numbers of several countries: their form, their check digits, and words before those that are digits alone. */
import { isDay } from "../calendar.ts";
import { isLuhn, isMod11And10, isVerhoeff, remainder, residentCheck, weighted } from "../checksums.ts";
import type { PersonalSpan } from "../kinds.ts";
import { isAfter, otherNumbers } from "./surroundings.ts";

/** A kind of number. */
export interface IdentityNumber {
  readonly rule: string;
  /** Global; bounded by what a number may not stand within. */
  readonly pattern: RegExp;
  /** @param own what was found, without separators, in capitals */
  isValid(own: string): boolean;
  /** Words that have to stand before it on its line; without them its form is enough. */
  readonly after?: RegExp;
  readonly certainty: number;
}

/** Within a longer number or word. */
const bounded = (body: string): RegExp =>
  new RegExp(`(?<![\\p{Script=Latin}\\d_.-])${body}(?![\\p{Script=Latin}\\d_]|[-.]\\d)`, "gu");

const isPastDay = (digits: string): boolean =>
  isDay(Number(digits.slice(0, 4)), Number(digits.slice(4, 6)), Number(digits.slice(6, 8)));

const letters = "TRWAGMYFPDXBNJZSQVHLCKE";
const isSpanish = (own: string): boolean =>
  letters[Number(own.slice(0, -1).replace(/^[XYZ]/, (letter) => String("XYZ".indexOf(letter)))) % 23] === own.at(-1);

/** Two check digits, each over those before it (Receita Federal, Instrução Normativa 1548). */
function isCpf(own: string): boolean {
  if (/^(\d)\1+$/.test(own)) return false;
  return [9, 10].every((count) => {
    const sum = weighted(
      own,
      Array.from({ length: count }, (_, i) => count + 1 - i),
    );
    return ((10 * sum) % 11) % 10 === Number(own[count]);
  });
}

/** Of the first ten digits one comes two or three times (Bundeszentralamt für Steuern). */
function isGermanTax(own: string): boolean {
  const different = new Set(own.slice(0, 10)).size;
  return own[0] !== "0" && (different === 9 || different === 8) && isMod11And10(own);
}

/** First digits of Chinese divisions: provinces and regions (GB/T 2260). */
const provinces = "1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|7[1]|8[1-3]";

/** Every number that is known. */
export const identityRules: readonly IdentityNumber[] = [
  {
    rule: "resident-id",
    pattern: bounded(`(?:${provinces})\\d{4}(?:18|19|20)\\d{9}[\\dXx]`),
    isValid: (own) => isPastDay(own.slice(6)) && residentCheck(own) === own[17],
    certainty: 0.98,
  },
  {
    rule: "resident-id",
    pattern: bounded(`(?:${provinces})\\d{13}`),
    isValid: (own) => isPastDay(`19${own.slice(6)}`),
    after: /身份证|证件号/,
    certainty: 0.8,
  },
  {
    rule: "us-ssn",
    pattern: bounded("(?!000|666|9)\\d{3}([- ])(?!00)\\d{2}\\1(?!0000)\\d{4}"),
    isValid: (own) => !["078051120", "219099999", "123456789"].includes(own),
    certainty: 0.8,
  },
  {
    rule: "us-ssn",
    pattern: bounded("(?!000|666|9)\\d{3}(?!00)\\d{2}(?!0000)\\d{4}"),
    isValid: () => true,
    after: /\b(?:ssn|social security)\b/i,
    certainty: 0.8,
  },
  {
    rule: "uk-nino",
    pattern: bounded("(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]"),
    isValid: () => true,
    certainty: 0.85,
  },
  {
    rule: "uk-nhs",
    pattern: bounded("\\d{3}([ -]?)\\d{3}\\1\\d{4}"),
    isValid: (own) => (11 - (weighted(own, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === Number(own[9]),
    after: /\bNHS\b/i,
    certainty: 0.95,
  },
  { rule: "es-dni", pattern: bounded("\\d{8}[ -]?[A-HJ-NP-TV-Z]"), isValid: isSpanish, certainty: 0.8 },
  { rule: "es-nie", pattern: bounded("[XYZ][ -]?\\d{7}[ -]?[A-HJ-NP-TV-Z]"), isValid: isSpanish, certainty: 0.85 },
  {
    rule: "fr-nir",
    pattern: bounded("[12] ?\\d{2} ?\\d{2} ?(?:\\d{2}|2[AB]) ?\\d{3} ?\\d{3} ?\\d{2}"),
    // Corsica's departments count as 19 and 18.
    isValid: (own) =>
      remainder(own.slice(0, 13).replace("2A", "19").replace("2B", "18"), 97) === 97 - Number(own.slice(13)),
    certainty: 0.95,
  },
  {
    rule: "de-tax",
    pattern: bounded("\\d{2} ?\\d{3} ?\\d{3} ?\\d{3}"),
    isValid: isGermanTax,
    after: /steuer|\btax\b|\bTIN\b|\bIdNr/i,
    certainty: 0.9,
  },
  {
    rule: "in-aadhaar",
    pattern: bounded("[2-9]\\d{3}([ -]?)\\d{4}\\1\\d{4}"),
    isValid: isVerhoeff,
    after: /aadhaar|\bUID(?:AI)?\b/i,
    certainty: 0.95,
  },
  { rule: "br-cpf", pattern: bounded("\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}"), isValid: isCpf, certainty: 0.95 },
  {
    rule: "br-cpf",
    pattern: bounded("\\d{11}"),
    isValid: isCpf,
    after: /\bCPF\b/i,
    certainty: 0.9,
  },
  {
    rule: "ca-sin",
    pattern: bounded("[1-79]\\d{2}([ -]?)\\d{3}\\1\\d{3}"),
    isValid: isLuhn,
    after: /\b(?:SIN|social insurance)\b/i,
    certainty: 0.9,
  },
  {
    rule: "passport",
    pattern: bounded("(?:[A-Z]{1,2}\\d{6,8}|\\d{9})"),
    isValid: () => true,
    after: /\bpassport(?: ?(?:no|number|nr|#))?\b[ .:#]*(?:is |was )?$|护照(?:号码?)?[ :]*(?:为|是)?$/i,
    certainty: 0.85,
  },
];

/** Finds numbers of persons. */
export function* identityNumbers(text: string): Generator<PersonalSpan> {
  for (const { rule, pattern, isValid, after, certainty } of identityRules)
    for (const { index, 0: found } of text.matchAll(pattern)) {
      if (!isValid(found.replace(/[ .-]/g, "").toUpperCase())) continue;
      if (after ? !isAfter(text, index, after) : isAfter(text, index, otherNumbers, 24)) continue;
      yield { kind: "identity", start: index, end: index + found.length, rule, certainty };
    }
}
