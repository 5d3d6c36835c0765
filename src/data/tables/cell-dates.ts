/** Dates as people write them in tables: which formats a text fits, and the moment that it is in one of them. */

const time =
  "(?:[T ,]\\s*(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,](\\d{1,9}))?)?\\s*([AaPp][Mm])?\\s*(Z|UTC|GMT|[+-]\\d{2}:?\\d{2})?)?";
const month = "(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?";
const weekday = "(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\\s+)?";
const year = "(\\d{4}|\\d{2})";
const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

interface Format {
  readonly pattern: RegExp;
  /** Places of year, month and day among the pattern's groups; no day is the first of the month. */
  readonly order: readonly [year: number, month: number, day?: number];
}

const formatOf = (pattern: string, order: Format["order"]): Format => ({
  pattern: new RegExp(`^${pattern}${time}$`, "i"),
  order,
});

/** Every format, by its name. */
const formats: Readonly<Record<string, Format>> = {
  "YYYY-MM-DD": formatOf("(\\d{4})-(\\d{1,2})-(\\d{1,2})", [1, 2, 3]),
  "YYYY/MM/DD": formatOf("(\\d{4})/(\\d{1,2})/(\\d{1,2})", [1, 2, 3]),
  "DD/MM/YYYY": formatOf(`(\\d{1,2})/(\\d{1,2})/${year}`, [3, 2, 1]),
  "MM/DD/YYYY": formatOf(`(\\d{1,2})/(\\d{1,2})/${year}`, [3, 1, 2]),
  "DD-MM-YYYY": formatOf("(\\d{1,2})-(\\d{1,2})-(\\d{4})", [3, 2, 1]),
  "MM-DD-YYYY": formatOf("(\\d{1,2})-(\\d{1,2})-(\\d{4})", [3, 1, 2]),
  "DD.MM.YYYY": formatOf(`(\\d{1,2})\\.(\\d{1,2})\\.${year}`, [3, 2, 1]),
  "Mon D YYYY": formatOf(`${weekday}${month}\\s+(\\d{1,2})(?:st|nd|rd|th)?,?\\s+(\\d{4})`, [3, 1, 2]),
  "D Mon YYYY": formatOf(`${weekday}(\\d{1,2})(?:st|nd|rd|th)?[\\s-]+${month},?[\\s-]+${year}`, [3, 2, 1]),
  "YYYY-MM": { pattern: /^(\d{4})-(\d{2})$/, order: [1, 2] },
  "Mon YYYY": { pattern: new RegExp(`^${month},?\\s+(\\d{4})$`, "i"), order: [2, 1] },
};

/** Pairs of formats that share their texts: only days above 12 tell them apart. */
export const lookAlikes: Readonly<Record<string, string>> = {
  "DD/MM/YYYY": "MM/DD/YYYY",
  "MM/DD/YYYY": "DD/MM/YYYY",
  "DD-MM-YYYY": "MM-DD-YYYY",
  "MM-DD-YYYY": "DD-MM-YYYY",
};

function momentOf(text: string, { pattern, order }: Format): number | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [yearAt, monthAt, dayAt] = order;
  const digits = match[yearAt] ?? "";
  const short = Number(digits);
  // Two digits as POSIX reads them: 69 to 99 are of the last century.
  const full = digits.length === 2 ? short + (short >= 69 ? 1900 : 2000) : short;
  const monthText = match[monthAt] ?? "";
  const named = months.indexOf(monthText.slice(0, 3).toLowerCase());
  const monthIndex = named >= 0 ? named : Number(monthText) - 1;
  const day = dayAt === undefined ? 1 : Number(match[dayAt]);
  const midnight = Date.UTC(full, monthIndex, day);
  const date = new Date(midnight);
  if (full < 100 || date.getUTCMonth() !== monthIndex || date.getUTCDate() !== day) return undefined;
  const [hours, minutes, seconds, fraction, half, zone] = match.slice(1 + order.length);
  if (hours === undefined) return midnight;
  let hour = Number(hours);
  if (half) hour = (hour % 12) + (/p/i.test(half) ? 12 : 0);
  if (hour > 24 || Number(minutes) > 59 || Number(seconds ?? 0) > 60) return undefined;
  const milliseconds = fraction === undefined ? 0 : Number(`0.${fraction}`) * 1000;
  return (
    midnight +
    3.6e6 * hour +
    6e4 * Number(minutes) +
    1000 * Number(seconds ?? 0) +
    Math.floor(milliseconds) -
    offsetOf(zone)
  );
}

/** Milliseconds that a zone is ahead of UTC. */
function offsetOf(zone: string | undefined): number {
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(zone ?? "");
  return match ? (match[1] === "-" ? -1 : 1) * (3.6e6 * Number(match[2]) + 6e4 * Number(match[3])) : 0;
}

/** Between formats of a column that has dates of several. */
export const formatSeparator = " | ";

/**
 * The moment of a date in milliseconds since 1970 in UTC; `undefined` where the text is no date of this format. A time of day may follow
 * the date; without a zone it is taken for UTC.
 * @param format such as "YYYY-MM-DD", "DD/MM/YYYY" or "Mon D YYYY", as `inferColumnTypes` names it; several with " | " between them
 * @example parseDate("31/12/2020", "DD/MM/YYYY") // 1609372800000
 */
export function parseDate(text: string, format: string): number | undefined {
  for (const name of format.split(formatSeparator)) {
    const moment = Object.hasOwn(formats, name) ? momentOf(text, formats[name] as Format) : undefined;
    if (moment !== undefined) return moment;
  }
  return undefined;
}

/** The names of the formats in which a text is a date: none, one, or two that look alike. */
export function dateFormatsOf(text: string): readonly string[] {
  if (text.length < 6 || text.length > 40 || !/^[\dA-Za-z][\w.,:/+ -]*$/.test(text) || !/\d/.test(text)) return [];
  const isNamed = /[A-Za-z]{3}/.test(text);
  return Object.keys(formats).filter(
    (name) => (isNamed || !name.includes("Mon")) && momentOf(text, formats[name] as Format) !== undefined,
  );
}
