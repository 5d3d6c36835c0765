/** Calls of layers: which argument is which, what each layer is given, and the masks that go along with its results. */
import { isPlainObject } from "../../../core/tree.ts";
import type { Value } from "../../../graph/ir.ts";
import { type AnyModule, valuesOf } from "../../../nn/index.ts";
import { type Argument, type CallArguments, Reference, referencesOf } from "./arguments.ts";

/** What a layer is called with. */
export interface LayerCall {
  /** The tensors of its first argument. */
  readonly inputs: readonly Value[];
  /** All its arguments by name: tensors, constants, lists and objects of them. */
  readonly named: Readonly<Record<string, unknown>>;
  /** Which steps of each input count, booleans [N, T]; none where all do. */
  readonly masks: readonly (Value | undefined)[];
  /** The masks of other arguments that are one tensor, by name. */
  readonly otherMasks?: Readonly<Record<string, Value | undefined>>;
}

/** The masks of a layer's results. */
export type MaskRule = (call: LayerCall, outputs: readonly Value[]) => readonly (Value | undefined)[];

/** Of layers that compute every step by itself: Keras's supports_masking. */
export const keepsMask: MaskRule = ({ masks }, outputs) => outputs.map(() => masks[0]);
export const dropsMask: MaskRule = () => [];

/** A layer in a model, and how it is called. */
export interface PlacedLayer {
  readonly module: AnyModule;
  /** Names of the arguments of its call, in order; `undefined` for a layer that is not known, which takes whatever there is. */
  readonly parameters: readonly string[] | undefined;
  /** Other names that calls have for them. */
  readonly aliases?: Readonly<Record<string, string>>;
  readonly masks: MaskRule;
}

/** What most layers are called with. */
export const plainParameters = ["inputs"] as const;

/** Arguments of every layer that are read here, or change its training only. */
const common: ReadonlySet<string> = new Set(["mask", "training"]);

/** A call whose keywords have the names that the layer's class has for them. */
export const withNames = <C extends CallArguments>(call: C, aliases: Readonly<Record<string, string>>): C => ({
  ...call,
  keywords: Object.fromEntries(
    Object.entries(call.keywords).map(([name, argument]) => [
      Object.hasOwn(aliases, name) ? aliases[name] : name,
      argument,
    ]),
  ),
});

/** The arguments of a call by their names; the first under its own, however the file calls it. */
export function boundArguments(
  { args, keywords }: CallArguments,
  parameters: readonly string[],
): Readonly<Record<string, Argument>> {
  const placed = args.flatMap((argument, i): (readonly [string, Argument])[] => {
    const name = parameters[i];
    return name === undefined ? [] : [[name, argument]];
  });
  const [first = "inputs"] = parameters;
  if (args.length > 0 || first in keywords) return { ...keywords, ...Object.fromEntries(placed) };
  const [own] = Object.keys(keywords).filter((name) => referencesOf(keywords[name]).length > 0);
  return own === undefined ? keywords : { ...keywords, [first]: keywords[own] ?? null };
}

/** A tensor that a call gives a layer under a name or at a place that its class does not have, in words. */
export function strayArgument({ args, keywords }: CallArguments, parameters: readonly string[]): string | undefined {
  const isTensor = (argument: Argument | undefined) => referencesOf(argument).length > 0;
  const beyond = args.findIndex((argument, i) => i >= parameters.length && isTensor(argument));
  if (beyond >= 0) return `its argument number ${beyond + 1}`;
  // Called by keywords alone, the first of them is the input.
  const names = Object.keys(keywords).filter((name) => isTensor(keywords[name]));
  const others =
    args.length > 0 || parameters[0] === undefined || names.includes(parameters[0]) ? names : names.slice(1);
  const stray = others.find((name) => !parameters.includes(name) && !common.has(name));
  return stray === undefined ? undefined : `its argument ${stray}`;
}

/** An argument with the values of the results that it names. */
export function takenArgument(argument: Argument, take: (reference: Reference) => Value): unknown {
  if (argument instanceof Reference) return take(argument);
  if (Array.isArray(argument)) return argument.map((item) => takenArgument(item, take));
  if (!isPlainObject(argument)) return argument;
  return Object.fromEntries(
    Object.entries(argument).map(([name, item]) => [name, takenArgument(item as Argument, take)]),
  );
}

/** The masks that a call passes itself, `undefined` where it passes none. */
export function givenMasks({ mask }: Readonly<Record<string, unknown>>): readonly (Value | undefined)[] | undefined {
  const list = Array.isArray(mask) ? mask : [mask];
  const masks = list.map((item) => valuesOf(item)[0]);
  return masks.some(Boolean) ? masks : undefined;
}
