/** What a class of Keras's layers is here: how its config becomes a module of ours, and where the file keeps its weights. */
import type { z } from "zod";
import type { Shape } from "../../../core/shape.ts";
import type { Value } from "../../../graph/ir.ts";
import { type AnyModule, valuesOf } from "../../../nn/index.ts";
import { readPart } from "../fields.ts";
import type { LayerConfig } from "./topology.ts";

/** What layers of several inputs take, and those of several outputs give, as in Keras: one tensor alone, several in a list. */
export type OneOrMore = Value | readonly Value[];

/** Tensors as a list, which the file leaves empty for no layer. */
export const listOf = (tensors: OneOrMore) => valuesOf(tensors) as readonly [Value, ...Value[]];

/** One tensor alone, several as the list. */
export const oneOrMore = ([first, ...rest]: readonly [Value, ...Value[]]): OneOrMore =>
  rest.length === 0 ? first : [first, ...rest];

/** How the file keeps a parameter. */
export interface StoredAs {
  /** Last part of the name: `kernel`. */
  readonly name: string;
  /** Which of the stored axes each axis of the parameter is; default the same. */
  readonly axes?: readonly number[];
}

/** A layer of a model. */
export interface BuiltLayer {
  readonly module: AnyModule;
  /** Where the file keeps each parameter, by its path in the module. */
  readonly weights?: Readonly<Record<string, StoredAs>>;
  /** Why its computation is not understood, where it is not. */
  readonly unknown?: string;
  /** What it leaves out of what Keras computes. */
  readonly note?: string;
}

/** What a layer that wraps another needs to build it. */
export interface Building {
  /** Builds a layer whose weights stand under its own name or that of the one around it. */
  build(layer: LayerConfig): AnyModule;
  /** The shape of a weight of the layer in the file, by the last part of its name. */
  stored(weight: string): Shape | undefined;
}

export interface LayerClass {
  /** Throws FileError for settings that are wrong, UnsupportedError for those that mean a computation not supported. */
  build(layer: LayerConfig, building: Building): BuiltLayer;
}

/** Classes by Keras's names. */
export type LayerClasses = Readonly<Record<string, LayerClass>>;

/** A class of layers by its settings and what they become. */
export function defineLayer<T>(schema: z.ZodType<T>, build: (fields: T, building: Building) => BuiltLayer): LayerClass {
  return {
    build: ({ name, className, config }, building) =>
      build(readPart(`config of ${className} "${name}"`, schema, config), building),
  };
}

/** A class without weights. */
export const plainLayer = <T>(schema: z.ZodType<T>, build: (fields: T) => AnyModule): LayerClass =>
  defineLayer(schema, (fields) => ({ module: build(fields) }));
