/** Names of a model's inputs and outputs in a file, by their places in what it takes and gives. */
import { OptionError } from "../../core/errors.ts";
import { isPlainObject, leavesOf, type Tree } from "../../core/tree.ts";
import { Value } from "../../graph/ir.ts";
import { isTensorType } from "../../nn/index.ts";

/** Names nested as the tensors are; `null` where there is none. */
export type NameTree = Tree<string | null>;

/** The names of a tree, depth first. */
export const namesOf = (tree: NameTree): readonly string[] =>
  leavesOf(tree).flatMap(({ leaf }) => (typeof leaf === "string" ? [leaf] : []));

/**
 * A name for each tensor or type: that of its place, `state.hidden`; `alone` for one that is not nested, `alone_0` in a list. Names
 * that are taken are numbered, and those that are given become taken. Throws OptionError for what is no tensor.
 */
export function nameTree(tree: unknown, alone: string, taken: Set<string>): NameTree {
  const visit = (item: unknown, path: string): NameTree => {
    if (item instanceof Value || isTensorType(item)) return claimed(placeName(path, alone), taken);
    if (item === undefined || item === null) return null;
    if (Array.isArray(item)) return item.map((own, i) => visit(own, joined(path, String(i))));
    if (isPlainObject(item)) {
      const present = Object.entries(item).filter(([, own]) => own !== undefined);
      return Object.fromEntries(present.map(([name, own]) => [name, visit(own, joined(path, name))]));
    }
    throw new OptionError(
      `the model has a ${typeof item} at "${path}" of its ${alone}s, which no file holds; give tensors only`,
    );
  };
  return visit(tree, "");
}

const joined = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

const placeName = (path: string, alone: string): string => {
  if (path === "") return alone;
  return /^\d+(\.|$)/.test(path) ? `${alone}_${path}` : path;
};

function claimed(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`;
  taken.add(name);
  return name;
}
