/** ONNX models as graphs: what our operators know becomes their nodes, the rest nodes that are named and counted only. */
import type { ByteSource } from "../core/byte-source.ts";
import { atPlace, DTypeError, FileError, GradientError, ShapeError, UnsupportedError } from "../core/errors.ts";
import { type Limits, limitError, limitOf } from "../core/limits.ts";
import { type Shape, showShape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { graphOf, input, type Node, type Scope, type Value } from "../graph/ir.ts";
import { makeNode, type OpDef, type StoredNode } from "../graph/op.ts";
import { assignScope } from "../graph/rewrite.ts";
import { type Declared, declaredShape, extentOf } from "../import/declared.ts";
import { fold } from "../import/fold.ts";
import type { ImportedGraph, Setting } from "../import/imported-graph.ts";
import { type UnknownReason, unknownOp } from "../import/unknown.ts";
import { ComputedError, constant } from "../ops/constant.ts";
import { findOp } from "../ops/registry.ts";
import { readAttributes, requireWhole } from "./attributes.ts";
import type { Branch } from "./control/branches.ts";
import { readControl } from "./control/control.ts";
import { readFunction } from "./control/functions.ts";
import { checkExpansion } from "./expansion.ts";
import { type FileGraph, type FileNode, type ModelFile, readModelFile, tensorOfNode } from "./model-file.ts";
import {
  type Computed,
  type Entry,
  isStored,
  isValue,
  Names,
  nothing,
  Sequence,
  type StoredEntry,
  valuesIn,
} from "./names.ts";
import { pathOfNode } from "./scopes.ts";
import { describeNode, isFileGraph, sortNodes, storedWithin } from "./sort.ts";
import type { OpenExternal, StoredTensor } from "./tensor.ts";
import type { Tied } from "./tied.ts";
import { hasInitializers, isBuffer, isWeight, type WeightRule } from "./weights.ts";

/** How a file becomes a graph. */
export interface GraphOptions {
  /** The shape of an input; default the declared one. Throws ShapeError for one that cannot be known. */
  readonly shapeOf?: (input: Declared) => Shape;
  /** The shapes of what a list holds, or an optional input; `undefined` when it is nothing. Default: throws ShapeError. */
  readonly itemsOf?: (input: Declared) => readonly Shape[] | undefined;
  /** Elements of inputs by name, which are then constants of the graph. */
  readonly constants?: ReadonlyMap<string, Tensor>;
  /** Which stored tensors are weights; default as `isWeight` has it. */
  readonly isWeight?: WeightRule;
  /** What stands for a weight; default a graph input of its type. */
  readonly bind?: (weight: StoredTensor) => Value;
  /** The elements of the other stored tensors; default from the file, those that nothing here needs left in it. */
  readonly read?: (stored: StoredTensor) => Tensor;
  /**
   * What becomes of an If whose condition is not known: both branches, and a choice between their outputs; the one that costs more, as a
   * run takes one of them; or an If, of which one runs. Default both.
   */
  readonly choices?: "both" | "costlier" | "kept";
  /** Limits that are other than docs/limits.md lists. */
  readonly limits?: Limits | undefined;
}

export interface ImportOptions extends GraphOptions {
  /** Opens files beside the model, for tensors that lie there; default: refuses. */
  readonly external?: OpenExternal;
}

export interface ImportedModel extends ImportedGraph<StoredTensor> {
  /** What the file's outputs are, one by one, in the order of the graph's. */
  readonly results: readonly Computed[];
  readonly producer: string;
  /** Version of ONNX's operator set. */
  readonly opset: number;
  /** Stored tensors of several elements that are no weights anywhere: scales, masks, tables of positions. */
  readonly settings: readonly Setting[];
  /** Copies of other tensors, which are one parameter with them. */
  readonly tied: readonly Tied[];
  /** The branches that were left out, where one of two was taken. */
  readonly branches: readonly Branch[];
}

/** Constants beyond this many bytes stay in the file: nothing that is computed here needs their elements. */
const maxConstantBytes = 1 << 26;

/**
 * Reads a model. Throws FileError for a file that is damaged or of another format, ShapeError when input shapes are not
 * known or do not fit.
 */
export function importModel(source: ByteSource, options: ImportOptions = {}): ImportedModel {
  return importFile(readModelFile(source, options.external ?? refuseExternal), options);
}

/** The graph of a file that is read already. Throws ShapeError when input shapes are not known or do not fit. */
export const importFile = (file: ModelFile, options: GraphOptions = {}): ImportedModel =>
  new Importer(file, options).run();

export const refuseExternal: OpenExternal = (location) => {
  throw new FileError(`onnx: a tensor lies in "${location}" beside the model; open the model where that file is`);
};

/** What is known of one graph of the file while its nodes are read. */
interface Place {
  readonly names: Names;
  readonly declared: ReadonlyMap<string, Declared>;
  /** Set within a function: its nodes belong to the layer that called it. */
  readonly scope?: Scope;
}

/** What the reading of functions and control flow needs of an importer. */
export interface GraphReader {
  readonly file: ModelFile;
  nodes(nodes: readonly FileNode[], place: Place): void;
  graph(graph: FileGraph, names: Names): readonly Computed[];
  /** What a name means. */
  entry(name: string, names: Names, where: string): Computed;
  /** The same of a tensor. Throws UnsupportedError for a list and for nothing. */
  operand(name: string, names: Names, where: string): Value;
  isUnshaped(value: Value): boolean;
  isUnknown(node: Node): boolean;
  /** Whether an If stays one. */
  readonly keepsBranches: boolean;
  /** Set where one branch of two is taken: takes note of the other. */
  readonly leaveOut: ((branch: Branch) => void) | undefined;
}

class Importer implements GraphReader {
  readonly file: ModelFile;
  readonly keepsBranches: boolean;
  readonly #options: GraphOptions;
  readonly #weights = new Map<Value, StoredTensor>();
  readonly #unknown = new Map<Node, UnknownReason>();
  readonly #unshaped = new Set<Value>();
  /** Values of stored tensors: as a weight, and as a constant. */
  readonly #asWeight = new Map<StoredTensor, Value>();
  readonly #asConstant = new Map<StoredTensor, Value>();
  /** Extents of symbols that the input shapes settle. */
  readonly #symbols = new Map<string, number>();
  readonly #scopes = new Map<string, Scope>();
  /** Whether the file keeps its weights as initializers, as most do; elsewhere they are Constant nodes. */
  readonly #hasInitializers: boolean;
  readonly #branches: Branch[] = [];
  readonly leaveOut: ((branch: Branch) => void) | undefined;
  /** Nodes that were read, again in each step of a loop. */
  #count = 0;
  /** The bodies of loops and functions are sorted once, not at each step. */
  readonly #orders = new Map<readonly FileNode[], readonly FileNode[]>();

  constructor(file: ModelFile, options: GraphOptions) {
    this.file = file;
    this.#options = options;
    this.#hasInitializers = hasInitializers(file);
    this.keepsBranches = options.choices === "kept";
    if (options.choices === "costlier") this.leaveOut = (branch) => this.#branches.push(branch);
  }

  run(): ImportedModel {
    const { graph, opsets, producer } = this.file;
    checkExpansion(this.file, this.#options.limits);
    const names = new Names();
    const inputs = graph.inputs.flatMap((declared) => {
      const known = this.#options.constants?.get(declared.name);
      const value = known ? constant(known) : this.#input(declared);
      names.set(declared.name, value);
      return known ? [] : valuesIn(value);
    });
    const results = this.graph(graph, names);
    const outputs = results.flatMap(valuesIn);
    return {
      graph: graphOf([...inputs, ...this.#weights.keys()], outputs),
      inputs,
      results,
      weights: this.#weights,
      unknown: this.#unknown,
      unshaped: this.#unshaped,
      settings: this.#settings(),
      branches: this.#branches,
      tied: this.file.tied,
      producer,
      opset: opsets.get("") ?? 1,
    };
  }

  /** The numbers that stand for no shape or position. */
  #settings(): readonly Setting[] {
    const settings = [...this.#asConstant].filter(([stored]) => isBuffer(stored) && !this.#asWeight.has(stored));
    return settings.map(([tensor, value]) => ({ tensor, value: value.producer ? undefined : value }));
  }

  #input(declared: Declared): Computed {
    const { name, isSequence, isOptional } = declared;
    if (!isSequence && !isOptional)
      return this.#tensorInput(declared, (this.#options.shapeOf ?? declaredShape)(declared));
    const shapes = this.#options.itemsOf?.(declared);
    if (!shapes && isOptional && this.#options.itemsOf) return nothing;
    if (!shapes) throw new ShapeError(`input "${name}" is a list of tensors; pass the shapes that it holds`);
    const items = shapes.map((shape) => this.#tensorInput(declared, shape));
    return isSequence ? new Sequence(items) : (items[0] ?? nothing);
  }

  #tensorInput(declared: Declared, shape: Shape): Value {
    const { name, type, isSequence } = declared;
    if (!type) throw new FileError(`onnx: input "${name}" is no tensor of numbers; only such models can be read`);
    // What a list holds may be of any shapes, whatever is declared.
    const extents = isSequence ? undefined : declared.extents;
    if (extents && extents.length !== shape.length)
      throw new ShapeError(
        `input "${name}" has ${extents.length} axes, got ${showShape(shape)}; pass one extent for each`,
      );
    for (const [axis, extent] of (extents ?? []).entries()) {
      const own = shape[axis] ?? 0;
      const known = typeof extent === "string" ? extentOf(extent, (symbol) => this.#symbols.get(symbol)) : extent;
      const settled = known ?? own;
      if (settled !== own)
        throw new ShapeError(
          `input "${name}" has ${settled} along axis ${axis}, got ${showShape(shape)}; pass ${settled}`,
        );
      if (typeof extent === "string") this.#symbols.set(extent, own);
    }
    return input(type.dtype, shape, name);
  }

  /** What a graph's outputs are; its inputs are in `names` already. */
  graph({ initializers, nodes, declared, outputs }: FileGraph, names: Names): readonly Computed[] {
    for (const [name, stored] of initializers) names.set(name, { stored, isNode: false });
    this.nodes(nodes, { names, declared });
    return outputs.map(({ name }) => this.entry(name, names, `output "${name}"`));
  }

  nodes(nodes: readonly FileNode[], place: Place): void {
    const { limits } = this.#options;
    // A body without nodes takes its time too, and a sum of many operands becomes as many nodes.
    this.#count += Math.max(1, nodes.length);
    for (const { inputs } of nodes) if (inputs.length > 8) this.#count += inputs.length;
    if (this.#count > limitOf("nodes", limits))
      throw limitError("nodes", "onnx: with its functions and loops written out it has more than", limits);
    const { names } = place;
    const order = this.#orders.get(nodes) ?? sortNodes(nodes, (name) => names.get(name) !== undefined);
    this.#orders.set(nodes, order);
    for (const node of order) {
      const [first = ""] = node.outputs;
      const stored = tensorOfNode(node);
      if (stored) {
        names.set(first, { stored, isNode: true });
        continue;
      }
      const outputs = this.#node(node, place);
      for (const [i, name] of node.outputs.entries()) {
        const output = outputs[i];
        if (name && !output)
          throw new FileError(`onnx: ${describeNode(node)} has no output ${i}, which the file names "${name}"`);
        if (name && output) names.set(name, output);
      }
    }
  }

  #node(node: FileNode, place: Place): readonly Computed[] {
    // Of those that hold graphs it is not asked what they contract.
    const op = [...node.attributes.values()].some(isFileGraph) ? undefined : findOp(node.type, node.domain);
    const scope = place.scope ?? this.#scopeOf(node, op, place.names);
    const outputs =
      (op ? undefined : readFunction(node, place.names, scope, this)) ??
      this.#control(node, op, place) ??
      this.#apply(node, op, place);
    assignScope(outputs.flatMap(valuesIn), scope);
    return outputs;
  }

  #control(node: FileNode, op: OpDef | undefined, place: Place): readonly Computed[] | undefined {
    try {
      return readControl({ node, names: place.names, reader: this });
    } catch (error) {
      return this.#refused(node, op, place, error);
    }
  }

  /** A node whose reading failed as that of one that is not known, or the error where it is another. */
  #refused(node: FileNode, op: OpDef | undefined, place: Place, error: unknown): readonly Value[] {
    if (![DTypeError, UnsupportedError, GradientError].some((kind) => error instanceof kind)) throw error;
    const computedFrom = error instanceof ComputedError ? { computedFrom: error.inputs } : {};
    return this.#unknownNode(node, op, place, { kind: "operator", why: (error as Error).message, ...computedFrom });
  }

  isUnshaped(value: Value): boolean {
    return this.#unshaped.has(value);
  }

  isUnknown(node: Node): boolean {
    return this.#unknown.has(node);
  }

  entry(name: string, names: Names, where: string, op?: OpDef, position = 0): Computed {
    const entry = names.get(name);
    if (!entry) throw new FileError(`onnx: ${where} reads "${name}", which is no input and computed nowhere`);
    return isStored(entry) ? this.#valueOf(entry, op, position) : entry;
  }

  operand(name: string, names: Names, where: string, op?: OpDef, position = 0): Value {
    const found = this.entry(name, names, where, op, position);
    if (isValue(found)) return found;
    throw new UnsupportedError(
      `${op?.type ?? where}: its operand "${name}" is ${found instanceof Sequence ? "a list of tensors" : "nothing"}`,
    );
  }

  /** The value of a stored tensor, where it stands as an operand of `op`. */
  #valueOf(entry: StoredEntry, op: OpDef | undefined, position: number): Value {
    const { stored } = entry;
    const learned = this.#isLearned(entry, op, position);
    const values = learned ? this.#asWeight : this.#asConstant;
    const known = values.get(stored);
    if (known) return known;
    const value = learned ? this.#weight(stored) : this.#constant(stored);
    values.set(stored, value);
    if (learned) this.#weights.set(value, stored);
    return value;
  }

  #weight(stored: StoredTensor): Value {
    return this.#options.bind?.(stored) ?? input(stored.type.dtype, stored.shape, stored.name);
  }

  #constant(stored: StoredTensor): Value {
    const { read } = this.#options;
    if (!read && stored.bytes > maxConstantBytes) return input(stored.type.dtype, stored.shape, stored.name);
    return constant(this.#read(stored));
  }

  #read(stored: StoredTensor): Tensor {
    return this.#options.read?.(stored) ?? stored.read();
  }

  #isLearned(entry: Entry, op: OpDef | undefined, position: number): boolean {
    if (!isStored(entry)) return isValue(entry) && this.#weights.has(entry);
    const storage = { isNode: entry.isNode, hasInitializers: this.#hasInitializers };
    return (this.#options.isWeight ?? isWeight)(entry.stored, op, position, storage);
  }

  #apply(node: FileNode, op: OpDef | undefined, place: Place): readonly Value[] {
    const unknown = (why: string, more: Partial<UnknownReason> = {}) =>
      this.#unknownNode(node, op, place, { kind: "operator", why, ...more });
    if (!op) return unknown(`${node.domain ? `${node.domain}.` : ""}${node.type} is not supported`);
    try {
      const operands = node.inputs.map((name, position) =>
        name === "" ? undefined : this.operand(name, place.names, describeNode(node), op, position),
      );
      const blind = operands.findIndex((value) => value && this.#unshaped.has(value));
      if (blind >= 0)
        return unknown(`the shape of its operand "${node.inputs[blind]}" is not known`, { kind: "shape" });
      const attributes = readAttributes(node.attributes, (stored) => this.#read(stored));
      if (typeof attributes === "string") return unknown(`its attribute ${attributes} is of a kind not supported`);
      requireWhole(attributes, op.schema);
      const version = this.file.opsets.get(node.domain) ?? 1;
      const outputs = build(op, { version, inputs: operands, attributes, outputs: node.outputs.length });
      return typeof outputs === "string" ? unknown(outputs) : fold(outputs, operands);
    } catch (error) {
      if (error instanceof ShapeError || error instanceof FileError) atPlace(describeNode(node), error);
      return this.#refused(node, op, place, error);
    }
  }

  /** A node that is named and counted only; its outputs have the declared types where the file has them. */
  #unknownNode(
    node: FileNode,
    op: OpDef | undefined,
    { names, declared }: Place,
    reason: UnknownReason,
  ): readonly Value[] {
    const read = (name: string, at?: OpDef, position = 0) =>
      valuesIn(this.entry(name, names, describeNode(node), at, position));
    const operands = node.inputs.flatMap((name, position): readonly (Value | undefined)[] =>
      name === "" ? [undefined] : read(name, op, position),
    );
    const types = node.outputs.map((name) => {
      const found = declared.get(name);
      const extents = found?.extents?.map((extent) =>
        typeof extent === "string" ? extentOf(extent, (symbol) => this.#symbols.get(symbol)) : extent,
      );
      const isKnown = extents?.every((extent) => extent !== undefined) ?? false;
      const dtype = found?.type?.dtype ?? operands.find(Boolean)?.dtype ?? "float32";
      return { dtype, shape: isKnown ? (extents as Shape) : [], isKnown };
    });
    // What its subgraphs hold, and read from around it, it depends on.
    const { stored, reads } = storedWithin(node);
    const inner = [
      ...stored.map((entry) => this.#valueOf({ stored: entry, isNode: false }, undefined, 0)),
      ...reads.flatMap((name) => (names.get(name) ? read(name) : [])),
    ];
    const made = makeNode(unknownOp(node.type, node.domain, op, types), [...operands, ...inner]);
    for (const [i, { isKnown }] of types.entries()) if (!isKnown) this.#unshaped.add(made.outputs[i] as Value);
    this.#unknown.set(made, reason);
    return made.outputs;
  }

  #scopeOf(node: FileNode, op: OpDef | undefined, names: Names): Scope {
    const weights = node.inputs.flatMap((name, position) => {
      const entry = names.get(name);
      if (!entry || !this.#isLearned(entry, op, position)) return [];
      return [isStored(entry) ? entry.stored.name : isValue(entry) ? (entry.name ?? "") : ""];
    });
    const path = pathOfNode(node, weights) ?? `${node.type}_${this.#scopes.size}`;
    const known = this.#scopes.get(path) ?? { path };
    this.#scopes.set(path, known);
    return known;
  }
}

/** The outputs of an operator as a file writes it, or why it is not the one that we know. */
function build(op: OpDef, stored: StoredNode): readonly Value[] | string {
  const read = op.read(stored);
  if (read) return read;
  const foreign = Object.keys(stored.attributes).find((name) => !Object.hasOwn(op.schema, name));
  if (foreign !== undefined) return `its attribute ${foreign} is not supported`;
  return makeNode(op, stored.inputs, stored.attributes).outputs;
}
