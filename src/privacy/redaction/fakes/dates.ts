/** Dates shifted by up to a year, in the form that they had. */
import type { Random } from "../../../core/random.ts";
import { isDay } from "../calendar.ts";
import { below } from "./drawn.ts";

const names = "January February March April May June July August September October November December".split(" ");

/** Month of a name or its first three letters, from 1; 0 where it is none. */
const monthOf = (word: string): number =>
  names.findIndex((name) => name.slice(0, 3).toLowerCase() === word.slice(0, 3).toLowerCase()) + 1;

/** Another day, up to a year before or after. */
function shifted(year: number, month: number, day: number, random: Random): readonly [number, number, number] {
  const days = (1 + below(random, 365)) * (random.uniform() < 0.5 ? -1 : 1);
  const date = new Date(Date.UTC(year, month - 1, day + days));
  return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
}

/** A number of as many digits. */
const like = (text: string, value: number): string =>
  String(value % 10 ** Math.max(2, text.length)).padStart(text.length, "0");

/** A date in place of another. */
export function fakeDate(value: string, random: Random): string {
  const word = /[A-Za-z]{3,9}(?=\W)/.exec(value.replace(/\d(?:st|nd|rd|th)/, (text) => `${text[0]}  `))?.[0];
  const numbers = value.match(/\d+/g) ?? [];
  if (numbers.length === 1 && value.length === 8) {
    const next = shifted(Number(value.slice(0, 4)), Number(value.slice(4, 6)), Number(value.slice(6)), random);
    return next.map((number, i) => String(number).padStart(i === 0 ? 4 : 2, "0")).join("");
  }
  if (word !== undefined && monthOf(word) > 0) {
    const next = shifted(Number(numbers.at(-1)), monthOf(word), Number(numbers[0]), random);
    const name = names[next[1] - 1] ?? word;
    const isShort = word.length < 4 && monthOf(word) !== 5;
    return value
      .replace(word, isShort ? name.slice(0, word.length) : name)
      .replace(/\d{4}/, String(next[0]))
      .replace(
        /\d{1,2}(?:st|nd|rd|th)?(?!\d)(?!\d{2})/,
        (text) => like(text.replace(/\D/g, ""), next[2]) + text.replace(/\d/g, ""),
      );
  }
  const [a = "", b = "", c = ""] = numbers;
  const isYearFirst = a.length === 4;
  const [year, month, day] = isYearFirst
    ? [Number(a), Number(b), Number(c || 1)]
    : [
        c.length === 2 ? 1900 + Number(c) : Number(c),
        ...(isDay(2000, Number(a), Number(b)) ? [Number(a), Number(b)] : [Number(b), Number(a)]),
      ];
  const next = shifted(year ?? 2000, month ?? 1, day ?? 1, random);
  const order = isYearFirst
    ? next
    : isDay(2000, Number(a), Number(b))
      ? [next[1], next[2], next[0]]
      : [next[2], next[1], next[0]];
  let at = 0;
  return value.replace(/\d+/g, (text) => like(text, order[at++] ?? 0));
}
