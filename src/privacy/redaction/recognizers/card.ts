/** Payment cards: issuers' prefixes and lengths (ISO/IEC 7812), and Luhn's check digit. */
import { isLuhn } from "../checksums.ts";
import type { PersonalSpan } from "../kinds.ts";
import { isAfter, otherNumbers } from "./surroundings.ts";

/** What issuers' numbers begin with, and their digits. */
const issuers: readonly (readonly [prefix: RegExp, lengths: readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(?:6011|64[4-9]|65)/, [16, 19]],
  [/^62/, [16, 17, 18, 19]],
  [/^(?:352[89]|35[3-8])/, [16, 19]],
  [/^3(?:0[0-59]|[689])/, [14, 16]],
  [/^(?:50|5[6-9]|6[0-9])/, [16, 19]],
];

const isIssued = (digits: string): boolean =>
  issuers.some(([prefix, lengths]) => prefix.test(digits) && lengths.includes(digits.length));

/** How cards are written: in fours, American Express 4-6-5, UnionPay 6-13, or without gaps. */
const isGrouped = (groups: readonly number[]): boolean =>
  groups.length === 1 ||
  (groups.length > 2 && groups.slice(0, -1).every((size) => size === 4) && (groups.at(-1) as number) <= 4) ||
  ["4,6,5", "4,6,4", "6,13"].includes(groups.join());

/** Finds cards. */
export function* cards(text: string): Generator<PersonalSpan> {
  for (const { index, 0: found } of text.matchAll(/(?<![\d.,-])(?<!\w)\d(?:[ -]?\d){12,18}(?![\w]|[-.,]\d)/g)) {
    const digits = found.replace(/\D/g, "");
    const groups = found.split(/[ -]/).map(({ length }) => length);
    if (!isIssued(digits) || !isGrouped(groups) || !isLuhn(digits) || isAfter(text, index, otherNumbers, 24)) continue;
    yield { kind: "card", start: index, end: index + found.length, rule: "luhn", certainty: 0.9 };
  }
}
