/** The profile of a table in a file. */
import { stat } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { DataError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { inferColumnTypes } from "../tables/column-kinds.ts";
import { openTable, type TableOptions } from "../tables/table-file.node.ts";
import { associationsOf } from "./associations.ts";
import { columnProfile, columnTypeOf } from "./column-profile.ts";
import type { ColumnStream } from "./column-stream.ts";
import { encodedColumn } from "./encoded-column.ts";
import type { ColumnProfile, DataProfile, Finding, NearDuplicate, TableProfile } from "./profile.ts";
import type { SampledRow } from "./scan-state.ts";
import { splitAdvice } from "./split.ts";
import { associationFindings, columnFindings, inOrder, likenessFindings, rowFindings } from "./table-findings.ts";
import { scanTable } from "./table-scan.node.ts";
import { targetFindings, targetPlace, targetProfile } from "./target.ts";
import { nearDuplicateTexts } from "./text-likeness.ts";

/** Texts of a column that are compared, and pairs that are kept. */
const [mostTexts, mostPairs] = [5000, 100];
/** Columns whose associations and predictions are computed. */
const mostColumns = 200;
/** Images of a column that are looked for on the disk. */
const mostImages = 1000;

/** Rows without any missing value. */
const completeShare = (sample: readonly SampledRow[]): number =>
  sample.filter(({ cells }) => !cells.includes("")).length / sample.length;

/** Near-duplicates of each column of texts, their rows named by line. */
function likenesses(columns: readonly ColumnProfile[], sample: readonly SampledRow[], target: number): NearDuplicate[] {
  const step = Math.ceil(sample.length / mostTexts);
  const rows = sample.filter((_, i) => i % step === 0);
  return columns.flatMap(({ kind }, i) => {
    if (kind !== "text") return [];
    const texts = rows.map(({ cells, line }) => ({
      name: `line ${line}`,
      text: cells[i] ?? "",
      ...(target >= 0 && { label: cells[target] ?? "" }),
    }));
    return nearDuplicateTexts(texts).slice(0, mostPairs);
  });
}

/** Images that a column names and that are not there. */
async function missingImages(
  path: string,
  columns: readonly ColumnProfile[],
  sample: readonly SampledRow[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [i, { name, kind }] of columns.entries()) {
    if (kind !== "image") continue;
    const named = sample.map(({ cells }) => cells[i] ?? "").filter((cell) => cell !== "" && !/^\w+:\/\//.test(cell));
    const looked = named.slice(0, mostImages);
    const found = await Promise.all(
      looked.map((own) =>
        stat(isAbsolute(own) ? own : join(dirname(path), own)).then(
          () => true,
          () => false,
        ),
      ),
    );
    const absent = looked.filter((_, at) => !found[at]);
    if (absent.length > 0)
      findings.push({
        weight: "problem",
        text: `"${name}" names ${plural(absent.length, "image")} of ${looked.length} looked for that ${absent.length === 1 ? "is" : "are"} not there, such as ${absent[0]}; paths are taken from the table's folder`,
      });
  }
  return findings;
}

/** Profiles a table. Throws FileError or DataError for a broken row, OptionError for a target that is no column. */
export async function profileTable(
  path: string,
  target: string | undefined,
  options: TableOptions,
): Promise<DataProfile> {
  const file = await openTable(path, options);
  const targetAt = target === undefined ? -1 : targetPlace(file.names, target, path);
  const { size } = await stat(path);
  const { rows, columns: streams, duplicated, sample } = await scanTable(file, options.missing);
  if (rows === 0) throw new DataError(`${path}: has no rows below its names, expected at least one`);
  const types = inferColumnTypes(
    file.names,
    sample.map(({ cells }) => cells),
    file,
  );
  const cellsOf = (i: number) => sample.map(({ cells }) => cells[i] ?? "");
  const columns = types.map((type, i) => {
    const stream = streams[i] as ColumnStream;
    return columnProfile(columnTypeOf(type, stream, rows), stream, cellsOf(i));
  });
  const encoded = columns.slice(0, mostColumns).flatMap((type, i) => encodedColumn(type, cellsOf(i)) ?? []);
  const table: TableProfile = {
    rows,
    sampled: sample.length,
    duplicatedRows: duplicated.count,
    comparedRows: duplicated.rows,
    firstDuplicates: duplicated.first.map((row) => row + 1),
    completeShare: completeShare(sample),
    columns,
    associations: associationsOf(encoded),
  };
  const targetColumn = columns[targetAt];
  const profiled =
    targetColumn &&
    targetProfile({
      column: targetColumn,
      stream: streams[targetAt] as ColumnStream,
      cells: cellsOf(targetAt),
      others: encoded,
    });
  const nearDuplicates = likenesses(columns, sample, profiled?.task === "classes" ? targetAt : -1);
  const sampled =
    rows > sample.length
      ? [`quantiles, outliers, associations and predictions from a sample of ${plural(sample.length, "row")}`]
      : [];
  const wide =
    columns.length > mostColumns ? [`associations and predictions of the first ${mostColumns} columns only`] : [];
  return {
    path,
    kind: "table",
    bytes: size,
    notes: [...file.notes, ...sampled, ...wide],
    findings: inOrder([
      ...(targetColumn && profiled ? targetFindings(targetColumn, profiled) : []),
      ...rowFindings(table),
      ...columnFindings(columns, target),
      ...associationFindings(table.associations, target),
      ...likenessFindings(nearDuplicates, "texts"),
      ...(await missingImages(path, columns, sample)),
    ]),
    table,
    ...(profiled && { target: profiled }),
    nearDuplicates,
    split: splitAdvice(columns, sample, profiled),
  };
}
