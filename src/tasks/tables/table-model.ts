/** The network of an encoded table. */
import type { FieldEncoding, RowEncoding } from "../../data/tables/rows/row-encoding.ts";
import { imageFeatures } from "../../models/tables/image-branch.ts";
import type { TableColumn } from "../../models/tables/table-columns.ts";
import { TableNetwork, type TableNetworkOptions } from "../../models/tables/table-network.ts";
import type { TableTarget } from "./target.ts";

/** What the numbers are that a field becomes. */
export function columnsOf(field: FieldEncoding): readonly TableColumn[] {
  if (field.kind === "number") return [{ kind: "number", ...field.statistics }];
  if (field.kind === "date") return field.parts.map(({ statistics }) => ({ kind: "number", ...statistics }));
  if (field.kind === "category") return [{ kind: "category", values: field.values.length }];
  return field.kind === "image" ? [field] : [{ kind: "words", words: field.words.length }];
}

/** Weights of a member's first layer; of tables with very many columns the hidden layers are narrower. */
const mostWeights = 640_000;

/** Numbers that the first layer of a network of bins reads. */
const inputsOf = (columns: readonly TableColumn[]): number =>
  columns.reduce((sum, column) => {
    if (column.kind === "number") return sum + column.edges.length - 1;
    if (column.kind === "image") return sum + imageFeatures;
    return sum + (column.kind === "words" ? column.words : 8);
  }, 0);

/** A network that reads rows as `encoding` makes them, and predicts the target. */
export function tableModel(
  { fields }: RowEncoding,
  target: TableTarget,
  { members, width }: Required<Pick<TableNetworkOptions, "members" | "width">>,
): TableNetwork {
  const columns = fields.flatMap(columnsOf);
  return new TableNetwork(columns, {
    members,
    width: Math.min(width, Math.max(8, Math.floor(mostWeights / inputsOf(columns)))),
    outputs: target.kind === "classes" ? target.classes.length : 1,
    target: target.kind === "number" ? { mean: target.mean, deviation: target.deviation } : undefined,
  });
}
