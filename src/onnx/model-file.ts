/** ONNX files as plain, checked data: graphs of named nodes, attributes, stored tensors. */
import type { ByteSource } from "../core/byte-source.ts";
import { FileError } from "../core/errors.ts";
import { limits, requireName, requireRank } from "../core/limits.ts";
import type { Declared } from "../import/declared.ts";
import { type Blob, type Decoded, decodeMessage } from "./decode.ts";
import { bytesAsText, number, numbers, record, records, text, texts } from "./fields.ts";
import { liftWeights } from "./lift.ts";
import { ModelProto } from "./schema.ts";
import { elementTypeOf, type OpenExternal, type StoredTensor, sparseTensor, storedTensor } from "./tensor.ts";
import { type Tied, withTied } from "./tied.ts";

/** Stands for an attribute of the function around it. */
export interface AttributeReference {
  readonly reference: string;
}

export type FileAttribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | StoredTensor
  | FileGraph
  | AttributeReference;

export interface FileNode {
  readonly type: string;
  readonly domain: string;
  readonly name: string;
  /** "" stands for an operand that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, FileAttribute>;
  /** What the exporter noted beside it. */
  readonly metadata: ReadonlyMap<string, string>;
}

export interface FileGraph {
  readonly nodes: readonly FileNode[];
  readonly initializers: ReadonlyMap<string, StoredTensor>;
  readonly inputs: readonly Declared[];
  readonly outputs: readonly Declared[];
  /** Everything that is declared, by name. */
  readonly declared: ReadonlyMap<string, Declared>;
}

/** A function that the model defines: a graph whose nodes may take attributes of the calling node. */
export interface FileFunction {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly FileNode[];
  /** Values of attributes that a call leaves out. */
  readonly defaults: ReadonlyMap<string, FileAttribute>;
}

export interface ModelFile {
  readonly graph: FileGraph;
  /** Version of the operator set by domain; "" is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly functions: ReadonlyMap<string, FileFunction>;
  readonly producer: string;
  /** What its writer noted in it. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Tensors of the file that are computed from others here, since they are copies. */
  readonly tied: readonly Tied[];
}

/** ONNX's own domain has two names. */
export const domainOf = (domain: string): string => (domain === "ai.onnx" ? "" : domain);

/** The key of a function or operator. */
export const functionKey = (domain: string, name: string): string => `${domainOf(domain)}:${name}`;

/**
 * Reads the structure of an ONNX model; the elements of tensors stay in the file. Throws FileError for a file that is cut
 * off, damaged or of another format.
 */
export function readModelFile(source: ByteSource, external: OpenExternal): ModelFile {
  const model = decodeMessage(ModelProto, source);
  const graph = record(model, "graph");
  if (!graph || number(model, "ir_version") === undefined)
    throw new FileError(
      "onnx: the file has no graph; it is no ONNX model, or one without its content: export it again as .onnx",
    );
  const opsets = new Map(
    records(model, "opset_import").map((entry) => [domainOf(text(entry, "domain")), number(entry, "version") ?? 1]),
  );
  if (opsets.size === 0) throw new FileError("onnx: the file names no operator set; it is cut off or damaged");
  const producer = [text(model, "producer_name"), text(model, "producer_version")].filter(Boolean).join(" ");
  const read = readGraph(graph, external);
  return {
    // Files of our own have each parameter once.
    ...(producer === "sardonyx" ? { graph: read, tied: [] } : withTied(read)),
    opsets,
    functions: new Map(
      records(model, "functions").map((item) => [
        functionKey(text(item, "domain"), text(item, "name")),
        {
          inputs: texts(item, "input"),
          outputs: texts(item, "output"),
          nodes: records(item, "node").map((node) => readNode(node, external)),
          defaults: readAttributes(records(item, "attribute_proto"), external),
        },
      ]),
    ),
    producer,
    metadata: readEntries(model, "metadata_props"),
  };
}

function readGraph(proto: Decoded, external: OpenExternal): FileGraph {
  const initializers = [
    ...records(proto, "initializer").map((item) => storedTensor(item, external)),
    ...records(proto, "sparse_initializer").map((item) => sparseTensor(item, external)),
  ];
  const [inputs, outputs, inner] = ["input", "output", "value_info"].map((field) =>
    records(proto, field).map(readDeclared),
  ) as [Declared[], Declared[], Declared[]];
  const lifted = records(proto, "node").map((node) => liftWeights(readNode(node, external)));
  const byName = new Map([...initializers, ...lifted.flatMap(({ tensors }) => tensors)].map((own) => [own.name, own]));
  return {
    nodes: lifted.map(({ node }) => node),
    initializers: byName,
    // Before IR version 4 an initializer had to be listed among the inputs too.
    inputs: inputs.filter(({ name }) => !byName.has(name)),
    outputs,
    declared: new Map([...inner, ...inputs, ...outputs].map((item) => [item.name, item])),
  };
}

function readDeclared(proto: Decoded): Declared {
  const declared = record(proto, "type");
  const optional = record(declared, "optional_type");
  const own = optional ? record(optional, "elem_type") : declared;
  const sequence = record(own, "sequence_type");
  const type = record(sequence ? record(sequence, "elem_type") : own, "tensor_type");
  const shape = record(type, "shape");
  const name = text(proto, "name");
  requireName("onnx: a value", name);
  requireRank(`onnx: "${name}"`, records(shape, "dim").length);
  return {
    name,
    ...(sequence && { isSequence: true }),
    ...(optional && { isOptional: true }),
    type: elementTypeOf(number(type, "elem_type") ?? 0),
    extents:
      shape &&
      records(shape, "dim").map((dim) => {
        // Some exporters write 0 or -1 for an extent that may vary.
        const extent = number(dim, "dim_value") ?? 0;
        return extent > 0 ? extent : text(dim, "dim_param") || undefined;
      }),
  };
}

const readEntries = (proto: Decoded, field: string): ReadonlyMap<string, string> =>
  new Map(records(proto, field).map((entry) => [text(entry, "key"), text(entry, "value")]));

function readNode(proto: Decoded, external: OpenExternal): FileNode {
  const outputs = texts(proto, "output");
  const node = {
    type: text(proto, "op_type"),
    domain: domainOf(text(proto, "domain")),
    name: text(proto, "name"),
    inputs: texts(proto, "input"),
    outputs,
    attributes: readAttributes(records(proto, "attribute"), external),
    metadata: readEntries(proto, "metadata_props"),
  };
  for (const name of [node.name, ...node.inputs, ...outputs]) requireName("onnx: a node", name);
  const most = Math.max(node.inputs.length, outputs.length);
  if (most > limits.operands)
    throw new FileError(
      `onnx: a node of ${node.type} has ${most} operands or outputs; ${limits.operands} is the limit operands`,
    );
  const stored = tensorOfNode(node);
  if (!stored) return node;
  const [name = ""] = outputs;
  return { ...node, attributes: new Map([["value", { ...stored, name }]]) };
}

/** The tensor that a Constant node holds, which has the name of its output; `undefined` for other nodes, and where it holds numbers. */
export function tensorOfNode({ type, attributes }: Pick<FileNode, "type" | "attributes">): StoredTensor | undefined {
  const value = type === "Constant" ? (attributes.get("value") ?? attributes.get("sparse_value")) : undefined;
  return typeof value === "object" && "read" in value ? value : undefined;
}

function readAttributes(protos: readonly Decoded[], external: OpenExternal): ReadonlyMap<string, FileAttribute> {
  return new Map(
    protos.flatMap((proto) => {
      const value = readAttribute(proto, external);
      return value === undefined ? [] : [[text(proto, "name"), value] as const];
    }),
  );
}

/** How each kind of attribute is read, by AttributeProto.type. */
const attributeReaders: Readonly<
  Record<number, (proto: Decoded, external: OpenExternal) => FileAttribute | undefined>
> = {
  1: (proto) => number(proto, "f") ?? 0,
  2: (proto) => number(proto, "i") ?? 0,
  3: (proto) => bytesAsText(proto["s"] as Blob | undefined),
  4: (proto, external) => {
    const tensor = record(proto, "t");
    return tensor && storedTensor(tensor, external);
  },
  5: (proto, external) => {
    const graph = record(proto, "g");
    return graph && readGraph(graph, external);
  },
  6: (proto) => numbers(proto, "floats"),
  7: (proto) => numbers(proto, "ints"),
  8: (proto) => ((proto["strings"] ?? []) as readonly Blob[]).map(bytesAsText),
  11: (proto, external) => {
    const tensor = record(proto, "sparse_tensor");
    return tensor && sparseTensor(tensor, external);
  },
};

/** Fields by the type that they mean; before IR version 2 an attribute did not say its type. */
const attributeFields = ["f", "i", "s", "t", "g", "floats", "ints", "strings"];

function readAttribute(proto: Decoded, external: OpenExternal): FileAttribute | undefined {
  const reference = text(proto, "ref_attr_name");
  if (reference) return { reference };
  const type = number(proto, "type") || attributeFields.findIndex((field) => proto[field] !== undefined) + 1;
  return attributeReaders[type]?.(proto, external);
}
