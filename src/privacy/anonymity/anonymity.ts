/** How anonymous the rows of a table are to who knows some of their columns: k-anonymity, l-diversity, t-closeness. */
import { DataError, OptionError, unknownName } from "../../core/errors.ts";
import { groupBy } from "../../core/group-by.ts";
import { listOf, string } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";

/** A row of microdata, a table with a row a person: a number or a text a column. */
export type MicrodataRow = Readonly<Record<string, string | number>>;

/** Options of `measureAnonymity`. */
export interface AnonymityOptions {
  /** Columns that others may know of a person, such as age, sex and postal code. */
  readonly quasiIdentifiers: readonly string[];
  /** The column that nobody is to find out, such as a diagnosis; default none is looked at. */
  readonly sensitive?: string | undefined;
}

/** How anonymous a table is. */
export interface Anonymity {
  /** Rows of the smallest group of rows that are alike in their quasi-identifiers (Sweeney 2002). */
  readonly k: number;
  /** Groups of alike rows. */
  readonly groups: number;
  /** Share of the rows that are like no other. */
  readonly unique: number;
  /** The least number of different sensitive values in a group (Machanavajjhala et al. 2007); nothing without a sensitive column. */
  readonly l?: number;
  /** Exponential of the least entropy of the sensitive values of a group: how many there are, by how often they come. */
  readonly entropyL?: number;
  /**
   * The farthest that a group's sensitive values are from those of the table, from 0 to 1 (Li et al. 2007): by the earth mover's distance over the order of numbers, or by half of the
   * differences of shares of categories.
   */
  readonly t?: number;
}

const check = optionsOf<AnonymityOptions>("measureAnonymity", {
  quasiIdentifiers: required(listOf(string, "names of columns")),
  sensitive: string,
});

/** Throws OptionError for columns that are not there, DataError for a table without rows and for values that are missing. */
export function requireColumns(
  where: string,
  rows: readonly MicrodataRow[],
  { quasiIdentifiers, sensitive }: AnonymityOptions,
): void {
  const [first] = rows;
  if (!first) throw new DataError(`${where}: the table has no rows; pass one at least`);
  if (quasiIdentifiers.length === 0)
    throw new OptionError(`${where}: there are no quasi-identifiers; name the columns that others may know`);
  const names = [...quasiIdentifiers, ...(sensitive === undefined ? [] : [sensitive])];
  const stray = names.find((name) => !Object.hasOwn(first, name));
  if (stray !== undefined) throw unknownName("column", stray, Object.keys(first));
  if (sensitive !== undefined && quasiIdentifiers.includes(sensitive))
    throw new OptionError(`${where}: "${sensitive}" is sensitive and a quasi-identifier; it can be one of them`);
  for (const [i, row] of rows.entries()) {
    const stray = names.find((name) => typeof row[name] !== "string" && !Number.isFinite(row[name]));
    if (stray !== undefined)
      throw new DataError(
        `${where}: row ${i} has ${String(row[stray])} as "${stray}", expected a text or a finite number; write what stands for a missing value, such as ""`,
      );
  }
}

const keyOf = (row: MicrodataRow, columns: readonly string[]): string =>
  JSON.stringify(columns.map((name) => row[name]));

/**
 * Measures how anonymous rows are. Throws OptionError for columns that are not there, DataError for a table without rows and for missing values.
 * @example measureAnonymity(rows, { quasiIdentifiers: ["age", "sex", "zip"], sensitive: "diagnosis" }).k
 */
export function measureAnonymity(rows: readonly MicrodataRow[], options: AnonymityOptions): Anonymity {
  const { quasiIdentifiers, sensitive } = check(options);
  requireColumns("measureAnonymity", rows, options);
  const groups = [...groupBy(rows, (row) => keyOf(row, quasiIdentifiers)).values()];
  const sizes = groups.map((group) => group.length);
  const measured = {
    k: Math.min(...sizes),
    groups: groups.length,
    unique: sizes.filter((size) => size === 1).length / rows.length,
  };
  if (sensitive === undefined) return measured;
  const ofTable = new SensitiveValues(rows.map((row) => row[sensitive] as string | number));
  const own = groups.map((group) => ofTable.measure(group.map((row) => row[sensitive] as string | number)));
  return {
    ...measured,
    l: Math.min(...own.map(({ distinct }) => distinct)),
    entropyL: Math.min(...own.map(({ entropy }) => Math.exp(entropy))),
    t: Math.max(...own.map(({ distance }) => distance)),
  };
}

/** The sensitive values of a table, beside which those of groups are held. */
export class SensitiveValues {
  readonly #places: ReadonlyMap<string | number, number>;
  readonly #shares: Float64Array;
  readonly #isOrdered: boolean;

  constructor(values: readonly (string | number)[]) {
    this.#isOrdered = values.every((value) => typeof value === "number");
    const different = [...new Set(values)];
    if (this.#isOrdered) different.sort((a, b) => Number(a) - Number(b));
    this.#places = new Map(different.map((value, i) => [value, i]));
    this.#shares = this.#sharesOf(values);
  }

  #sharesOf(values: readonly (string | number)[]): Float64Array {
    const shares = new Float64Array(this.#places.size);
    for (const value of values) {
      const place = this.#places.get(value) as number;
      shares[place] = (shares[place] as number) + 1 / values.length;
    }
    return shares;
  }

  /** How many different values a group has, their entropy in nats, and how far they are from those of the table. */
  measure(values: readonly (string | number)[]): {
    readonly distinct: number;
    readonly entropy: number;
    readonly distance: number;
  } {
    const shares = this.#sharesOf(values);
    const present = shares.filter((share) => share > 0);
    const entropy = -present.reduce((sum, share) => sum + share * Math.log(share), 0);
    let [moved, distance] = [0, 0];
    for (const [i, share] of shares.entries()) {
      const more = share - (this.#shares[i] as number);
      moved += more;
      distance += this.#isOrdered ? Math.abs(moved) : Math.abs(more) / 2;
    }
    const span = this.#isOrdered ? Math.max(1, shares.length - 1) : 1;
    return { distinct: present.length, entropy, distance: distance / span };
  }
}
