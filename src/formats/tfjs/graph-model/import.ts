/** TensorFlow graphs of TensorFlow.js as graphs of ours: what is supported becomes our nodes, the rest is named and counted. */
import { atPlace, DTypeError, FileError, ShapeError, UnsupportedError } from "../../../core/errors.ts";
import { type Shape, size } from "../../../core/shape.ts";
import type { Tensor } from "../../../core/tensor.ts";
import { constantOf, graphOf, input, type Node, type Scope, Value } from "../../../graph/ir.ts";
import { makeNode } from "../../../graph/op.ts";
import { assignScope } from "../../../graph/rewrite.ts";
import { declaredShape } from "../../../import/declared.ts";
import { fold } from "../../../import/fold.ts";
import type { ImportedGraph, Setting } from "../../../import/imported-graph.ts";
import { type UnknownReason, unknownOp } from "../../../import/unknown.ts";
import { ComputedError } from "../../../ops/constant.ts";
import { constant } from "../../../ops/index.ts";
import type { GraphDocument } from "../document.ts";
import { inputShape, type ShapeOf } from "../inputs.ts";
import type { StoredWeight } from "../manifest.ts";
import { describeNode, type GraphFile, type GraphNode, readGraphFile } from "./graph-def.ts";
import { type Applied, UndeterminedError } from "./operator.ts";
import { operators } from "./operators.ts";
import type { Scopes } from "./scopes.ts";
import { type GraphTensor, isStored, isWeight, scopesOf, tensorOf } from "./tensors.ts";

export interface GraphModel extends ImportedGraph<GraphTensor> {
  /** Stored tensors that are no trained weights: axes, shapes, factors. */
  readonly settings: readonly Setting[];
  /** Shapes of what layers give, as TensorFlow has them. */
  readonly shapes: ReadonlyMap<Scope, Shape>;
  /** Names of stored tensors that no node stands for. */
  readonly unread: readonly string[];
}

/** Settings of more elements than this stay in their file: no shape depends on as many. */
const maxSettingElements = 1 << 12;

/** Elements of what is computed of inputs that are given: where the tokens of a batch of texts are. */
const maxKnownElements = 1 << 20;

/** How a file becomes a graph. */
export interface GraphOptions {
  /** The shape of an input, whose channels are last; default the declared one. Throws ShapeError for one that cannot be known. */
  readonly shapeOf?: ShapeOf;
  /** Elements of inputs, by name, which the graph then does not have; default none. */
  readonly constants?: ReadonlyMap<string, Tensor>;
  /** What stands for a weight; default a graph input of its type. */
  readonly bind?: (weight: GraphTensor) => Value;
  /** The elements of the other stored tensors; default from the files of weights where they are there, large ones left in them. */
  readonly read?: (stored: StoredWeight) => Tensor;
}

/**
 * The graph of a document. `shapeOf` gives the shape of an input, whose channels are last; default the declared one.
 * Throws FileError for a file that is damaged, ShapeError when input shapes are not known or do not fit.
 */
export const importGraphModel = (document: GraphDocument, shapeOf?: ShapeOf): GraphModel =>
  importGraphFile(readGraphFile(document), document.weights, { ...(shapeOf && { shapeOf }) });

/** The graph of a file that is read already. Throws as importGraphModel. */
export const importGraphFile = (
  file: GraphFile,
  stored: ReadonlyMap<string, StoredWeight>,
  options: GraphOptions = {},
): GraphModel => new Importer(file, stored, options).run();

class Importer {
  readonly #file: GraphFile;
  readonly #stored: ReadonlyMap<string, StoredWeight>;
  readonly #options: GraphOptions;
  readonly #scopes: Scopes;
  readonly #results = new Map<string, readonly Value[]>();
  readonly #weights = new Map<Value, GraphTensor>();
  readonly #settings: Setting[] = [];
  /** Settings whose elements are not there. */
  readonly #missing = new Set<Value>();
  readonly #unknown = new Map<Node, UnknownReason>();
  readonly #unshaped = new Set<Value>();
  readonly #byPath = new Map<string, Scope>();
  readonly #shapes = new Map<Scope, Shape>();

  constructor(file: GraphFile, stored: ReadonlyMap<string, StoredWeight>, options: GraphOptions) {
    this.#file = file;
    this.#stored = stored;
    this.#options = options;
    this.#scopes = scopesOf(file);
  }

  run(): GraphModel {
    const { nodes, inputs: names, outputs } = this.#file;
    const byName = new Map(nodes.map((node) => [node.name, node]));
    const inputs = names.flatMap((name) => {
      const fixed = this.#options.constants?.get(name);
      const value = fixed ? constant(fixed) : this.#input(byName.get(name) as GraphNode);
      this.#results.set(name, [value]);
      return fixed ? [] : [value];
    });
    for (const node of nodes) {
      if (this.#results.has(node.name)) continue;
      if (isStored(node.op)) this.#results.set(node.name, [this.#tensor(node)]);
      else this.#results.set(node.name, this.#node(node));
    }
    const learned = [...this.#weights.keys(), ...this.#settings.flatMap(({ value }) => value ?? [])];
    const results = outputs.map(({ node, output }) => this.#result(node, output, "the signature"));
    return {
      graph: graphOf([...inputs, ...learned], results),
      inputs,
      weights: this.#weights,
      settings: this.#settings,
      shapes: this.#shapes,
      unread: [...this.#stored.keys()].filter((name) => !this.#results.has(name)),
      unknown: this.#unknown,
      unshaped: this.#unshaped,
    };
  }

  #input({ name, attributes }: GraphNode): Value {
    const dtype = attributes.dtypeIfKnown("dtype");
    if (!dtype) throw new FileError(`tfjs: input "${name}" is no tensor of numbers; only such models can be read`);
    const extents = this.#file.declared.get(name) ?? attributes.extents();
    return input(dtype, inputShape({ name, dtype, extents }, this.#options.shapeOf ?? declaredShape), name);
  }

  /** The value of a tensor of the manifest: a weight, or a setting, known where its file is there. */
  #tensor(node: GraphNode): Value {
    const tensor = tensorOf(node, this.#stored, this.#scopes);
    const { shape, stored } = tensor;
    const { dtype } = stored;
    if (dtype && isWeight(stored)) {
      const value = this.#options.bind?.(tensor) ?? input(dtype, shape, tensor.name);
      this.#weights.set(value, tensor);
      return value;
    }
    const { read } = this.#options;
    const known = dtype && (read?.(stored) ?? (size(shape) <= maxSettingElements ? stored.read() : undefined));
    if (known) {
      this.#settings.push({ tensor, value: undefined });
      return constant(known);
    }
    // What stands for text and complex numbers has no type of ours: nothing is computed with it.
    const value = input(dtype ?? "bool", shape, tensor.name);
    if (!dtype) this.#unshaped.add(value);
    this.#missing.add(value);
    this.#settings.push({ tensor, value });
    return value;
  }

  #result(node: string, output: number, reader: string): Value {
    const value = this.#results.get(node)?.[output];
    if (!value)
      throw new FileError(
        `tfjs: ${reader} reads result ${output} of "${node}", which has none; convert the model again`,
      );
    return value;
  }

  #node(node: GraphNode): readonly Value[] {
    const operands = node.inputs.map(({ node: own, output }) => this.#result(own, output, describeNode(node)));
    const outputs = this.#apply(node, operands);
    const scope = this.#scopeOf(node);
    assignScope(outputs, scope);
    const [first] = outputs;
    if (first && !this.#unshaped.has(first)) this.#shapes.set(scope, first.shape);
    else this.#shapes.delete(scope);
    return outputs;
  }

  #apply(node: GraphNode, operands: readonly Value[]): readonly Value[] {
    const operator = operators.get(node.op);
    const unknown = (kind: UnknownReason["kind"], why: string, computedFrom?: readonly string[]) =>
      this.#unknownNode(node, operands, { kind, why, ...(computedFrom && { computedFrom }) });
    if (!operator) return unknown("operator", "it is not supported");
    const blind = operands.findIndex((value) => this.#unshaped.has(value));
    if (blind >= 0) return unknown("shape", `the shape of its operand "${node.inputs[blind]?.node}" is not known`);
    try {
      const built = operator.build(this.#applied(node, operands));
      const outputs = built instanceof Value ? [built] : built;
      if (outputs.length < node.outputs)
        return unknown("operator", `of its ${node.outputs} results only ${outputs.length} are supported`);
      const isKnown = operands.length > 0 && operands.every((value) => constantOf(value));
      return isKnown ? fold(outputs, operands, this.#options.constants?.size ? maxKnownElements : undefined) : outputs;
    } catch (error) {
      if (error instanceof ComputedError) return unknown("operator", error.message, error.inputs);
      if (error instanceof UndeterminedError) return unknown("shape", error.message);
      if (error instanceof UnsupportedError || error instanceof DTypeError) return unknown("operator", error.message);
      if (error instanceof ShapeError) atPlace(describeNode(node), error);
      throw error;
    }
  }

  #applied(node: GraphNode, inputs: readonly Value[]): Applied {
    const operand = (i: number): Value => {
      const value = inputs[i];
      if (!value)
        throw new FileError(
          `tfjs: ${describeNode(node)} has ${inputs.length} operands, expected ${i + 1} at least; convert the model again`,
        );
      return value;
    };
    return {
      inputs,
      attributes: node.attributes,
      outputs: node.outputs,
      operand,
      known: (i) => {
        const value = operand(i);
        const tensor = constantOf(value);
        if (tensor) return tensor.toNumbers();
        const where = this.#missing.has(value)
          ? "lies in a file of weights that is not there"
          : "is computed from data";
        throw new UndeterminedError(`its shape depends on "${node.inputs[i]?.node}", which ${where}`);
      },
    };
  }

  /** A node that is named and counted only, whose results have the shapes that the converter may have kept. */
  #unknownNode(node: GraphNode, operands: readonly Value[], reason: UnknownReason): readonly Value[] {
    const { attributes, op, outputs } = node;
    const dtype = attributes.dtypeIfKnown("T") ?? attributes.dtypeIfKnown("dtype") ?? operands[0]?.dtype ?? "float32";
    const kept = attributes.outputExtents();
    const types = Array.from({ length: outputs }, (_, i) => {
      const isKnown = kept[i]?.every((extent) => extent !== undefined) ?? false;
      return { dtype, shape: isKnown ? (kept[i] as Shape) : [], isKnown };
    });
    const made = makeNode(unknownOp(op, "tensorflow", operators.get(op)?.op, types), operands);
    for (const [i, { isKnown }] of types.entries()) if (!isKnown) this.#unshaped.add(made.outputs[i] as Value);
    this.#unknown.set(made, reason);
    return made.outputs;
  }

  #scopeOf({ name, op, inputs }: GraphNode): Scope {
    const weight = /^_?Fused/.test(op)
      ? inputs.find((operand) => this.#weights.has(this.#result(operand.node, operand.output, name)))
      : undefined;
    const path = this.#scopes.pathOf(name, weight?.node) ?? name;
    const known = this.#byPath.get(path) ?? { path };
    this.#byPath.set(path, known);
    return known;
  }
}
