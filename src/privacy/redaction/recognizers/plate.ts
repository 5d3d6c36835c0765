/** Plates of vehicles: of China and Britain by their form, of others where a word says so. */
import type { PersonalSpan } from "../kinds.ts";
import { isAfter, otherNumbers } from "./surroundings.ts";

const chinese =
  /(?<![A-Za-z\d])[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][ ·•]?(?:[A-HJ-NP-Z0-9]{5,6}|[A-HJ-NP-Z0-9]{4}[挂学警港澳领])(?![A-Za-z\d])/g;

/** Five, or six of new energy: D or F (of 2024 also A, B, C, E, G, H, J, K) first or last beside digits (GA 36-2018). */
const isChinese = (own: string): boolean =>
  own.length === 5 ? /\d/.test(own) : /^[A-HJK][A-HJ-NP-Z0-9]\d{4}$|^\d{5}[A-HJK]$/.test(own);

const british = /(?<![\w-])[A-HJ-PR-Y][A-HJ-PR-Y](?:0[1-9]|[1-7]\d) ?[A-HJ-PR-Z]{3}(?![\w-])/g;

const words =
  /(?:\b(?:licen[cs]e|number|registration|reg)[ .-]?(?:plates?|no\.?|number)?|\bplates?|\bregistration|\bregistered|kennzeichen|车牌号?码?|牌照)[ :#]*(?:no\.?|number|is|was|reads|为|是)?[ :#]*$/i;
const named = /(?<![\w-])[A-Z\d]{1,4}(?:[ -]?[A-Z\d]{1,4}){1,2}(?![\w-])/g;

/** Finds plates. */
export function* plates(text: string): Generator<PersonalSpan> {
  for (const { index, 0: found } of text.matchAll(chinese))
    if (isChinese(found.slice(2).replace(/[ ·•]/, "")))
      yield { kind: "plate", start: index, end: index + found.length, rule: "plate-cn", certainty: 0.92 };
  for (const { index, 0: found } of text.matchAll(british)) {
    const isSure = found.includes(" ") && !isAfter(text, index, otherNumbers, 24);
    if (isSure || isAfter(text, index, words))
      yield { kind: "plate", start: index, end: index + found.length, rule: "plate-uk", certainty: 0.8 };
  }
  for (const { index, 0: found } of text.matchAll(named))
    if (/\d/.test(found) && /[A-Z]/.test(found) && found.length > 4 && isAfter(text, index, words, 24))
      yield { kind: "plate", start: index, end: index + found.length, rule: "plate-named", certainty: 0.75 };
}
