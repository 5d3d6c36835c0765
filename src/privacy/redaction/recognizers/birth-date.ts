/** Dates of birth: days of the calendar that a word beside them says somebody was born on. Other dates are left. */
import { isDay } from "../calendar.ts";
import type { PersonalSpan } from "../kinds.ts";
import { isAfter, isBefore } from "./surroundings.ts";

const months =
  "Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?";
const dates = new RegExp(
  [
    "(?<year>\\d{4})(?<by>[-/.])(?<month>\\d{1,2})\\k<by>(?<day>\\d{1,2})",
    "(?<first>\\d{1,2})(?<sign>[-/.])(?<second>\\d{1,2})\\k<sign>(?<last>\\d{4}|\\d{2})",
    `\\d{1,2}(?:st|nd|rd|th)?(?: of)?[ -](?:${months})\\.?,?[ -]\\d{4}`,
    `(?:${months})\\.? \\d{1,2}(?:st|nd|rd|th)?,? \\d{4}`,
    "\\d{4} ?年 ?\\d{1,2} ?月(?: ?\\d{1,2} ?[日号])?",
    "(?<compact>(?:19|20)\\d{6})",
  ]
    .map((form) => `(?:${form})`)
    .join("|"),
  "gi",
);

const before =
  /(?:\bborn\b(?:(?: on| in)\b)?|\bd\.? ?o\.? ?b\b\.?|\bdate of birth\b|\bbirth ?(?:date|day)\b|\bn[ée]e?\b le|\bgeboren(?: am)?|出生(?:年月日?|日期|时间)?|生日|生于|生辰)["']?[^\d\n。；;]{0,16}$/i;
const behind = /^[ ]?(?:出生|生人|生(?=[,，。、；;)）\s]|$)|\(?(?:DOB|date of birth)\b)/i;

/** Whether the numbers of a date are those of a day; of words the year alone is looked at. */
function isDate(groups: Readonly<Record<string, string | undefined>>): boolean {
  const { year, month, day, first, second, last, compact } = groups;
  if (year !== undefined) return isDay(Number(year), Number(month), Number(day));
  if (compact !== undefined)
    return isDay(Number(compact.slice(0, 4)), Number(compact.slice(4, 6)), Number(compact.slice(6)));
  if (first === undefined) return true;
  const full = last?.length === 2 ? 1900 + Number(last) : Number(last);
  return isDay(full, Number(first), Number(second)) || isDay(full, Number(second), Number(first));
}

/** Finds dates of birth. */
export function* birthDates(text: string): Generator<PersonalSpan> {
  for (const { index, 0: found, groups } of text.matchAll(dates)) {
    const end = index + found.length;
    if (/[\d.-]/.test(text[index - 1] ?? "") || /\d/.test(text[end] ?? "") || !isDate(groups ?? {})) continue;
    if (!isAfter(text, index, before) && !isBefore(text, end, behind)) continue;
    yield { kind: "birth-date", start: index, end, rule: "date-of-birth", certainty: 0.96 };
  }
}
