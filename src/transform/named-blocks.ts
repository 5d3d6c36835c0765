/** Blocks: the units of several weighted layers that an architecture repeats, by the names of the layers. */

/** A name's part in the tree of paths, with what lies below it. */
interface Branch {
  readonly path: string;
  readonly children: Map<string, Branch>;
  /** Runs of the weighted layers below, the layers each once. */
  weighted: number;
  /** How often the layer that runs most does. */
  runs: number;
}

/** A block, and how often it runs. */
export interface NamedBlock {
  readonly path: string;
  readonly runs: number;
}

/**
 * The blocks among weighted layers, in their order: numbered parts of their paths (`layer1.0`, `h.11`, `inception3a`) with at least two weighted
 * layers, which are no stages: parts whose own parts are such blocks, all alike.
 * @param layers how often each weighted layer runs, by its path
 */
export function namedBlocks(layers: ReadonlyMap<string, number>): readonly NamedBlock[] {
  const root: Branch = { path: "", children: new Map(), weighted: 0, runs: 0 };
  for (const [path, runs] of layers) {
    let at = root;
    root.weighted++;
    for (const part of path.split(".")) {
      const below = at.path === "" ? part : `${at.path}.${part}`;
      const child: Branch = at.children.get(part) ?? { path: below, children: new Map(), weighted: 0, runs: 0 };
      at.children.set(part, child);
      at = child;
      at.weighted++;
      at.runs = Math.max(at.runs, runs);
    }
  }
  return blocksBelow(root, root.weighted);
}

function blocksBelow({ children }: Branch, all: number): readonly NamedBlock[] {
  return [...children].flatMap(([name, child]): readonly NamedBlock[] => {
    if (child.weighted < 2) return [];
    const isNumbered = /\d/.test(name);
    // What holds most of the network may be the network itself, whose name has a number (`MobilenetV2`).
    const inside = !isNumbered || isStage(child) || 2 * child.weighted > all ? blocksBelow(child, all) : [];
    return inside.length > 0 || !isNumbered || isStage(child) ? inside : [{ path: child.path, runs: child.runs }];
  });
}

/** Whether all parts are blocks that resemble one another. */
function isStage({ children }: Branch): boolean {
  const parts = [...children.entries()];
  if (parts.length === 0 || !parts.every(([name, { weighted }]) => /\d/.test(name) && weighted > 1)) return false;
  const [first, ...others] = parts.map(([, child]) => new Set(child.children.keys()));
  return first !== undefined && others.every((other) => resembles(first, other));
}

/** Whether two parts share more names than they differ by. */
function resembles(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const shared = [...a].filter((name) => b.has(name)).length;
  return shared > a.size + b.size - 2 * shared;
}
