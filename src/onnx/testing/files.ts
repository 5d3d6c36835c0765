/** Small ONNX files for tests, written message by message. */
import { size } from "../../core/shape.ts";
import { encodeMessage, type Message } from "../codec.ts";
import { ModelProto } from "../schema.ts";

/** A float32 input or output of extents that are known. */
export const float = (name: string, ...dims: readonly number[]): Message => ({
  name,
  type: { tensor_type: { elem_type: 1, shape: { dim: dims.map((dim_value) => ({ dim_value })) } } },
});
/** An initializer of float32 zeros. */
export const weight = (name: string, dims: readonly number[]): Message => ({
  name,
  dims,
  data_type: 1,
  raw_data: new Uint8Array(4 * size(dims)),
});

/** A model of one graph; the input is x [2, 4] and the output y by default. */
export function model(graph: Message, more: Message = {}): Uint8Array {
  return encodeMessage(ModelProto, {
    ir_version: 8,
    opset_import: [{ domain: "", version: 17 }],
    graph: { input: [float("x", 2, 4)], output: [{ name: "y" }], ...graph },
    ...more,
  });
}
/** A node of an operator. */
export const node = (
  op_type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  more: Message = {},
): Message => ({
  op_type,
  input: inputs,
  output: outputs,
  ...more,
});

/** A graph as an attribute of a node. */
export const graphAttribute = (name: string, g: Message): Message => ({ name, type: 5, g });

/** An int64 initializer: a number, or a list. */
export const whole = (name: string, value: number | readonly number[]): Message =>
  typeof value === "number"
    ? { name, dims: [], data_type: 7, int64_data: [value] }
    : { name, dims: [value.length], data_type: 7, int64_data: value };

/** A bool initializer. */
export const flag = (name: string, value: boolean): Message => ({
  name,
  dims: [],
  data_type: 9,
  int32_data: [value ? 1 : 0],
});
