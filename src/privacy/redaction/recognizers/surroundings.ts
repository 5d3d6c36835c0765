/** What stands around a place in a text: words that say what a number is. */

/** Characters that are looked at before a place. */
const reach = 40;

/** Whether the line before a place has a word that a pattern finds. */
export function isAfter(text: string, place: number, words: RegExp, distance = reach): boolean {
  const before = text.slice(Math.max(0, place - distance), place);
  return words.test(before.slice(before.lastIndexOf("\n") + 1));
}

/** Whether the text from a place on begins with what a pattern finds. @param begin a pattern that begins with ^ */
export const isBefore = (text: string, place: number, begin: RegExp): boolean =>
  begin.test(text.slice(place, place + reach));

/** Words that say that a number counts goods, files or events, right before it. */
export const otherNumbers =
  /(?:\b(?:part|order|item|model|ref|reference|serial|sku|ticket|invoice|tracking|case|batch|lot|isbn|issn|doi|product|article|catalogue|catalog|version|build|commit|no|nr|id)\b|#|订单号?|单号|货号|型号|编号|版本|批号|序列号|会议号|流水号|合同号)[ .:#-]*(?:no|number|nr|id|is|was|为|是)?[ .:#-]*$/i;
