/** How pairs of a text and its translation are recognized in a table. */
import type { ColumnType } from "../../data/tables/column-kinds.ts";
import type { DataKind } from "../kinds/data-kind.ts";

/** Columns of sentences: free text, or as good as all different, which short sentences look like. */
export const sentenceColumns = (columns: readonly ColumnType[]): readonly ColumnType[] =>
  columns.filter(({ kind }) => kind === "text");

/** A table of texts and their translations. */
export const translationKind: DataKind = {
  recipe: "translation",
  tasks: ["translation"],
  recognize(data) {
    if (data.kind !== "table") return undefined;
    const [source, target, ...more] = sentenceColumns(data.columns);
    const others = data.columns.filter(({ kind }) => !["text", "id", "constant", "empty"].includes(kind));
    if (!source || !target || more.length > 0 || others.length > 0) return undefined;
    return `texts (${JSON.stringify(source.name)}) and their translations (${JSON.stringify(target.name)})`;
  },
};
