/** The steps of a time series: which step moments have, the place of a moment among them, the moment of a place. */
import * as z from "zod";
import { DataError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

/** How moments follow one another, as JSON; `origin` is the moment of place 0, in milliseconds since 1970 or as the column's number. */
export const timeStepSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("duration"), origin: z.number(), milliseconds: z.number().gt(0) }),
  /** On one day of the month, or on the last one. */
  z.strictObject({
    kind: z.literal("months"),
    origin: z.number(),
    months: z.number().int().positive(),
    monthEnd: z.boolean(),
  }),
  /** Monday to Friday. */
  z.strictObject({ kind: z.literal("weekdays"), origin: z.number() }),
  z.strictObject({ kind: z.literal("numbers"), origin: z.number(), every: z.number().gt(0) }),
]);
/** How moments follow one another: so many milliseconds or months, from Monday to Friday, or by a number. */
export type TimeStep = Readonly<z.infer<typeof timeStepSchema>>;

const monthOf = (moment: number): number => {
  const date = new Date(moment);
  return 12 * date.getUTCFullYear() + date.getUTCMonth();
};
const timeOfDay = (moment: number): number => ((moment % day) + day) % day;
const isMonthEnd = (moment: number): boolean => new Date(moment + day).getUTCDate() === 1;
/** Days since a Monday. */
const daysSinceMonday = (moment: number): number => Math.floor(moment / day) + 3;
const isWeekend = (moment: number): boolean => ((daysSinceMonday(moment) % 7) + 7) % 7 > 4;
const weekdayPlace = (moment: number): number => {
  const days = daysSinceMonday(moment);
  const week = Math.floor(days / 7);
  return 5 * week + days - 7 * week;
};

/** The place of a moment; between two where it is none of the steps. */
export function placeOf(moment: number, step: TimeStep): number {
  if (step.kind === "duration") return (moment - step.origin) / step.milliseconds;
  if (step.kind === "numbers") {
    const place = (moment - step.origin) / step.every;
    // Of decimal fractions the quotient is not exact.
    return Math.abs(place - Math.round(place)) < 1e-6 * Math.max(1, Math.abs(place)) ? Math.round(place) : place;
  }
  const isTimely = timeOfDay(moment) === timeOfDay(step.origin);
  if (step.kind === "weekdays")
    return weekdayPlace(moment) - weekdayPlace(step.origin) + (isTimely && !isWeekend(moment) ? 0 : 0.5);
  const isDay = step.monthEnd
    ? isMonthEnd(moment)
    : new Date(moment).getUTCDate() === new Date(step.origin).getUTCDate();
  return (monthOf(moment) - monthOf(step.origin)) / step.months + (isTimely && isDay ? 0 : 0.5 / step.months);
}

/** The moment of a place. */
export function momentAt(place: number, step: TimeStep): number {
  const { origin } = step;
  if (step.kind === "duration") return origin + place * step.milliseconds;
  if (step.kind === "numbers") return Number((origin + place * step.every).toPrecision(12));
  if (step.kind === "weekdays") {
    const count = weekdayPlace(origin) + place;
    const week = Math.floor(count / 5);
    return (7 * week + (count - 5 * week) - 3) * day + timeOfDay(origin);
  }
  const month = monthOf(origin) + place * step.months;
  // Day 0 is the last of the month before.
  const [ahead, date] = step.monthEnd ? [1, 0] : [0, new Date(origin).getUTCDate()];
  return Date.UTC(Math.floor(month / 12), (((month % 12) + 12) % 12) + ahead, date) + timeOfDay(origin);
}

/** The step that differences have most often, and its share of them. */
function usual(differences: readonly number[]): { readonly difference: number; readonly share: number } {
  const counts = new Map<number, number>();
  for (const own of differences) counts.set(own, (counts.get(own) ?? 0) + 1);
  const [[difference, times] = [0, 0]] = [...counts].sort(([a, m], [b, n]) => n - m || a - b);
  return { difference, share: times / differences.length };
}

const differencesOf = (moments: readonly number[]): number[] =>
  moments.slice(1).map((moment, i) => Number((moment - (moments[i] as number)).toPrecision(9)));

/** A share of the differences that a step has at least. */
const enough = 0.4;

/**
 * The usual step of series of moments, each ascending without repetition. Throws DataError where there is none.
 * @param isDate moments in milliseconds since 1970; else numbers
 */
export function usualStep(series: readonly (readonly number[])[], isDate: boolean): TimeStep {
  const all = series.flat();
  const origin = all.reduce((least, moment) => Math.min(least, moment), Number.POSITIVE_INFINITY);
  const differences = series.flatMap(differencesOf);
  if (differences.length < 2)
    throw new DataError(`the time has ${plural(new Set(all).size, "value")}; pass series of some dozens of steps`);
  const months = isDate && monthlyStep(series, origin);
  if (months) return months;
  const { difference, share } = usual(differences);
  if (share < enough)
    throw new DataError(
      `its values follow one another in no usual step: the most frequent one, ${isDate ? durationText(difference) : difference}, is that of ${Math.round(100 * share)} % of the rows; pass one row for each step, or name what tells series apart: --series COLUMN`,
    );
  if (!isDate) return { kind: "numbers", origin, every: difference };
  const span = all.reduce((most, moment) => Math.max(most, moment), origin) - origin;
  if (difference === day && span > 13 * day && !all.some(isWeekend)) return { kind: "weekdays", origin };
  return { kind: "duration", origin, milliseconds: difference };
}

/** A step of months, where moments are of one day of the month, or of the last. */
function monthlyStep(series: readonly (readonly number[])[], origin: number): TimeStep | undefined {
  const all = series.flat();
  const time = timeOfDay(origin);
  const date = new Date(origin).getUTCDate();
  const isOneDay = all.every((own) => timeOfDay(own) === time && new Date(own).getUTCDate() === date);
  const isEnd = all.every((own) => timeOfDay(own) === time && isMonthEnd(own));
  if (!isOneDay && !isEnd) return undefined;
  const { difference } = usual(series.flatMap((own) => differencesOf(own.map(monthOf))));
  return difference < 1 ? undefined : { kind: "months", origin, months: difference, monthEnd: isEnd && !isOneDay };
}

function durationText(milliseconds: number): string {
  if (milliseconds % (7 * day) === 0) return plural(milliseconds / (7 * day), "week");
  if (milliseconds % day === 0) return plural(milliseconds / day, "day");
  if (milliseconds % hour === 0) return plural(milliseconds / hour, "hour");
  if (milliseconds % (60 * second) === 0) return plural(milliseconds / (60 * second), "minute");
  return plural(milliseconds / second, "second");
}

/** A step in a few words, such as "1 day". */
export function stepText(step: TimeStep): string {
  if (step.kind === "duration") return durationText(step.milliseconds);
  if (step.kind === "weekdays") return "1 day from Monday to Friday";
  if (step.kind === "numbers") return String(step.every);
  return step.months % 12 === 0 ? plural(step.months / 12, "year") : plural(step.months, "month");
}

/** A moment as a text: a date, with its time of day where steps are of hours or less. */
export function momentText(moment: number, step: TimeStep): string {
  if (step.kind === "numbers") return String(moment);
  const text = new Date(moment).toISOString();
  const isDaily = step.kind !== "duration" || step.milliseconds % day === 0;
  return isDaily && timeOfDay(step.origin) === 0 ? text.slice(0, 10) : text.slice(0, 19);
}

/** What a clock or a calendar tells of a moment that repeats: the time of day, the day of the week, the day of the year. */
export type CalendarCycle = "day" | "week" | "year";

/** Steps of the cycles of the calendar that steps tell, the shortest first; the year's is rounded. */
export function cyclesOf(step: TimeStep): readonly { readonly cycle: CalendarCycle; readonly steps: number }[] {
  if (step.kind === "numbers") return [];
  if (step.kind === "months") return step.months < 12 ? [{ cycle: "year", steps: 12 / step.months }] : [];
  const milliseconds = step.kind === "weekdays" ? day : step.milliseconds;
  const lengths = {
    day,
    week: step.kind === "weekdays" ? 5 * day : 7 * day,
    year: (step.kind === "weekdays" ? 261 : 365.2425) * day,
  };
  return (Object.keys(lengths) as CalendarCycle[]).flatMap((cycle) => {
    const steps = lengths[cycle] / milliseconds;
    return steps >= 2 ? [{ cycle, steps: Math.round(steps) }] : [];
  });
}

/** Whole days since 1970 and the share of the day that has passed, of a moment. */
export const dayAndShare = (moment: number): readonly [days: number, share: number] => {
  const days = Math.floor(moment / day);
  return [days, (moment - days * day) / day];
};

/** The day of the year, 0 … 365, of a moment. */
export const dayOfYear = (moment: number): number =>
  Math.floor((moment - Date.UTC(new Date(moment).getUTCFullYear(), 0, 1)) / day);
