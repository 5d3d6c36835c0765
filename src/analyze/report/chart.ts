/** A structure small enough to draw: repeated blocks folded into one, blocks as single boxes where there are still too many. */

import { groupBy } from "../../core/group-by.ts";
import { append, appendTo } from "../../core/lists.ts";
import { total } from "../networks/network.ts";
import { type FoldedItem, foldLayers } from "./fold.ts";
import type { Inspection } from "./schema.ts";
import type { Structure, Vertex } from "./structure.ts";

export interface ChartNode extends Vertex {
  /** How many layers a box stands for. */
  readonly layers: number;
}

/** A frame around nodes, maybe around other frames. */
export interface ChartGroup {
  readonly path: string;
  readonly label: string;
  readonly nodes: readonly ChartNode[];
  readonly groups: readonly ChartGroup[];
}

export interface Chart {
  readonly root: ChartGroup;
  readonly edges: readonly (readonly [from: number, to: number])[];
}

/** More boxes than this are not read; GitHub draws no more than 500 edges. */
const mostNodes = 120;

/** Blocks that are alike: each with a path of its own, or one that runs several times. */
interface Alike {
  readonly first: string;
  readonly label: string;
  /** Paths of all, the first too; none for a block that runs several times. */
  readonly copies: readonly string[];
  readonly runs: number;
}

/** The chart of a structure, in at most so many boxes as can be read. */
export function chartOf(structure: Structure, inspection: Inspection): Chart {
  const folded = fold(structure, alikeBlocks(foldLayers(inspection.layers), inspection));
  return group(folded.nodes.length > mostNodes ? collapse(folded) : folded);
}

interface Flat {
  readonly nodes: readonly ChartNode[];
  readonly edges: readonly (readonly [number, number])[];
  readonly labels: ReadonlyMap<string, string>;
}

function alikeBlocks(items: readonly FoldedItem[], inspection: Inspection): readonly Alike[] {
  const found = items.flatMap((item): readonly Alike[] => {
    if ("layer" in item) return [];
    const [first] = item.blocks;
    const last = item.blocks.at(-1) ?? first;
    const label = `${first} to ${last.slice(last.lastIndexOf(".") + 1)}: ${item.blocks.length} blocks alike`;
    return [{ first, label, copies: item.blocks, runs: 1 }, ...alikeBlocks(item.items, { ...inspection, layers: [] })];
  });
  return [...found, ...sharedBlocks(inspection)];
}

/** Blocks that run several times with the same weights: their runs are alike. */
function sharedBlocks({ layers }: Inspection): readonly Alike[] {
  const blocks = groupBy(layers, ({ name }) => name.slice(0, Math.max(0, name.lastIndexOf("."))));
  const shared = [...blocks].filter(
    ([path, own]) => path !== "" && own.every(({ runs }) => runs > 1 && runs === own[0]?.runs),
  );
  const outermost = shared.filter(([path]) => !shared.some(([other]) => path.startsWith(`${other}.`)));
  return outermost.map(([first, own]) => {
    const runs = own[0]?.runs ?? 1;
    return { first, label: `${first}: runs ${runs} times`, copies: [], runs };
  });
}

const liesIn = (path: string, block: string): boolean => path === block || path.startsWith(`${block}.`);

/** Puts copies of blocks onto the first; what runs from one copy to the next is left out. */
function fold({ vertices, edges }: Structure, alike: readonly Alike[]): Flat {
  const nameOf = ({ block, label }: Vertex) => `${block}|${label}`;
  const totals = new Map([...groupBy(vertices, nameOf)].map(([name, own]) => [name, own.length]));
  const seen = new Map<string, number>();
  const keys = new Map<string, number>();
  const standsFor = new Map<number, number>();
  const copies = new Map<number, ReadonlyMap<Alike, number>>();
  const nodes: ChartNode[] = [];
  for (const vertex of vertices) {
    const name = nameOf(vertex);
    // What has the same name in one block, such as two additions, is told apart by its order.
    let order = seen.get(name) ?? 0;
    seen.set(name, order + 1);
    let { block } = vertex;
    const own = new Map<Alike, number>();
    for (const set of alike) {
      const copy = set.copies.findIndex((path) => liesIn(block, path));
      if (copy >= 0) {
        own.set(set, copy);
        block = set.first + block.slice((set.copies[copy] ?? "").length);
      } else if (set.copies.length === 0 && liesIn(block, set.first)) {
        const inARun = Math.max(1, Math.round((totals.get(name) ?? 1) / set.runs));
        own.set(set, Math.floor(order / inARun));
        order %= inARun;
      }
    }
    copies.set(vertex.id, own);
    const key = `${block}|${vertex.label}|${order}`;
    const known = keys.get(key) ?? vertex.id;
    if (known === vertex.id) nodes.push({ ...vertex, block, layers: 1 });
    keys.set(key, known);
    standsFor.set(vertex.id, known);
  }
  const isWithinACopy = ([from, to]: readonly [number, number]) =>
    [...(copies.get(from) ?? [])].every(([set, copy]) => (copies.get(to)?.get(set) ?? copy) === copy);
  return {
    nodes,
    edges: redirect(edges.filter(isWithinACopy), standsFor),
    labels: new Map(alike.map(({ first, label }) => [first, label])),
  };
}

/** Edges between what stands for their ends, each once. */
function redirect(edges: Flat["edges"], standsFor: ReadonlyMap<number, number>): Flat["edges"] {
  const drawn = new Map<string, readonly [number, number]>();
  for (const [from, to] of edges) {
    const ends = [standsFor.get(from) ?? from, standsFor.get(to) ?? to] as const;
    if (ends[0] !== ends[1]) drawn.set(ends.join(), ends);
  }
  return [...drawn.values()];
}

/** The innermost numbered block that a path lies in, `features.denseblock1.denselayer1`. */
function blockOf(path: string): string {
  const parts = path.split(".");
  for (let length = parts.length; length > 0; length--)
    if (/\d/.test(parts[length - 1] ?? "")) return parts.slice(0, length).join(".");
  return path;
}

/** One box for each block. */
function collapse({ nodes, edges, labels }: Flat): Flat {
  const boxOf = new Map<number, number>();
  const kept: ChartNode[] = [];
  for (const [path, own] of groupBy(nodes, ({ block }) => (block === "" ? "" : blockOf(block)))) {
    const [first] = own;
    if (path === "" || own.length < 2 || !first) {
      append(kept, own);
      continue;
    }
    const cut = path.lastIndexOf(".");
    const box: ChartNode = {
      ...first,
      block: cut < 0 ? "" : path.slice(0, cut),
      label: labels.get(path) ?? path.slice(cut + 1),
      kind: "block",
      outputShape: own.at(-1)?.outputShape ?? null,
      parameters: total(own, ({ parameters }) => parameters),
      macs: total(own, ({ macs }) => macs ?? 0),
      layers: own.length,
      layer: undefined,
    };
    kept.push(box);
    for (const { id } of own) boxOf.set(id, box.id);
  }
  return { nodes: kept.sort((a, b) => a.id - b.id), edges: redirect(edges, boxOf), labels };
}

/** Frames around blocks: those that are folded, and every numbered part with several boxes. */
function group({ nodes, edges, labels }: Flat): Chart {
  const build = (path: string, label: string, own: readonly ChartNode[]): ChartGroup => {
    const here: ChartNode[] = [];
    const below = new Map<string, ChartNode[]>();
    for (const node of own) {
      const inner = nextBlock(node.block, path);
      if (inner === undefined) here.push(node);
      else appendTo(below, inner, node);
    }
    const groups = [...below].flatMap(([block, inside]) => {
      if (inside.length > 1 || labels.has(block)) return [build(block, labels.get(block) ?? block, inside)];
      append(here, inside);
      return [];
    });
    const [only] = groups;
    // A frame around nothing but another frame says nothing.
    if (only && groups.length === 1 && here.length === 0 && path !== "") return only;
    return { path, label, nodes: here.sort((a, b) => a.id - b.id), groups };
  };
  return { root: build("", "", nodes), edges };
}

/** The next numbered part below `outer` on the way to `path`. */
function nextBlock(path: string, outer: string): string | undefined {
  const parts = path === "" ? [] : path.split(".");
  const depth = outer === "" ? 0 : outer.split(".").length;
  for (let length = depth + 1; length <= parts.length; length++)
    if (/\d/.test(parts[length - 1] ?? "")) return parts.slice(0, length).join(".");
  return undefined;
}
