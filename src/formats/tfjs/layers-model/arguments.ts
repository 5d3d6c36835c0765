/** What a call of a layer is given, in the forms in which Keras 2, Keras 3 and TensorFlow.js wrote it. */
import { FileError } from "../../../core/errors.ts";
import { isPlainObject, leavesOf } from "../../../core/tree.ts";
import { shown } from "../../config-fields.ts";

/** A result of a layer: that of its call number `call`, the output number `output`. */
export class Reference {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
  constructor(layer: string, call: number, output: number) {
    this.layer = layer;
    this.call = call;
    this.output = output;
  }
}

/** Results of layers, and constants, in lists and objects. A slice is `{ slice: { start, stop, step } }`. */
export type Argument =
  | Reference
  | string
  | number
  | boolean
  | null
  | readonly Argument[]
  | { readonly [name: string]: Argument };

/** The arguments of one call, by their places and by their names. */
export interface CallArguments {
  readonly args: readonly Argument[];
  readonly keywords: Readonly<Record<string, Argument>>;
}

/** The results that an argument names, depth first. */
export const referencesOf = (argument: unknown): readonly Reference[] =>
  leavesOf(argument).flatMap(({ leaf }) => (leaf instanceof Reference ? [leaf] : []));

/** No layer is called as often or gives as much. */
const maxIndex = 4096;
const isIndex = (index: unknown): index is number =>
  Number.isInteger(index) && Number(index) >= 0 && Number(index) < maxIndex;

/** `[layer, call, output]`, and in Keras 2 the keywords of the call behind them. */
function referenceIn(part: readonly unknown[]): Reference | undefined {
  const [layer, call, output] = part;
  return typeof layer === "string" && isIndex(call) && isIndex(output) ? new Reference(layer, call, output) : undefined;
}

/** A constant that Keras 2 put where a tensor may stand. */
const isConstant = ([mark, index]: readonly unknown[]): boolean => mark === "_CONSTANT_VALUE" && index === -1;

/** A part of the file as an argument. */
export function argumentOf(part: unknown): Argument {
  if (Array.isArray(part)) return isConstant(part) ? argumentOf(part[2]) : (referenceIn(part) ?? part.map(argumentOf));
  if (!isPlainObject(part)) return part as Argument;
  const { class_name: className, config } = part;
  const settings = isPlainObject(config) ? config : {};
  // Keras 3 writes tensors as objects.
  if (Array.isArray(settings["keras_history"])) return referenceIn(settings["keras_history"]) ?? {};
  if (className === "__tensor__" || className === "__numpy__") return argumentOf(settings["value"]);
  if (className === "__slice__" || className === "slice") return { slice: argumentOf(settings) };
  return Object.fromEntries(Object.entries(part).map(([name, item]) => [name, argumentOf(item)]));
}

/** The keywords of a call, which Keras 2 writes behind each tensor of the first argument. */
function keywordsIn(part: unknown): Readonly<Record<string, Argument>> {
  if (isPlainObject(part)) return keywordsIn(Object.values(part));
  if (!Array.isArray(part)) return {};
  if (!referenceIn(part) && !isConstant(part))
    return Object.fromEntries(part.flatMap((inner) => Object.entries(keywordsIn(inner))));
  const [, , , keywords] = part as readonly unknown[];
  return isPlainObject(keywords) ? (argumentOf(keywords) as Readonly<Record<string, Argument>>) : {};
}

/** The arguments of an entry of inbound_nodes. Throws FileError when there is no result of a layer among them. */
export function callArguments(node: unknown, place: string): CallArguments {
  const isKeras3 = isPlainObject(node) && Array.isArray(node["args"]);
  const keywords = isKeras3 ? argumentOf(node["kwargs"] ?? {}) : keywordsIn(node);
  const read: CallArguments = {
    args: isKeras3 ? (node["args"] as readonly unknown[]).map(argumentOf) : [argumentOf(node)],
    keywords: isPlainObject(keywords) ? (keywords as Readonly<Record<string, Argument>>) : {},
  };
  requireReferences(read, node, place);
  return read;
}

function requireReferences(found: unknown, part: unknown, place: string): void {
  if (referencesOf(found).length === 0)
    throw new FileError(
      `tfjs: ${place} is ${shown(part)}, expected names of layers with two numbers, such as ["conv1", 0, 0]; convert the model again`,
    );
}

/** A result of a layer, and its name in a model that gives or takes its tensors by name. */
export interface Named {
  readonly reference: Reference;
  readonly name: string | undefined;
}

/** The results of input_layers or output_layers in Keras's order: that of the keys where they have names. Throws FileError for none. */
export function namedReferences(part: unknown, place: string): readonly Named[] {
  const sorted = (item: Argument): Argument => {
    if (Array.isArray(item)) return item.map(sorted);
    if (!isPlainObject(item)) return item;
    const entries = Object.entries(item as Readonly<Record<string, Argument>>);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, own]) => [key, sorted(own)]));
  };
  const whole = sorted(argumentOf(part));
  requireReferences(whole, part, place);
  return leavesOf(whole).flatMap(({ path, leaf }) => {
    if (!(leaf instanceof Reference)) return [];
    return [{ reference: leaf, name: /^[\d.]*$/.test(path) ? undefined : path }];
  });
}
