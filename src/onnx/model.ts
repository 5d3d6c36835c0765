/** Writing a Graph as an ONNX model. */

import { InternalError, OptionError } from "../core/errors.ts";
import { functionOf, listOf, matching, objectOf, string } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import { sameShape, showShape } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import { constantOf, type Graph, type Node, type Value } from "../graph/ir.ts";
import type { AttributeKind } from "../graph/op.ts";
import { dtypeCodes } from "../ops/cast.ts";
import { encodeMessage, type Message } from "./codec.ts";
import { attributeTypeCodes, ModelProto } from "./schema.ts";

/** Version of the operator set that our definitions follow. */
export const opsetVersion = 21;

/** Version of the operator set of classical machine learning (ai.onnx.ml). */
const classicVersion = 3;

/** Options of `encodeModel`. */
export interface ModelOptions {
  /**
   * Graph inputs that become initializers under their names, with what they hold. The constants of the graph are then Constant nodes,
   * so that a reader of the file can distinguish weights from them. Default: all inputs stay, and constants are initializers.
   */
  readonly initializers?: ReadonlyMap<Value, Tensor>;
  /** Names of the inputs that stay, in their order; default their own. */
  readonly inputNames?: readonly string[];
  /** Names of the outputs, in their order; default `output_0`, `output_1`, … */
  readonly outputNames?: readonly string[];
  /** Symbol for an extent that may vary, by input or output position and axis. */
  readonly symbols?: (value: Value, axis: number) => string | undefined;
  /** Name of an empty sequence that is an output before all others, for an engine that stops there once all are written; default none. */
  readonly sequence?: string | undefined;
  /** Text to note in the file, by key; default none. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const checkOptions = optionsOf<ModelOptions>("encodeModel", {
  initializers: matching("a map from values to tensors", (value) => value instanceof Map),
  inputNames: listOf(string, "names"),
  outputNames: listOf(string, "names"),
  symbols: functionOf("(value, axis) => symbol"),
  sequence: string,
  metadata: objectOf("texts by name"),
});

/**
 * Bytes of the ONNX model that computes `graph`. Constants become initializers; unused outputs are left out. Throws OptionError for a
 * value that is read and no input, and for an initializer of another type than its input.
 */
export function encodeModel(graph: Graph, options: ModelOptions = {}): Uint8Array {
  const { initializers: held } = checkOptions(options);
  const sequence = options.sequence === undefined ? [] : [options.sequence];
  const names = new ModelNames([...(options.inputNames ?? []), ...(options.outputNames ?? []), ...sequence]);
  const inputs = graph.inputs.filter((value) => !held?.has(value));
  for (const [i, value] of inputs.entries())
    names.set(value, options.inputNames?.[i] ?? names.claim(value.name ?? `input_${i}`));
  for (const value of held?.keys() ?? []) names.set(value, names.claim(value.name ?? "weight"));
  const namesOfOutputs = graph.outputs.map((_, i) => options.outputNames?.[i] ?? names.claim(`output_${i}`));
  const initializers = Array.from(held ?? [], ([value, tensor]) => encodeHeld(names.of(value), value, tensor));
  const body = encodeBody(graph, namesOfOutputs, { names, keepsConstants: held !== undefined, suffix: String });
  const outputs = graph.outputs.map((value, i) => describe(value, namesOfOutputs[i] as string, options));
  const domains = new Map([
    ["", opsetVersion],
    ["com.microsoft", 1],
    ...domainsOf(graph).map((domain): [string, number] => [domain, domain === "ai.onnx.ml" ? classicVersion : 1]),
  ]);
  return encodeMessage(ModelProto, {
    ir_version: 10,
    producer_name: "sardonyx",
    opset_import: [...domains].map(([domain, version]) => ({ domain, version })),
    // Before the graph: a file that is cut off between the two would be read as one without.
    metadata_props: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
    graph: {
      name: "sardonyx",
      node: [...sequence.map(encodeEmptySequence), ...body.nodes],
      initializer: [...initializers, ...body.initializers],
      input: inputs.map((value) => describe(value, names.of(value), options)),
      output: [...sequence.map(describeSequence), ...outputs],
    },
  });
}

const encodeEmptySequence = (name: string): Message => ({
  op_type: "SequenceEmpty",
  name: `output/${name}`,
  output: [name],
  attribute: [encodeAttribute("dtype", "int", dtypeCodes.float32)],
});

const describeSequence = (name: string): Message => ({
  name,
  type: { sequence_type: { elem_type: { tensor_type: { elem_type: dtypeCodes.float32 } } } },
});

/** The domains beside ONNX's own of a graph's operators, also in the graphs that its nodes hold. */
const domainsOf = ({ nodes }: Graph): readonly string[] =>
  nodes.flatMap(({ op, attributes }) => [
    ...(op.domain === "" ? [] : [op.domain]),
    ...Object.entries(op.schema).flatMap(([name, kind]) =>
      kind === "graph" ? domainsOf(attributes[name] as Graph) : [],
    ),
  ]);

/** The names of a model's values, of which no two are equal, also in the graphs that its nodes hold. */
class ModelNames {
  readonly #names = new Map<Value, string>();
  readonly #taken: Set<string>;

  constructor(taken: readonly string[]) {
    this.#taken = new Set(taken);
  }

  /** `wanted`, or the first name after it that is free. */
  claim(wanted = `v${this.#names.size}`): string {
    let name = wanted;
    for (let i = 1; this.#taken.has(name); i++) name = `${wanted}_${i}`;
    this.#taken.add(name);
    return name;
  }

  /** Gives a value its name. */
  set(value: Value, name: string): string {
    this.#names.set(value, name);
    return name;
  }

  of(value: Value | undefined): string {
    if (!value) return "";
    const name = this.#names.get(value);
    if (name === undefined)
      throw new OptionError(
        `the graph reads ${value.name ?? "a value"} (${value}), which is not among its inputs; list every input in graphOf([…], […])`,
      );
    return name;
  }
}

/** What the nodes of a graph are written with. */
interface Writing {
  readonly names: ModelNames;
  /** Constants become nodes, not initializers. */
  readonly keepsConstants: boolean;
  /** The end of a node's name, by its place; it ends with the place among the model's own nodes. */
  readonly suffix: (index: number) => string;
}

interface Body {
  readonly nodes: readonly Message[];
  readonly initializers: readonly Message[];
}

/** The nodes of a graph whose inputs have names already, with its outputs under the names given. */
function encodeBody(graph: Graph, namesOfOutputs: readonly string[], writing: Writing): Body {
  const { names, keepsConstants } = writing;
  const used = new Set<Value | undefined>([...graph.outputs, ...graph.nodes.flatMap((node) => node.inputs)]);
  const [nodes, initializers]: [Message[], Message[]] = [[], []];
  // A computed value that is an output, once, carries the output's name; any other output gets an Identity below.
  const outputNames = new Map<Value, string>();
  for (const [i, value] of graph.outputs.entries())
    if (!outputNames.has(value)) outputNames.set(value, namesOfOutputs[i] as string);
  const declare = (value: Value) => names.set(value, outputNames.get(value) ?? names.claim());
  for (const [index, node] of graph.nodes.entries()) {
    const tensor = constantOf(node.outputs[0]);
    const place = { ...writing, suffix: () => writing.suffix(index) };
    if (tensor && keepsConstants) nodes.push(encodeNode(node, [names.set(node.outputs[0], names.claim())], place));
    else if (tensor) initializers.push(encodeTensor(names.set(node.outputs[0], names.claim()), tensor));
    else nodes.push(encodeNode(node, storedOutputs(node, used).map(declare), place));
  }
  for (const [i, value] of graph.outputs.entries()) {
    const name = namesOfOutputs[i] as string;
    if (names.of(value) !== name)
      nodes.push({ op_type: "Identity", name: `output/${name}`, input: [names.of(value)], output: [name] });
  }
  return { nodes, initializers };
}

function encodeHeld(name: string, value: Value, tensor: Tensor): Message {
  if (tensor.dtype !== value.dtype || !sameShape(tensor.shape, value.shape))
    throw new OptionError(
      `the initializer "${name}" is ${tensor.dtype}${showShape(tensor.shape)} and its input ${value}; pass a tensor of the input's type`,
    );
  return encodeTensor(name, tensor);
}

/** A node's outputs up to the last one that is required or used. */
function storedOutputs(node: Node, used: ReadonlySet<Value | undefined>): readonly Value[] {
  const last = node.outputs.findLastIndex((value) => used.has(value));
  return node.outputs.slice(0, Math.max(node.op.requiredOutputs, last + 1));
}

/** The name of a node in a model, by its place among the nodes of its graph. */
export const nodeName = ({ op, scope }: Node, place: number | string): string =>
  `${scope?.path ?? "graph"}/${op.type}_${place}`;

function encodeNode(node: Node, output: readonly string[], writing: Writing & { suffix(): string }): Message {
  const { op } = node;
  // Graphs read values around them by name. Operands that are left out at the end are not there: engines count on that.
  const read = node.inputs.slice(0, op.captures);
  const input = read.slice(0, read.findLastIndex(Boolean) + 1).map((value) => writing.names.of(value));
  if (op.domain === "sardonyx" || op.since > opsetVersion)
    throw new InternalError(`${op.type} reached the ONNX writer without lowering`);
  return {
    op_type: op.type,
    name: nodeName(node, writing.suffix()),
    domain: op.domain,
    input,
    output,
    attribute: Object.entries(node.attributes).flatMap(([name, value]) => {
      const kind = op.schema[name];
      if (value === undefined || !kind) return [];
      return [
        kind === "graph" ? encodeBranch(name, value as Graph, node, writing) : encodeAttribute(name, kind, value),
      ];
    }),
  };
}

/** A graph that a node holds: the inputs of the graph are values around it. */
function encodeBranch(name: string, branch: Graph, node: Node, writing: Writing & { suffix(): string }): Message {
  const { names } = writing;
  for (const [i, value] of branch.inputs.entries())
    names.set(value, names.of(node.inputs[(node.op.captures ?? 0) + i]));
  const outputs = branch.outputs.map(() => names.claim());
  const own = writing.suffix();
  const { nodes, initializers } = encodeBody(branch, outputs, { ...writing, suffix: (index) => `${index}_${own}` });
  const g = {
    name,
    node: nodes,
    initializer: initializers,
    output: branch.outputs.map((value, i) => describe(value, outputs[i] as string, {})),
  };
  return { name, type: attributeTypeCodes.graph, g };
}

function encodeAttribute(name: string, kind: Exclude<AttributeKind, "graph">, value: unknown): Message {
  const fields: Record<Exclude<AttributeKind, "graph">, () => Message> = {
    int: () => ({ i: value as number }),
    ints: () => ({ ints: value as readonly number[] }),
    float: () => ({ f: value as number }),
    floats: () => ({ floats: value as readonly number[] }),
    string: () => ({ s: new TextEncoder().encode(value as string) }),
    strings: () => ({ strings: (value as readonly string[]).map((item) => new TextEncoder().encode(item)) }),
    tensor: () => ({ t: encodeTensor("", value as Tensor) }),
  };
  return { name, type: attributeTypeCodes[kind], ...fields[kind]() };
}

const encodeTensor = (name: string, { dtype, shape, data }: Tensor): Message => ({
  name,
  dims: shape,
  data_type: dtypeCodes[dtype],
  raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
});

const describe = (value: Value, name: string, { symbols }: ModelOptions): Message => ({
  name,
  type: {
    tensor_type: {
      elem_type: dtypeCodes[value.dtype],
      shape: {
        dim: value.shape.map((extent, axis) => {
          const symbol = symbols?.(value, axis);
          return symbol === undefined ? { dim_value: extent } : { dim_param: symbol };
        }),
      },
    },
  },
});
