/** What the columns of a table are, told by their values as these go by; memory does not grow with the rows. */

import { parseJson } from "../../core/json.ts";
import { count, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { unspacedScripts } from "../text/scripts.ts";
import { dateFormatsOf, formatSeparator, lookAlikes } from "./cell-dates.ts";
import { parseNumber } from "./cell-numbers.ts";
import { DistinctCounter, hashText } from "./distinct.ts";

export { parseDate } from "./cell-dates.ts";
export { parseNumber } from "./cell-numbers.ts";

/** What a column holds. */
export type ColumnKind = "number" | "category" | "date" | "text" | "id" | "image" | "json" | "constant" | "empty";

/** What a column is, and why. */
export interface ColumnType {
  /** Its name. */
  readonly name: string;
  /** What it holds. */
  readonly kind: ColumnKind;
  /** One sentence with figures: "344 of 344 values are numbers, 94 distinct". */
  readonly why: string;
  /** Of dates: the format for `parseDate`. */
  readonly dateFormat?: string;
  /** Of numbers: whether a comma stands before the decimals. */
  readonly decimalComma?: boolean;
  /** Of categories and of whole numbers with few distinct values: these by falling frequency, at most 1,000. */
  readonly values?: readonly string[];
  /** Rows, those without a value included. */
  readonly rows: number;
  /** Rows without a value. */
  readonly missing: number;
  /** Distinct values; an estimate where there are more than are kept. */
  readonly distinct: number;
}

/** What is known before the values. */
export interface ColumnTypeOptions {
  /** Whether the file writes a comma before decimals, as `TableFile.decimalComma` says; default false. */
  readonly decimalComma?: boolean;
  /** Columns of the table, which share the memory; default 1. */
  readonly columns?: number;
}

/** Most values of a column that are listed. */
const mostListed = 1000;
/** Distinct values that all columns together keep. */
const sharedValues = 2_000_000;
/** So large a share of the values has to be of a kind; others are errors in the data, which `why` names. */
const enough = 0.95;

const imageName = /\.(?:png|jpe?g|webp|gif|tiff?|avif|bmp)$/i;
const uuid = /^\{?[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}\}?$/i;
const wholeNumber = /^[+-]?\d+$/;
const zeroFirst = /^[+-]?0\d+$/;
/** Names of columns that number or name their rows. */
const idName = /(?:^|[_\-. ])(?:id|uuid|guid|key)$|[a-z]I[dD]$|^(?:id|index|key|uuid|guid)\b/i;

/** Of scripts without spaces between words so many characters count as one, so that names are no texts. */
const fourUnspaced = new RegExp(`[${unspacedScripts}]{4}`, "gu");

/** Collects the values of a column, then says what it is. */
export class ColumnTypeBuilder {
  readonly #name: string;
  readonly #decimalComma: boolean;
  readonly #mostKept: number;
  readonly #distinct: DistinctCounter;
  /** How often each value occurs; once there are too many, of those that were seen first. */
  readonly #counts = new Map<string, number>();
  readonly #dates = new Map<string, number>();
  readonly #others: { value: string; row: number }[] = [];
  #rows = 0;
  #present = 0;
  #points = 0;
  #commas = 0;
  #whole = 0;
  #zeros = 0;
  #dated = 0;
  #images = 0;
  #uuids = 0;
  #json = 0;
  #jsonTried = 0;
  #words = 0;
  #characters = 0;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;
  #previous = Number.NaN;
  #steps = 0;

  constructor(name: string, { decimalComma = false, columns = 1 }: ColumnTypeOptions = {}) {
    this.#name = name;
    this.#decimalComma = decimalComma;
    const share = Math.floor(sharedValues / columns);
    this.#mostKept = Math.max(mostListed, Math.min(10_000, Math.floor(share / 10)));
    this.#distinct = new DistinctCounter(Math.max(200, Math.min(100_000, share)));
  }

  /** The next row's value; "" where it is missing. */
  add(text: string): void {
    this.#rows++;
    if (text === "") return;
    this.#present++;
    this.#distinct.add(hashText(text));
    const times = this.#counts.get(text);
    if (times !== undefined) this.#counts.set(text, times + 1);
    else if (this.#counts.size < this.#mostKept && text.length <= 1000) this.#counts.set(text, 1);
    if (!this.#addNumber(text)) this.#addOther(text);
  }

  #addNumber(text: string): boolean {
    const value = parseNumber(text, this.#decimalComma);
    // The file may be told by its other columns, and this one be the exception.
    const other = value === undefined || /[.,]/.test(text) ? parseNumber(text, !this.#decimalComma) : value;
    if (value !== undefined) this.#points++;
    if (other !== undefined) this.#commas++;
    const number = value ?? other;
    if (number === undefined) return false;
    if (wholeNumber.test(text)) {
      this.#whole++;
      if (zeroFirst.test(text)) this.#zeros++;
    }
    if (number === this.#previous + 1) this.#steps++;
    this.#previous = number;
    this.#least = Math.min(this.#least, number);
    this.#most = Math.max(this.#most, number);
    return true;
  }

  #addOther(text: string): void {
    if (this.#others.length < 3) this.#others.push({ value: text, row: this.#rows });
    this.#characters += text.length;
    this.#words += 1 + (text.match(/\s+\S/g)?.length ?? 0) + (text.match(fourUnspaced)?.length ?? 0);
    // After so many values without a date the rest is not looked at for dates.
    if (this.#present < 1000 || this.#dated > 0.5 * this.#present) {
      const formats = dateFormatsOf(text);
      if (formats.length > 0) this.#dated++;
      for (const format of formats) this.#dates.set(format, (this.#dates.get(format) ?? 0) + 1);
    }
    if (imageName.test(text)) this.#images++;
    else if (uuid.test(text)) this.#uuids++;
    if (/^\s*[[{]/.test(text) && /[\]}]\s*$/.test(text) && (this.#jsonTried++ >= 200 || isJson(text))) this.#json++;
  }

  /** What the column is. */
  build(): ColumnType {
    const distinct = Math.min(this.#distinct.count, this.#present);
    const facts = { name: this.#name, rows: this.#rows, missing: this.#rows - this.#present, distinct };
    const { kind, why, ...more } = this.#decide(distinct);
    const listed =
      kind === "category" ||
      kind === "constant" ||
      (kind === "number" && this.#whole === this.#present && distinct <= mostListed);
    return { ...facts, kind, why, ...more, ...(listed && { values: this.#frequent() }) };
  }

  #frequent(): string[] {
    const byCount = [...this.#counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return byCount.slice(0, mostListed).map(([value]) => value);
  }

  #decide(distinct: number): Pick<ColumnType, "kind" | "why" | "dateFormat" | "decimalComma"> {
    const present = this.#present;
    const missing = this.#rows - present;
    if (present === 0) return { kind: "empty", why: `none of ${plural(this.#rows, "row")} has a value` };
    const absent =
      missing === 0 ? "" : `; ${count(missing)} of ${plural(this.#rows, "row")} ${missing === 1 ? "has" : "have"} none`;
    if (distinct === 1) {
      const [value = ""] = this.#counts.keys();
      return {
        kind: "constant",
        why: `${present === 1 ? "its only value is" : `all ${count(present)} values are`} ${quoted(value)}${absent}`,
      };
    }
    const many = `${this.#distinct.isExact ? "" : "about "}${count(distinct)} distinct`;
    return (
      this.#asNumber(distinct, many, absent) ??
      this.#asDate(many, absent) ??
      this.#asMarked(many, absent) ??
      this.#asWords(distinct, many, absent)
    );
  }

  #asNumber(distinct: number, many: string, absent: string) {
    const present = this.#present;
    const usesOther = this.#commas > this.#points;
    const numbers = Math.max(this.#points, this.#commas);
    if (numbers < enough * present) return undefined;
    if (this.#zeros > 0 && this.#whole === present && distinct > 1) return this.#codes(distinct, many, absent);
    const isWhole = this.#whole === present;
    const [least, most] = [this.#least, this.#most];
    if (isWhole && present > 4 && this.#numbersRows(distinct))
      return { kind: "id", why: `whole numbers from ${least} to ${most}, each once${absent}` } as const;
    if (isWhole && idName.test(this.#name) && (distinct > 0.95 * present ? present > 4 : distinct > 20))
      return {
        kind: "id",
        why: `whole numbers in a column whose name says id, ${many} in ${plural(present, "row")}${absent}`,
      } as const;
    const decimalComma = usesOther ? !this.#decimalComma : this.#decimalComma;
    const signs = decimalComma ? " with a decimal comma" : "";
    const why = `${count(numbers)} of ${plural(present, "value")} are numbers${signs}, ${many}${absent}${this.#exceptions(present - numbers, "no number")}`;
    return { kind: "number", why, ...(decimalComma && { decimalComma }) } as const;
  }

  /** Whether whole numbers count the rows: each once, without a gap. Years do not. */
  #numbersRows(distinct: number): boolean {
    const [least, most] = [this.#least, this.#most];
    if (most - least + 1 !== this.#present || (least >= 1800 && most <= 2100)) return false;
    return this.#distinct.isExact ? distinct === this.#present : this.#steps >= this.#present - 1;
  }

  /** Digits behind a leading zero are names, not amounts. */
  #codes(distinct: number, many: string, absent: string) {
    const why = `digits, of which ${plural(this.#zeros, "value")} begin with a zero: codes rather than amounts, ${many}${absent}`;
    return { kind: distinct > 0.95 * this.#present && this.#present > 20 ? "id" : "category", why } as const;
  }

  #exceptions(others: number, what: string): string {
    const [first] = this.#others;
    if (others <= 0 || !first) return "";
    return `; ${plural(others, "value")} ${others === 1 ? `is ${what}` : `are ${what.replace(/^no (\w+)$/, "no $1s")}`}, such as ${quoted(first.value)} in row ${count(first.row)}`;
  }

  #asDate(many: string, absent: string) {
    const present = this.#present;
    if (this.#dated < enough * present) return undefined;
    const byCount = [...this.#dates].sort(([, m], [, n]) => n - m);
    const chosen: string[] = [];
    const unclear: string[] = [];
    let covered = 0;
    for (const [format, times] of byCount) {
      const twin = lookAlikes[format];
      if (twin !== undefined && (chosen.includes(twin) || chosen.includes(format))) continue;
      chosen.push(format);
      if (twin !== undefined && this.#dates.get(twin) === times) {
        // Where nothing tells, the month is first, as pandas has it.
        if (format.startsWith("DD")) chosen[chosen.length - 1] = twin;
        unclear.push(`no day is above 12, so days and months cannot be told apart: read as ${chosen.at(-1)}`);
      }
      covered += times;
    }
    if (covered < enough * present) return undefined;
    const dateFormat = chosen.join(formatSeparator);
    const named = chosen.length === 1 ? dateFormat : `${chosen.length} formats, ${chosen.join(", ")}`;
    const why = `${count(Math.min(covered, present))} of ${plural(present, "value")} are dates in ${named}, ${many}${absent}${unclear.length > 0 ? `; ${unclear[0]}` : ""}${this.#exceptions(present - covered, "no date")}`;
    return { kind: "date", why, dateFormat } as const;
  }

  /** Kinds that the form of each value shows. */
  #asMarked(many: string, absent: string) {
    const present = this.#present;
    const of = (values: number) => `${count(values)} of ${plural(present, "value")}`;
    if (this.#images >= enough * present)
      return { kind: "image", why: `${of(this.#images)} end as names of images do, ${many}${absent}` } as const;
    if (this.#json >= enough * present)
      return { kind: "json", why: `${of(this.#json)} are JSON lists or objects, ${many}${absent}` } as const;
    if (this.#uuids >= enough * present && present > 1)
      return { kind: "id", why: `${of(this.#uuids)} are UUIDs, ${many}${absent}` } as const;
    return undefined;
  }

  #asWords(distinct: number, many: string, absent: string): Pick<ColumnType, "kind" | "why"> {
    const present = this.#present;
    const others = Math.max(1, present - Math.max(this.#points, this.#commas));
    const [words, characters] = [this.#words / others, this.#characters / others];
    const ratio = distinct / present;
    const length = `${words.toFixed(1)} words each on average`;
    if (ratio >= 0.5 && (words >= 3 || (words >= 1.7 && distinct > 20) || characters > 60))
      return { kind: "text", why: `${many} in ${plural(present, "value")}, of ${length}${absent}` };
    if (characters > 80 && distinct > 20) return { kind: "text", why: `${many}, of ${length}${absent}` };
    if (ratio > 0.95 && (present > 20 || (idName.test(this.#name) && present > 1)))
      return { kind: "id", why: `${many} in ${plural(present, "value")}: hardly any occurs twice${absent}` };
    return { kind: "category", why: `${many} in ${plural(present, "value")}${absent}` };
  }
}

function isJson(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * What each column of a table in memory is.
 * @param rows cells as texts, "" where they are missing
 * @example inferColumnTypes(["size"], [["1"], ["2.5"]])[0].kind // "number"
 */
export function inferColumnTypes(
  names: readonly string[],
  rows: Iterable<readonly string[]>,
  options: Pick<ColumnTypeOptions, "decimalComma"> = {},
): ColumnType[] {
  const builders = names.map((name) => new ColumnTypeBuilder(name, { ...options, columns: names.length }));
  for (const row of rows) for (let i = 0; i < builders.length; i++) builders[i]?.add(row[i] ?? "");
  return builders.map((builder) => builder.build());
}
