/** What a kind of adapter is: tensors beside layers, and what it makes of their outputs. */
import type { Random } from "../../core/random.ts";
import type { Shape } from "../../core/shape.ts";
import type { Value } from "../../graph/ir.ts";
import type { AdaptedRun, AnyModule, AttendedFirst, Parameter } from "../../nn/index.ts";

/** A tensor that an adapter adds to a module. */
export interface SlotSpec {
  readonly shape: Shape;
  /** Its first value. */
  initial(random: Random): Float32Array | Promise<Float32Array>;
  /** With which value it changes nothing, for adapters that leave its place alone; default `"zeros"`. */
  readonly neutral?: "zeros" | "ones" | "initial";
  /** The number that it is, where it is no tensor to be trained, such as a factor. */
  readonly fixed?: number;
}

/** Where an adapter stands. */
export interface Place {
  /** Whose outputs it changes. */
  readonly module: AnyModule;
  /** What messages and files call it: the path of the layer. */
  readonly name: string;
  /** Before the names of its tensors within the module. */
  readonly prefix: string;
}

/** A kind of adapter with its options. */
export interface AdapterMethod<O, P extends Place = Place> {
  /** As files name it: "lora". */
  readonly kind: string;
  /** The places that options choose in a model. Throws OptionError where a target matches nothing. */
  places(model: AnyModule, options: O): readonly P[];
  /** The tensors at a place by name. Two adapters may have other extents there: the larger hold, filled up with zeros. */
  slots(place: P, options: O): Readonly<Record<string, SlotSpec>>;
  /** What the model's own parameters become at a place for the same outputs without the adapter; not there for kinds that cannot be merged. */
  merged?(place: P, slots: Readonly<Record<string, Value>>): readonly MergedParameter[];
  /** Throws OptionError where an adapter would stand at a place in another way than one that is there. */
  requireAlike?(place: P, there: P): void;
  /** Paths of the model's own parameters that it trains too; default none. */
  alsoTrains?(model: AnyModule, places: readonly P[], options: O): readonly string[];
  /** The outputs of a module's run in place of those that it gave. */
  apply?(outputs: readonly Value[], run: AdaptedRun, placed: readonly Placed<P>[], options: O): readonly Value[];
  /** Keys and values that the attention of a place sees before its own, each [1, heads, count, width]. */
  attendedFirst?(place: P, slots: Readonly<Record<string, Value>>): readonly AttendedFirst[];
  /** The position of the first token of a sequence; default 0. */
  firstPosition?(options: O): number;
  /** No values leave the outputs as they are: where none is in use the model is traced without. */
  readonly alwaysActs?: boolean;
  /** What the adapters of one model must have alike, since they share its graph, by the names of options. */
  shared(options: O): Readonly<Record<string, unknown>>;
}

/** A parameter that takes up what an adapter does. */
export interface MergedParameter {
  readonly parameter: Parameter;
  /** A graph input that stands for it. */
  readonly source: Value;
  /** The same elements as a layer reads them. */
  readonly read: Value;
  /** What the layer would have to read. */
  readonly merged: Value;
}

/** A place of a module with the values of its tensors in a trace. */
export interface Placed<P extends Place> {
  readonly place: P;
  readonly slots: Readonly<Record<string, Value>>;
}
