/** What is trained of a model by depth: everything from a block on, the last blocks, the head alone. */
import { OptionError, unknownName } from "../../core/errors.ts";
import { nodesOf } from "../../graph/ir.ts";
import { type AnyModule, valuesOf } from "../../nn/index.ts";
import { depthGroups, type LayerGroup } from "../../transform/depth-groups.ts";
import { inputTypesOf } from "../adapters/sites.ts";

/**
 * The parameters of a model by depth, from the input to the output: the stem, the blocks, the head. A block is a part that the
 * architecture repeats, `h.3` or `layer2.0`; where names show none, every layer with a weight of two axes is one. What a model uses between
 * two blocks belongs to the one before; what it does not use, to none. Throws OptionError for a model that was not traced.
 * @example
 * layerGroups(bert).map(({ name }) => name); // "stem", "encoder.layer.0", …, "encoder.layer.11", "head"
 */
export function layerGroups(model: AnyModule): readonly LayerGroup[] {
  const { context, output } = model.trace(inputTypesOf(model));
  // What comes after the last layer that is read, as behind `upTo`, has no depth.
  const read = new Set(nodesOf([...valuesOf(output), ...context.updates.values()]).flatMap(({ inputs }) => inputs));
  const pathOf = new Map(Array.from(model.parameters(), ([path, parameter]) => [parameter, path]));
  const used = [...context.values].flatMap(([parameter, value]) => {
    const path = pathOf.get(parameter);
    const isMatrix = parameter.shape.length > 1 && !parameter.isBuffer;
    return path === undefined || !read.has(value) ? [] : [{ path, isMatrix }];
  });
  return depthGroups(used);
}

/** The groups of the blocks alone, and where they stand among all. */
export const blockGroups = (groups: readonly LayerGroup[]) =>
  groups.filter(({ name }) => name !== "stem" && name !== "head");

/** Freezes the parameters of some groups, and trains those of the others. */
function freezeGroups(model: AnyModule, groups: readonly LayerGroup[], isFrozen: (group: LayerGroup) => boolean): void {
  const parameters = model.parameters();
  const known = new Set(groups.flatMap(({ paths }) => paths));
  for (const [path, parameter] of parameters) if (!known.has(path)) parameter.frozen = true;
  for (const group of groups)
    for (const path of group.paths) {
      const parameter = parameters.get(path);
      if (parameter) parameter.frozen = isFrozen(group);
    }
}

/**
 * Freezes what lies below a block: the stem and the blocks before it; everything from the block on is trained. The block is a number from 0,
 * counted from the input, or its path. Buffers of frozen blocks, such as running statistics, stay as they are. Throws OptionError for a block
 * that there is not.
 * @example freezeBelow(resnet, 3);
 */
export function freezeBelow(model: AnyModule, block: number | string): void {
  const groups = layerGroups(model);
  const blocks = blockGroups(groups);
  const at = typeof block === "number" ? block : blocks.findIndex(({ name }) => name === block);
  const first = blocks[at];
  if (!first && typeof block === "string")
    throw unknownName(
      "block",
      block,
      blocks.map(({ name }) => name),
    );
  if (!first)
    throw new OptionError(`freezeBelow: there is no block ${block}; the model has ${blocks.length}, numbered from 0`);
  const start = groups.indexOf(first);
  freezeGroups(model, groups, (group) => groups.indexOf(group) < start);
}

/**
 * Trains the last blocks and the head, and freezes everything below them; of 0 blocks the head alone is trained. Throws OptionError for more
 * blocks than there are.
 * @example unfreezeLast(bert, 2);
 */
export function unfreezeLast(model: AnyModule, count: number): void {
  const groups = layerGroups(model);
  const blocks = blockGroups(groups);
  if (!Number.isSafeInteger(count) || count < 0 || count > blocks.length)
    throw new OptionError(
      `unfreezeLast: ${count} blocks cannot be trained; pass a whole number from 0 to ${blocks.length}, which the model has`,
    );
  const trained = new Set([...blocks.slice(blocks.length - count), ...groups.filter(({ name }) => name === "head")]);
  freezeGroups(model, groups, (group) => !trained.has(group));
}

/** Trains everything that the model uses, the stem too. */
export const unfreezeStem = (model: AnyModule): void => freezeGroups(model, layerGroups(model), () => false);
