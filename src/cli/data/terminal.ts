/** A profile of data for a person at a terminal, within its columns. */
import { greatest } from "../../core/lists.ts";
import { byteText, count, percent, plural } from "../../core/number-text.ts";
import { inOneLine } from "../../core/printable.ts";
import type { BoxesProfile, ColumnProfile, DataProfile, Histogram, TargetProfile } from "../../data/profile/profile.ts";
import { bar } from "../inspect/units.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";
import { cut, pad, widest } from "../text.ts";
import { boxesText, missingText, scoreText, shortNumber, valueText } from "./values.ts";

/** Columns, classes and pairs that are shown. */
const [mostColumns, mostClasses, mostPairs] = [40, 12, 5];

const blocks = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** A histogram in ten characters. */
export function sparkline({ counts }: Histogram): string {
  const joined = Array.from(
    { length: Math.ceil(counts.length / 2) },
    (_, i) => (counts[2 * i] ?? 0) + (counts[2 * i + 1] ?? 0),
  );
  const most = greatest(joined, 1);
  return joined.map((own) => (own === 0 ? " " : blocks[Math.min(7, Math.floor((8 * own) / most))])).join("");
}

/** What a column's values are, in a line. */
function summaryOf(column: ColumnProfile): string {
  const { numbers, top, texts } = column;
  if (numbers)
    return `${sparkline(numbers.histogram)} ${valueText(column, numbers.least)} to ${valueText(column, numbers.most)}${column.kind === "date" ? "" : `, mean ${valueText(column, numbers.mean)}`}`;
  if (texts) return `${shortNumber(texts.words)} words, ${shortNumber(texts.characters)} characters on average`;
  return (top ?? [])
    .slice(0, 3)
    .map(({ value, count: own }) => `${cut(value, 18)} ${percent(own / column.rows)}`)
    .join(", ");
}

function showColumns(columns: readonly ColumnProfile[], output: Output): void {
  const shown = columns.slice(0, mostColumns);
  const rows = shown.flatMap((column) => [
    [cut(inOneLine(column.name), 20), column.kind, missingText(column), summaryOf(column)],
    ["", "", "", column.why],
  ]);
  const heads = [
    { head: "Column", width: 20 },
    { head: "Kind", width: 8 },
    { head: "Missing", align: "right" },
    { head: "Values, and why they are of this kind" },
  ] as const;
  output.line();
  showTable(heads, rows, output);
  if (columns.length > shown.length)
    output.line(`… and ${count(columns.length - shown.length)} more; all of them: --html FILE, --json`);
}

function showTarget(target: TargetProfile, output: Output): void {
  const { classes = [], predictors } = target;
  if (classes.length > 0) {
    output.line(`\nClasses of ${inOneLine(target.name)}: ${count(classes.length)}`);
    const total = classes.reduce((sum, { count: own }) => sum + own, 0);
    const shown = classes
      .slice(0, mostClasses)
      .map(({ value, count: own }) => ({ name: cut(inOneLine(value), 24), own }));
    const width = widest(shown.map(({ name }) => name));
    const room = Math.max(8, Math.min(32, output.columns - width - 24));
    for (const { name, own } of shown)
      output.line(
        `  ${pad(name, width)}  ${pad(count(own), 11, "right")}  ${pad(percent(own / total), 8, "right")}  ${bar(own, classes[0]?.count ?? 1, room)}`.trimEnd(),
      );
    if (classes.length > shown.length) output.line(`  … and ${count(classes.length - shown.length)} more`);
  }
  const [first] = predictors;
  if (!first) return;
  output.line();
  const told = predictors.slice(0, mostPairs).map((own) => `${inOneLine(own.column)} ${scoreText(target, own.score)}`);
  const baseline = target.task === "classes" ? `; the most frequent class ${percent(first.baseline)}` : "";
  output.prose(`One column alone predicts ${inOneLine(target.name)}: ${told.join(", ")}${baseline}`, 2);
}

/** The pairs of columns that go together most. */
function showAssociations({ names, values }: NonNullable<DataProfile["table"]>["associations"], output: Output): void {
  const pairs = values.flatMap((row, i) =>
    row.flatMap((value, j) =>
      j > i && value !== null && Math.abs(value) >= 0.5 ? [{ pair: `${names[i]} and ${names[j]}`, value }] : [],
    ),
  );
  if (pairs.length === 0) return;
  pairs.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  output.line();
  output.prose(
    `Columns that go together: ${pairs
      .slice(0, mostPairs)
      .map(({ pair, value }) => `${inOneLine(pair)} ${value.toFixed(2)}`)
      .join("; ")}`,
    2,
  );
}

function showFiles({ files }: DataProfile, output: Output): void {
  if (!files) return;
  const rows = files.figures.map(({ name, numbers }) => [
    name,
    sparkline(numbers.histogram),
    shortNumber(numbers.least),
    shortNumber(numbers.quartiles[1]),
    shortNumber(numbers.most),
  ]);
  output.line();
  const heads = [
    { head: "Figure" },
    { head: "Distribution" },
    { head: "least", align: "right" },
    { head: "median", align: "right" },
    { head: "most", align: "right" },
  ] as const;
  showTable(heads, rows, output);
  output.line();
  for (const { value, count: own } of files.forms.slice(0, 10))
    output.prose(`${plural(own, "file")}: ${inOneLine(value)}`, 2);
  if (files.broken.length > 0) output.line("\nCannot be read:");
  for (const { path, reason } of files.broken.slice(0, 10))
    output.prose(`- ${inOneLine(path)}: ${inOneLine(reason)}`, 2);
  if (files.broken.length > 10) output.line(`  … and ${count(files.broken.length - 10)} more`);
}

/** Boxes by class, with the images that have some, and how many images have. */
function showBoxes(boxes: BoxesProfile, output: Output): void {
  const total = boxes.count - boxes.crowds;
  const rows = boxes.classes
    .slice(0, mostColumns)
    .map(({ value, count: own, images, medianShare }) => [
      cut(inOneLine(value), 24),
      count(own),
      percent(own / total),
      count(images),
      percent(medianShare),
    ]);
  const heads = [
    { head: "Class", width: 24 },
    { head: "Boxes", align: "right" },
    { head: "Share", align: "right" },
    { head: "Images", align: "right" },
    { head: "Median area", align: "right" },
  ] as const;
  output.line();
  output.prose(`${inOneLine(boxes.form)}: ${boxesText(boxes)}`, 2);
  if (rows.length > 0) showTable(heads, rows, output);
  if (boxes.classes.length > rows.length) output.line(`  … and ${count(boxes.classes.length - rows.length)} more`);
  output.prose(
    `Images by boxes: ${boxes.images.map(({ value, count: own }) => `${value} in ${count(own)}`).join(", ")}`,
    2,
  );
  for (const { part, images, boxes: own } of boxes.parts)
    output.prose(`Part ${part}: ${plural(images, "image")}, ${plural(own, "box", "boxes")}`, 2);
}

/** Shows a profile. */
export function showProfile(profile: DataProfile, output: Output): void {
  const { path, kind, bytes, notes, findings, table: rows, files, boxes, target, split } = profile;
  const size = rows
    ? `${plural(rows.rows, "row")}, ${plural(rows.columns.length, "column")}`
    : `${plural(files?.count ?? 0, "file")} of ${kind}`;
  output.prose(`${inOneLine(path)}: ${size}, ${byteText(bytes)}`, 2);
  for (const note of notes) output.prose(inOneLine(note), 2);
  for (const [weight, title] of [
    ["problem", "Problems"],
    ["hint", "Worth knowing"],
  ] as const) {
    const own = findings.filter((finding) => finding.weight === weight);
    if (own.length > 0) output.line(`\n${title}`);
    for (const { text } of own) output.prose(`- ${inOneLine(text)}`, 2);
  }
  if (rows) showColumns(rows.columns, output);
  showFiles(profile, output);
  if (boxes) showBoxes(boxes, output);
  else if (target) showTarget(target, output);
  if (rows) showAssociations(rows.associations, output);
  const by = split.column === undefined ? split.by : `${split.by} (${inOneLine(split.column)})`;
  output.line();
  output.prose(`Split by ${split.by === "random" ? "chance" : by}: ${inOneLine(split.why)}`, 2);
}
