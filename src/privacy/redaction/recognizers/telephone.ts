/** Telephone numbers, by the plans of libphonenumber-js: international ones, and national ones of regions by their form or a word before them. */
import { type CountryCode, parsePhoneNumberFromString } from "libphonenumber-js/min";
import type { PersonalSpan } from "../kinds.ts";
import { isAfter, otherNumbers } from "./surroundings.ts";

const candidates =
  /(?<![\p{Script=Latin}\d_.#/@=&?-])(?:\+|\(?00(?=[1-9])|\()?\d(?:[ .()/-]{0,2}\d){5,17}(?: ?(?:x|ext\.?|extension|转) ?\d{1,5})?(?![\p{Script=Latin}\d_]|[.,:/-]\d)/gu;

const words =
  /(?:\b(?:tel|telephone|phone|ph|call|called|calls|calling|cell|mobile|mob|fax|landline|ring|sms|whatsapp|hotline|dial|reach (?:me|us|him|her) (?:at|on)|telefon|handy|mobil|téléphone|teléfono|telefono)\b|电话|手机|传真|热线|座机|拨打|致电|来电|联系|短信)[^\d\n]{0,24}$/i;

/** Dates and times, numbers with decimals, and addresses on networks look like numbers of some plan. */
const others =
  /^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?!\d)|^\d{1,3}(?:\.\d{1,3}){3}$|^\d+\.\d+$/;

/** National numbers that are written so for nothing else. */
const forms: Readonly<Partial<Record<CountryCode, RegExp>>> = {
  US: /^(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d([ .-]))[2-9]\d\d(?:\1|-)\d{4}(?!\d)/,
  GB: /^(?:\(0\d{2,4}\)|0\d{2,4})[ -]\d{3,4}[ -]?\d{3,4}(?!\d)|^07\d{3} ?\d{6}$/,
  CN: /^1[3-9]\d([ -]?)\d{4}\1\d{4}(?!\d)|^\(?0\d{2,3}\)?[ -]\d{7,8}(?!\d)|^[48]00-\d{3}-\d{4}$/,
};

/** Finds numbers. @param regions whose national numbers are known, the likeliest first */
export const telephones = (regions: readonly CountryCode[]) =>
  function* telephones(text: string): Generator<PersonalSpan> {
    for (const { index, 0: found } of text.matchAll(candidates)) {
      const own = numberOf(text, index, found, regions);
      if (own) yield { kind: "telephone", start: index, end: index + found.length, ...own };
    }
  };

function numberOf(text: string, start: number, found: string, regions: readonly CountryCode[]) {
  if (others.test(found) || unbalanced(found)) return undefined;
  const isInternational = /^(?:\+|\(?00)/.test(found);
  if (isInternational) {
    const number = parsePhoneNumberFromString(found.replace(/^\(?00/, "+"));
    return number?.isPossible() ? { rule: "international", certainty: 0.9 } : undefined;
  }
  const isCalled = isAfter(text, start, words);
  // A number that is written as those of a country are is of that one before it is of any other.
  for (const region of [...regions].sort((a, b) => Number(isForm(b, found)) - Number(isForm(a, found)))) {
    if (!isForm(region, found) && !(isCalled && isLong(found))) continue;
    const number = parsePhoneNumberFromString(found, region);
    if (isCalled ? !number?.isPossible() : !number?.isValid()) continue;
    if (!isCalled && isAfter(text, start, otherNumbers, 24)) continue;
    return { rule: `national-${region.toLowerCase()}`, certainty: isCalled ? 0.85 : 0.75 };
  }
  return undefined;
}

const isForm = (region: CountryCode, text: string): boolean => forms[region]?.test(text) ?? false;

/** Shorter ones are extensions, codes and years. */
const isLong = (text: string): boolean => text.replace(/\D/g, "").length > 6;

/** Whether brackets do not match. */
function unbalanced(text: string): boolean {
  const open = text.indexOf("(");
  return open >= 0 ? text.indexOf(")", open) < 0 : text.includes(")");
}
