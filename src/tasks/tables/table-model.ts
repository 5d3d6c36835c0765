/** The network of an encoded table. */
import type { FieldEncoding, RowEncoding } from "../../data/tables/row-encoding.ts";
import type { TableColumn } from "../../models/tables/table-columns.ts";
import { TableNetwork, type TableNetworkOptions } from "../../models/tables/table-network.ts";
import type { TableTarget } from "./target.ts";

function columnsOf(field: FieldEncoding): readonly TableColumn[] {
  if (field.kind === "number") return [{ kind: "number", ...field.statistics }];
  if (field.kind === "date") return field.parts.map(({ statistics }) => ({ kind: "number", ...statistics }));
  if (field.kind === "category") return [{ kind: "category", values: field.values.length }];
  return [{ kind: "words", words: field.words.length }];
}

/** A network that reads rows as `encoding` makes them, and predicts the target. */
export const tableModel = (
  { fields }: RowEncoding,
  target: TableTarget,
  options: Pick<TableNetworkOptions, "members" | "width" | "dropout">,
): TableNetwork =>
  new TableNetwork(fields.flatMap(columnsOf), {
    ...options,
    outputs: target.kind === "classes" ? target.classes.length : 1,
    target: target.kind === "number" ? { mean: target.mean, deviation: target.deviation } : undefined,
  });
