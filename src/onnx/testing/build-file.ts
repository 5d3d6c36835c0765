/** ONNX files built in code, for tests: nodes, tensors and attributes in the terms of onnx.proto. */
import { size } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import { dtypeCodes } from "../../ops/cast.ts";
import { encodeMessage, type Message } from "../codec.ts";
import { attributeTypeCodes, ModelProto } from "../schema.ts";

/** Numbers of TensorProto.DataType that no dtype of ours has. */
const narrowCodes = { uint4: 21, int4: 22 } as const;

/** What an attribute may be: whole numbers are ints, strings texts, and graphs those of control flow. */
type AttributeValue =
  | number
  | string
  | readonly number[]
  | Tensor
  | { readonly float: number }
  | { readonly graph: Message };

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function attribute(name: string, value: AttributeValue): Message {
  if (typeof value === "number") return { name, type: attributeTypeCodes.int, i: value };
  if (typeof value === "string") return { name, type: attributeTypeCodes.string, s: utf8(value) };
  if ("graph" in value) return { name, type: 5, g: value.graph };
  if ("float" in value) return { name, type: attributeTypeCodes.float, f: value.float };
  if ("data" in value) return { name, type: attributeTypeCodes.tensor, t: stored("", value) };
  return { name, type: attributeTypeCodes.ints, ints: value };
}

/** A node; "domain.Type" is one of another domain than ONNX's own. */
export function node(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
): Message {
  const dot = type.lastIndexOf(".");
  return {
    op_type: type.slice(dot + 1),
    domain: dot < 0 ? "" : type.slice(0, dot),
    input: inputs,
    output: outputs,
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  };
}

/** A tensor of the file. */
export const stored = (name: string, { dtype, shape, data }: Tensor): Message => ({
  name,
  dims: shape,
  data_type: dtypeCodes[dtype],
  raw_data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
});

/** A float32 tensor of zeros. */
export const zeros = (name: string, ...dims: readonly number[]): Message => ({
  name,
  dims,
  data_type: 1,
  raw_data: new Uint8Array(4 * size(dims)),
});

/** A tensor of 4-bit numbers, two to a byte, the first in the low half. */
export function nibbles(
  name: string,
  type: keyof typeof narrowCodes,
  dims: readonly number[],
  elements: readonly number[],
): Message {
  const bytes = Array.from({ length: Math.ceil(elements.length / 2) }, (_, i) => {
    const [low = 0, high = 0] = elements.slice(2 * i, 2 * i + 2);
    return (low & 15) | ((high & 15) << 4);
  });
  return { name, dims, data_type: narrowCodes[type], raw_data: new Uint8Array(bytes) };
}

/** The type of an input or output; a text is the name of an extent that may vary. */
export const typed = (
  name: string,
  dtype: keyof typeof dtypeCodes,
  ...extents: readonly (number | string)[]
): Message => ({
  name,
  type: {
    tensor_type: {
      elem_type: dtypeCodes[dtype],
      shape: {
        dim: extents.map((extent) => (typeof extent === "string" ? { dim_param: extent } : { dim_value: extent })),
      },
    },
  },
});

/** A model of one graph, in an operator set of ONNX's; functions and further domains beside it. */
export function fileOfGraph(graph: Message, opset = 21, more: Message = {}): Uint8Array {
  return encodeMessage(ModelProto, {
    ir_version: 10,
    opset_import: [
      { domain: "", version: opset },
      { domain: "com.microsoft", version: 1 },
    ],
    graph: { name: "graph", ...graph },
    ...more,
  });
}
