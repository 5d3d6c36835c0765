/** Bank accounts: IBAN (ISO 13616) by the lengths, the layouts and the check digits of ibantools. */
import { countrySpecs, isValidIBAN } from "ibantools";
import type { PersonalSpan } from "../kinds.ts";

/** Characters of the accounts of each country. */
const lengths: ReadonlyMap<string, number> = new Map(
  Object.entries(countrySpecs).map(([code, { chars }]) => [code, chars ?? 0]),
);

/** Finds IBANs: of each country as many characters as it has, whatever follows. */
export function* ibans(text: string): Generator<PersonalSpan> {
  for (const { index, 0: found } of text.matchAll(
    /(?<![\p{Script=Latin}\d])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){10,30}/gu,
  )) {
    const length = lengths.get(found.slice(0, 2).toUpperCase()) ?? 0;
    let [end, count] = [0, 0];
    while (end < found.length && count < length) if (/[A-Za-z0-9]/.test(found[end++] ?? "")) count++;
    const own = found.slice(0, end).replace(/[ -]/g, "").toUpperCase();
    if (count === 0 || count < length || /[\p{Script=Latin}\d]/u.test(text[index + end] ?? "") || !isValidIBAN(own))
      continue;
    yield { kind: "iban", start: index, end: index + end, rule: "iban", certainty: 0.97 };
  }
}
