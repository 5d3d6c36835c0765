/** Folding of repeated blocks: equal neighbours in a list of layers are listed once, with how many there are. */
import { append } from "../../core/lists.ts";
import type { InspectedLayer } from "./schema.ts";

/** A layer, or blocks that are alike: the layers of the first, and the paths of all. */
export type FoldedItem =
  | { readonly layer: InspectedLayer }
  | { readonly blocks: readonly [string, string, ...string[]]; readonly items: readonly FoldedItem[] };

/** A layer with its path in parts. */
interface Row {
  readonly layer: InspectedLayer;
  readonly parts: readonly string[];
}

/** Folds neighbours whose numbered paths (`h.0`, `h.1`) hold layers that are alike in all but their place. */
export function foldLayers(layers: readonly InspectedLayer[]): readonly FoldedItem[] {
  return foldRows(
    layers.map((layer) => ({ layer, parts: layer.name.split(".") })),
    0,
  );
}

function foldRows(rows: readonly Row[], depth: number): readonly FoldedItem[] {
  const groups = groupNeighbours(rows, depth);
  const items: FoldedItem[] = [];
  for (let i = 0; i < groups.length; ) {
    const alike = countAlike(groups, i, depth);
    const group = groups[i] as readonly Row[];
    const [first, second, ...others] = groups.slice(i, i + alike).map((own) => pathTo(own, depth));
    if (first !== undefined && second !== undefined)
      items.push({ blocks: [first, second, ...others], items: foldRows(group, depth + 1) });
    else if (group.length > 1) append(items, foldRows(group, depth + 1));
    else
      append(
        items,
        group.map(({ layer }) => ({ layer })),
      );
    i += alike;
  }
  return items;
}

/** Runs of rows with the same part at a depth; a row whose path ends there stands alone. */
function groupNeighbours(rows: readonly Row[], depth: number): (readonly Row[])[] {
  const groups: Row[][] = [];
  let current: string | undefined;
  for (const row of rows) {
    const part = row.parts.length > depth + 1 ? row.parts[depth] : undefined;
    if (part !== undefined && part === current) groups.at(-1)?.push(row);
    else groups.push([row]);
    current = part;
  }
  return groups;
}

/** How many groups from the i-th on are alike, that one included. */
function countAlike(groups: readonly (readonly Row[])[], i: number, depth: number): number {
  const isBlock = (group: readonly Row[] | undefined) => group?.[0] && /\d/.test(group[0].parts[depth] ?? "");
  if ((groups[i]?.length ?? 0) < 2 || !isBlock(groups[i])) return 1;
  const wanted = signatureOf(groups[i] ?? [], depth);
  let count = 1;
  while (isBlock(groups[i + count]) && signatureOf(groups[i + count] ?? [], depth) === wanted) count++;
  return count;
}

/** Everything that is reported of the layers of a group, but for the path to it. */
const signatureOf = (rows: readonly Row[], depth: number): string =>
  JSON.stringify(rows.map(({ layer, parts }) => ({ ...layer, name: parts.slice(depth + 1), role: undefined })));

const pathTo = (rows: readonly Row[], depth: number): string => rows[0]?.parts.slice(0, depth + 1).join(".") ?? "";

/** How many layers an item stands for. */
export const layersIn = (item: FoldedItem): number =>
  "layer" in item ? 1 : item.blocks.length * item.items.reduce((sum, inner) => sum + layersIn(inner), 0);
