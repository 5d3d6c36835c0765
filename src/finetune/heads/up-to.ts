/** A model up to one of its layers, or to a value of a file's graph. */
import { OptionError, unknownName } from "../../core/errors.ts";
import { nodesOf, type Value } from "../../graph/ir.ts";
import {
  type AnyModule,
  type Context,
  type Given,
  type InputForm,
  Module,
  type TypeTree,
  valuesOf,
} from "../../nn/index.ts";
import { inputTypesOf } from "../adapters/sites.ts";

/** A model, and the layer whose output is taken of it, if it is not the model's own. */
export interface Cut<I> {
  readonly base: Module<I, unknown>;
  readonly layer?: string | undefined;
}

/** What a layer of a model gives, or the model itself. Throws OptionError for a layer that there is not, or that gives several tensors. */
export function outputOf<I>({ base, layer }: Cut<I>, inputs: I, context: Context): unknown {
  if (layer === undefined) return base.apply(inputs as Given<I>, context);
  const start = context.records.length;
  let output: unknown;
  let obstacle: unknown;
  try {
    output = base.apply(inputs as Given<I>, context);
  } catch (error) {
    // What comes after the layer may refuse what the layer takes, such as smaller images: it is not needed.
    obstacle = error;
  }
  const prefix = context.pathOf(base);
  const isBelow = prefix === "" ? "" : `${prefix}.`;
  const names = new Map<string, readonly Value[]>();
  // A graph of a file has its own names, within one layer of ours.
  for (const node of nodesOf(valuesOf(output))) if (node.scope) names.set(node.scope.path, node.outputs.slice(0, 1));
  for (const { path, outputs } of context.records.slice(start))
    names.set(path.startsWith(isBelow) ? path.slice(isBelow.length) : path, outputs);
  const found = names.get(layer);
  if (!found) throw obstacle ?? unknownName("layer", layer, names.keys());
  const [value, ...others] = found;
  if (!value || others.length > 0)
    throw new OptionError(
      `upTo: "${layer}" gives ${found.length} tensors; choose a layer that gives one, such as one within it`,
    );
  return value;
}

/** Runs a model and gives what one of its layers gave. Make one with `upTo`. */
export class UpTo<I = Value> extends Module<I, Value> {
  override readonly inputs: InputForm;
  readonly base: Module<I, unknown>;
  /** The layer whose output it gives. */
  readonly layer: string;

  constructor(base: Module<I, unknown>, layer: string) {
    super();
    this.base = base;
    this.layer = layer;
    this.inputs = base.inputs;
  }

  protected call(inputs: I, context: Context): Value {
    return outputOf(this, inputs, context) as Value;
  }
}

/** The model and the layer of one that is cut already, or is to be: a module that holds it has its parameters under one name. */
export function cutOf<I>(model: Module<I, unknown>, at: string | undefined): Cut<I> {
  const cut = at === undefined ? model : upTo(model instanceof UpTo ? (model as UpTo<I>).base : model, at);
  return cut instanceof UpTo ? cut : { base: cut };
}

/**
 * The model up to a layer: it takes what the model takes, and gives what the layer gives. What would come after is not computed, so that
 * images may also be of a size that only what comes after would refuse. The layer is named by its path, in a graph of a file also by the
 * name that its nodes have there. Parameters of what comes after stay with the model, frozen. Throws OptionError, with the nearest name, for
 * a layer that there is not.
 * @example
 * const features = upTo(mobilenet, "out_relu");
 * const model = sequential([features, globalAveragePool(), dense(10)]);
 */
export function upTo<I>(model: Module<I, unknown>, layer: string): UpTo<I> {
  const cut = new UpTo(model, layer);
  freezeUnread(cut, inputTypesOf(model));
  return cut;
}

/** Freezes the parameters that the output of a model does not depend on. */
export function freezeUnread(model: AnyModule, inputs: TypeTree): void {
  const { output, context } = model.trace(inputs);
  const outputs = new Set(valuesOf(output));
  const read = new Set(nodesOf([...outputs]).flatMap((node) => node.inputs));
  for (const [parameter, value] of context.values) if (!read.has(value) && !outputs.has(value)) parameter.frozen = true;
}
