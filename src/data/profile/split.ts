/** How to split a table so that what is measured on one part holds for new data. */
import { count, plural } from "../../core/number-text.ts";
import { parseDate } from "../tables/column-kinds.ts";
import type { ColumnProfile, SplitAdvice, TargetProfile } from "./profile.ts";
import type { SampledRow } from "./scan-state.ts";

/** Names of columns whose values are whom or what the rows are of. */
const groupName =
  /(?:^|[_\-. ])(?:user|person|people|patient|customer|client|subject|speaker|author|driver|player|student|household|family|group|session|device|machine|sensor|store|shop|symbol|ticker|station|account|case|visit)s?(?:[_\-. ]?(?:id|name|no|nr|number|code))?$/i;

/** The share of dates that follow the one before in time, or in the other direction. */
export function orderedShare(cells: readonly string[], format: string): number {
  let [rising, falling, pairs, before] = [0, 0, 0, Number.NaN];
  for (const cell of cells) {
    const moment = parseDate(cell, format);
    if (moment === undefined) continue;
    if (!Number.isNaN(before)) {
      pairs++;
      if (moment >= before) rising++;
      if (moment <= before) falling++;
    }
    before = moment;
  }
  return pairs === 0 ? 0 : Math.max(rising, falling) / pairs;
}

/** So large a share says that rows are in the order of time. */
export const ordered = 0.98;

function byTime(columns: readonly ColumnProfile[], sample: readonly SampledRow[]): SplitAdvice | undefined {
  for (const [i, { name, kind, dateFormat, distinct }] of columns.entries()) {
    if (kind !== "date" || dateFormat === undefined || distinct < 10) continue;
    const share = orderedShare(
      sample.map(({ cells }) => cells[i] ?? ""),
      dateFormat,
    );
    if (share >= ordered)
      return {
        by: "time",
        column: name,
        why: `the rows are in the order of "${name}": train on the earlier ones, test on the later, as new rows will be later still`,
      };
  }
  return undefined;
}

function byGroup(columns: readonly ColumnProfile[], target: TargetProfile | undefined): SplitAdvice | undefined {
  const groups = columns.filter(({ name, kind, distinct, rows, missing }) => {
    const present = rows - missing;
    if (name === target?.name || distinct < 5 || distinct > 0.7 * present) return false;
    if (kind === "id") return true;
    return (kind === "category" || kind === "number") && groupName.test(name);
  });
  const [group] = groups.sort((a, b) => b.distinct - a.distinct);
  if (!group) return undefined;
  const each = (group.rows - group.missing) / group.distinct;
  return {
    by: "group",
    column: group.name,
    why: `"${group.name}" has ${plural(group.distinct, "value")} of ${each.toFixed(1)} rows each: keep those of one value together, or the model is tested on what it has seen`,
  };
}

/** The advice for a table: by time where its rows are ordered in it, by group where several rows are of one, by class, else at random. */
export function splitAdvice(
  columns: readonly ColumnProfile[],
  sample: readonly SampledRow[],
  target: TargetProfile | undefined,
): SplitAdvice {
  return byTime(columns, sample) ?? byGroup(columns, target) ?? byClass(target);
}

/** By class where there are some, else at random. */
export function byClass(target: TargetProfile | undefined): SplitAdvice {
  const classes = target?.classes ?? [];
  if (!target || classes.length < 2)
    return { by: "random", why: "no column shows an order in time or groups: rows may be split at random" };
  const rarest = classes.at(-1);
  const few = rarest && rarest.count < 10 ? `; "${rarest.value}" has only ${plural(rarest.count, "row")}` : "";
  return {
    by: "class",
    column: target.name,
    why: `each part keeps the shares of ${count(classes.length)} classes${few}`,
  };
}
