/** The target of a table: its task, its classes, and what is wrong with it. */
import { unknownName } from "../../core/errors.ts";
import { count, percent, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import type { ColumnStream } from "./column-stream.ts";
import { codesOf, type EncodedColumn, encodedColumn } from "./encoded-column.ts";
import { predictorsOf } from "./predictors.ts";
import type { ColumnProfile, Finding, Predictor, TargetProfile, ValueCount } from "./profile.ts";

/** Whole numbers with as many distinct values at most are taken for classes. */
const mostClasses = 20;
/** Classes that are listed. */
const mostListed = 1000;

/** The place of the target among the columns. Throws OptionError for an unknown name. */
export function targetPlace(names: readonly string[], target: string, path: string): number {
  const at = names.indexOf(target);
  if (at < 0) throw unknownName(`column of ${path}:`, target, names);
  return at;
}

/** What a target is asked with. */
export interface TargetQuestion {
  readonly column: ColumnProfile;
  readonly stream: ColumnStream;
  /** Its cells in the sample. */
  readonly cells: readonly string[];
  /** The other columns of the sample. */
  readonly others: readonly EncodedColumn[];
}

/** Whether a target of this type is of classes. */
function hasClasses({ kind, distinct, rows, missing, numbers }: ColumnProfile, stream: ColumnStream): boolean {
  if (kind === "category") return true;
  const isWhole = numbers !== undefined && numbers.least % 1 === 0 && numbers.most % 1 === 0;
  return (
    kind === "number" &&
    isWhole &&
    distinct <= mostClasses &&
    distinct <= 0.5 * (rows - missing) &&
    stream.values.isExact
  );
}

/** The task of a target, its classes, and what each other column says of it. */
export function targetProfile({ column, stream, cells, others }: TargetQuestion): TargetProfile {
  const { name, kind } = column;
  if (hasClasses(column, stream)) {
    const { codes, names } = codesOf(cells);
    const target: EncodedColumn = { name, codes, levels: names.length };
    return { name, task: "classes", classes: stream.values.top(mostListed), predictors: predictorsOf(others, target) };
  }
  const target = kind === "number" ? encodedColumn(column, cells) : undefined;
  if (!target) return { name, task: "none", predictors: [] };
  return { name, task: "number", predictors: predictorsOf(others, target) };
}

/** What is wrong with a target as such. */
export function targetFindings(column: ColumnProfile, profile: TargetProfile): Finding[] {
  const { name, kind, missing, rows, distinct } = column;
  const problem = (text: string): Finding => ({ weight: "problem", text: `target ${quoted(name)} ${text}` });
  if (kind === "empty") return [problem("has no value in any row; fill it in, or name another column")];
  if (kind === "constant")
    return [problem("has one value in all rows, so there is nothing to learn; name another column")];
  if (kind === "id")
    return [
      problem(
        `has ${plural(distinct, "value")} in ${plural(rows, "row")}, each of its own: it names rows, and cannot be predicted; name another column`,
      ),
    ];
  if (profile.task === "none") return [problem(`is of kind ${kind}, expected classes or numbers; name another column`)];
  const findings: Finding[] = [];
  if (missing > 0)
    findings.push(
      problem(`is missing in ${plural(missing, "row")} (${percent(missing / rows)}); leave these out of training`),
    );
  const classes = profile.classes ?? [];
  if (profile.task === "classes" && distinct > classes.length)
    findings.push(problem(`has ${count(distinct)} classes, too many to learn from this table`));
  return [
    ...findings,
    ...balanceFindings(classes, `target ${quoted(name)}`, "row"),
    ...profile.predictors.filter(({ leaks }) => leaks).map((predictor) => leakFinding(predictor, profile)),
  ];
}

/** Classes of few rows, files or objects, and one that is most of them. */
export function balanceFindings(
  classes: readonly ValueCount[],
  what: string,
  unit: string,
  mend = (largest: string) => `compare with always saying ${largest}, and weight the classes`,
): Finding[] {
  const total = classes.reduce((sum, { count: own }) => sum + own, 0);
  const findings: Finding[] = [];
  const [largest] = classes;
  const smallest = classes.at(-1);
  if (classes.length === 1 && largest)
    findings.push({
      weight: "problem",
      text: `${what} has one class only, ${quoted(largest.value)}; a second is needed to tell anything apart`,
    });
  if (largest && smallest && classes.length > 1 && largest.count > 10 * smallest.count)
    findings.push({
      weight: "hint",
      text: `${what} is unbalanced: ${quoted(largest.value)} has ${plural(largest.count, unit)} (${percent(largest.count / total)}), ${quoted(smallest.value)} ${plural(smallest.count, unit)}; ${mend(quoted(largest.value))}`,
    });
  const rare = classes.filter(({ count: own }) => own < 5);
  if (rare.length > 0 && classes.length > 1)
    findings.push({
      weight: "hint",
      text: `${what} has ${plural(rare.length, "class", "classes")} of fewer than 5 ${unit}s, such as ${quoted(rare[0]?.value ?? "")}; gather more, or join them`,
    });
  return findings;
}

function leakFinding({ column, score, baseline }: Predictor, { name, task }: TargetProfile): Finding {
  const how =
    task === "classes"
      ? `predicts ${percent(score)} of ${quoted(name)} right, where the most frequent class is right in ${percent(baseline)}`
      : `explains ${percent(score)} of the variance of ${quoted(name)}`;
  return {
    weight: "problem",
    text: `${quoted(column)} alone ${how}: it probably leaks the target; leave it out if it is not known before`,
  };
}
