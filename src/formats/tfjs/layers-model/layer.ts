/** What a class of Keras's layers is here: how its config becomes a module of ours, and where the file keeps its weights. */
import type { z } from "zod";
import type { Shape } from "../../../core/shape.ts";
import type { Value } from "../../../graph/ir.ts";
import { type AnyModule, Module, valuesOf } from "../../../nn/index.ts";
import { readPart } from "../fields.ts";
import type { CallArguments } from "./arguments.ts";
import type { LayerCall, MaskRule, PlacedLayer } from "./calls.ts";
import type { LayerConfig } from "./topology.ts";

/** What layers of several outputs give, as in Keras: one tensor alone, several in a list. */
export type OneOrMore = Value | readonly Value[];

/** Tensors as a list, which the file leaves empty for no layer. */
export const listOf = (tensors: OneOrMore) => valuesOf(tensors) as readonly [Value, ...Value[]];

/** One tensor alone, several as the list. */
export const oneOrMore = ([first, ...rest]: readonly [Value, ...Value[]]): OneOrMore =>
  rest.length === 0 ? first : [first, ...rest];

/** A layer that reads more of its call than one tensor: several, states, masks, settings. */
export abstract class CallLayer extends Module<LayerCall, OneOrMore> {
  override readonly inputs = "tree";
}

/** How the file keeps a parameter. */
export interface StoredAs {
  /** Last part of the name, `kernel`, or several that versions of Keras have. */
  readonly name: string | readonly string[];
  /** The part of the layer that owns it where that is another object in Keras, such as `cell`. */
  readonly part?: string;
  /** Its whole name in the file, where that is known. */
  readonly full?: string;
  /** Which of the stored axes each axis of the parameter is; default the same. */
  readonly axes?: readonly number[];
}

/** A layer as it is built. */
export interface BuiltLayer {
  readonly module: AnyModule;
  /** Where the file keeps each parameter, by its path in the module, in the order in which Keras makes them. */
  readonly weights?: Readonly<Record<string, StoredAs>>;
  /** Why its computation is not understood, where it is not. */
  readonly unknown?: string;
  /** What it leaves out of what Keras computes. */
  readonly note?: string;
  /** The masks of its results; default none. */
  readonly masks?: MaskRule;
}

/** Major versions of Keras, between which some functions differ. */
export type KerasVersion = 2 | 3;

/** What a layer needs to be built. */
export interface Building {
  /** The version of Keras that computes as the file means. */
  readonly keras: KerasVersion;
  /** Notes that a call is not understood, where only its tensors show that. */
  unknown(why: string): void;
  /** The calls of the layer. */
  readonly calls: readonly CallArguments[];
  /**
   * Builds a layer within it, whose weights stand under its own name or that of the one around it; `part` is what Keras calls it
   * there, such as `forward_layer`.
   */
  build(layer: LayerConfig, part: string): PlacedLayer;
  /** The shape of a weight of the layer in the file, by the last part of its name. */
  stored(weight: string): Shape | undefined;
}

export interface LayerClass {
  /** Names of the arguments of its call, in order; default the inputs alone. */
  readonly parameters?: readonly string[];
  /** Other names that calls may have for them. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Throws FileError for settings that are wrong, UnsupportedError for those that mean a computation not supported. */
  build(layer: LayerConfig, building: Building): BuiltLayer;
}

/** Classes by Keras's names. */
export type LayerClasses = Readonly<Record<string, LayerClass>>;

/** A class of layers by its settings and what they become. */
export function defineLayer<T>(
  schema: z.ZodType<T>,
  build: (fields: T, building: Building) => BuiltLayer,
  parameters?: readonly string[],
): LayerClass {
  return {
    ...(parameters && { parameters }),
    build: ({ name, className, config }, building) =>
      build(readPart(`config of ${className} "${name}"`, schema, config), building),
  };
}

/** A class without weights. */
export const plainLayer = <T>(
  schema: z.ZodType<T>,
  build: (fields: T, building: Building) => AnyModule,
  rest: { readonly masks?: MaskRule; readonly parameters?: readonly string[] } = {},
): LayerClass =>
  defineLayer(
    schema,
    (fields, building) => ({ module: build(fields, building), ...(rest.masks && { masks: rest.masks }) }),
    rest.parameters,
  );
