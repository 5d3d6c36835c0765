/** How a table is recognized. */
import type { DataKind } from "../kinds/data-kind.ts";

/** Rows of columns, one of which is predicted by the others. */
export const tableKind: DataKind = {
  recipe: "table",
  tasks: [],
  recognize: (data) => (data.kind === "table" ? "a table" : undefined),
};
