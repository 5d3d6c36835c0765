/** A model cut along its depth: what comes before its blocks, each block, and what comes after them. */
import { appendTo } from "../core/lists.ts";
import { namedBlocks } from "./named-blocks.ts";

/** A parameter or buffer, by its path, as something to be placed. */
export interface Placed {
  readonly path: string;
  /** Whether it has two axes or more and is trained: layers with such a weight are what blocks are made of. */
  readonly isMatrix: boolean;
}

/** Parameters that stand at one depth. */
export interface LayerGroup {
  /** `"stem"`, the path of a block, or `"head"`. */
  readonly name: string;
  /** Paths of parameters and buffers, in the order in which the model uses them. */
  readonly paths: readonly string[];
}

/** Keras numbers blocks within flat names, `block_3_expand`, and TensorFlow parts names by slashes: both as parts of a path. */
function partsOf(path: string): string {
  let parts = path.replaceAll("/", ".");
  for (let before = ""; before !== parts; ) {
    before = parts;
    parts = parts.replace(/(^|\.)([A-Za-z][A-Za-z_]*\d+)_(?=[A-Za-z0-9])/, "$1$2.");
  }
  return parts;
}

/**
 * The parameters of a model by depth, from the input to the output: the stem, the blocks, the head. A block is a part that the
 * architecture repeats, `h.3` or `layer2.0`; where names show none, every layer with a weight of two axes is one. What a model uses between
 * two blocks belongs to the one before.
 * @param used parameters and buffers in the order in which the model uses them
 */
export function depthGroups(used: readonly Placed[]): readonly LayerGroup[] {
  const layerOf = ({ path }: Placed) => partsOf(path).split(".").slice(0, -1).join(".");
  const placed = used.map((own) => ({ ...own, layer: layerOf(own) }));
  const layers = new Map(placed.flatMap(({ layer, isMatrix }) => (isMatrix ? [[layer, 1] as const] : [])));
  const named = namedBlocks(layers).map(({ path }) => path);
  // Of a network without blocks every layer is one, and the last is the head.
  const blocks = named.length > 0 ? named : [...layers.keys()].slice(0, -1);
  const blockOf = (layer: string) => blocks.find((block) => layer === block || layer.startsWith(`${block}.`));
  const places = placed.map(({ layer }) => blockOf(layer));
  const headLayer = named.length > 0 ? undefined : [...layers.keys()].at(-1);
  const head =
    headLayer === undefined ? places.findLastIndex(Boolean) + 1 : placed.findIndex(({ layer }) => layer === headLayer);
  const groups = new Map<string, string[]>([["stem", []]]);
  let current = "stem";
  for (const [i, { path }] of placed.entries()) {
    current = i >= head ? "head" : (places[i] ?? current);
    appendTo(groups, current, path);
  }
  if (!groups.has("head")) groups.set("head", []);
  return Array.from(groups, ([name, paths]) => ({ name, paths }));
}
