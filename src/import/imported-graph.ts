/** What reading the file of a model gives, whatever its format. */
import type { Shape } from "../core/shape.ts";
import type { Graph, Node, Value } from "../graph/ir.ts";
import type { UnknownReason } from "./unknown.ts";

/** A tensor as its file describes it. */
export interface FileTensor {
  readonly name: string;
  readonly shape: Shape;
  /** As the file stores its elements. */
  readonly type: { readonly name: string; readonly bits: number };
}

/** A graph of a file, whose weights are still in it. */
export interface ImportedGraph<Weight extends FileTensor = FileTensor> {
  /** From the data inputs and the weights to the outputs. */
  readonly graph: Graph;
  /** The data inputs. */
  readonly inputs: readonly Value[];
  /** The trained tensors, each a graph input; their elements are still in the file. */
  readonly weights: ReadonlyMap<Value, Weight>;
  /** Nodes that could not be understood whole. */
  readonly unknown: ReadonlyMap<Node, UnknownReason>;
  /** Values whose shape is not known; the one that they carry means nothing. */
  readonly unshaped: ReadonlySet<Value>;
}

/** A stored tensor that is no trained weight, such as a shape or a factor. */
export interface Setting {
  readonly tensor: FileTensor;
  /** The graph input that stands for it, unless its elements are constants of the graph. */
  readonly value: Value | undefined;
}
