/** Tasks of your own files. */
export { type LoadedTable, loadTable, type TableRequest } from "./tables/load-table.node.ts";
