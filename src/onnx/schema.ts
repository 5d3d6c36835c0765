/** The messages of ONNX's protobuf format that we use: field numbers and kinds (onnx/onnx.proto, IR version 10). */

/** Kind of one field: a scalar, or a message. Repeated fields are arrays. */
export interface Field {
  readonly number: number;
  readonly kind: "int64" | "float" | "string" | "bytes" | "message" | "double" | "uint64" | "int32";
  readonly repeated?: boolean;
  /** Packed numbers are not read with the message: they may be the weights of a model. */
  readonly lazy?: boolean;
  readonly message?: () => MessageSchema;
}
export type MessageSchema = Readonly<Record<string, Field>>;

const field = (number: number, kind: Field["kind"]): Field => ({ number, kind });
const list = (number: number, kind: Field["kind"]): Field => ({ number, kind, repeated: true });
const elements = (number: number, kind: Field["kind"]): Field => ({ number, kind, repeated: true, lazy: true });
const one = (number: number, message: () => MessageSchema): Field => ({ number, kind: "message", message });
const many = (number: number, message: () => MessageSchema): Field => ({
  number,
  kind: "message",
  message,
  repeated: true,
});

export const StringEntry: MessageSchema = { key: field(1, "string"), value: field(2, "string") };

export const TensorProto: MessageSchema = {
  dims: list(1, "int64"),
  data_type: field(2, "int32"),
  float_data: elements(4, "float"),
  int32_data: elements(5, "int32"),
  int64_data: elements(7, "int64"),
  name: field(8, "string"),
  raw_data: field(9, "bytes"),
  double_data: elements(10, "double"),
  uint64_data: elements(11, "uint64"),
  external_data: many(13, () => StringEntry),
  data_location: field(14, "int32"),
};

/** A tensor of which only some elements are stored; their name is the tensor's. */
export const SparseTensorProto: MessageSchema = {
  values: one(1, () => TensorProto),
  indices: one(2, () => TensorProto),
  dims: list(3, "int64"),
};

export const Dimension: MessageSchema = { dim_value: field(1, "int64"), dim_param: field(2, "string") };
export const TensorShape: MessageSchema = { dim: many(1, () => Dimension) };
export const TensorTypeProto: MessageSchema = { elem_type: field(1, "int32"), shape: one(2, () => TensorShape) };
/** The type of a list's elements, or of what is optional. */
export const ElementTypeProto: MessageSchema = { elem_type: one(1, () => TypeProto) };
export const TypeProto: MessageSchema = {
  tensor_type: one(1, () => TensorTypeProto),
  sequence_type: one(4, () => ElementTypeProto),
  optional_type: one(9, () => ElementTypeProto),
};
export const ValueInfo: MessageSchema = { name: field(1, "string"), type: one(2, () => TypeProto) };

export const AttributeProto: MessageSchema = {
  name: field(1, "string"),
  f: field(2, "float"),
  i: field(3, "int64"),
  s: field(4, "bytes"),
  t: one(5, () => TensorProto),
  g: one(6, () => GraphProto),
  floats: list(7, "float"),
  ints: list(8, "int64"),
  strings: list(9, "bytes"),
  type: field(20, "int32"),
  ref_attr_name: field(21, "string"),
  sparse_tensor: one(22, () => SparseTensorProto),
};

export const NodeProto: MessageSchema = {
  input: list(1, "string"),
  output: list(2, "string"),
  name: field(3, "string"),
  op_type: field(4, "string"),
  attribute: many(5, () => AttributeProto),
  domain: field(7, "string"),
  metadata_props: many(9, () => StringEntry),
};

export const GraphProto: MessageSchema = {
  node: many(1, () => NodeProto),
  name: field(2, "string"),
  initializer: many(5, () => TensorProto),
  input: many(11, () => ValueInfo),
  output: many(12, () => ValueInfo),
  value_info: many(13, () => ValueInfo),
  sparse_initializer: many(15, () => SparseTensorProto),
};

/** A function that a model defines for itself; nodes of its domain and name stand for its body. */
export const FunctionProto: MessageSchema = {
  name: field(1, "string"),
  input: list(4, "string"),
  output: list(5, "string"),
  node: many(7, () => NodeProto),
  domain: field(10, "string"),
  attribute_proto: many(11, () => AttributeProto),
};

export const OperatorSet: MessageSchema = { domain: field(1, "string"), version: field(2, "int64") };

export const ModelProto: MessageSchema = {
  ir_version: field(1, "int64"),
  producer_name: field(2, "string"),
  producer_version: field(3, "string"),
  graph: one(7, () => GraphProto),
  opset_import: many(8, () => OperatorSet),
  metadata_props: many(14, () => StringEntry),
  functions: many(25, () => FunctionProto),
};

/** Numbers of AttributeProto.type. */
export const attributeTypeCodes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;
