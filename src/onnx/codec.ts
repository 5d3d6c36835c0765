/** Encoding of messages described by a schema, over the wire format of @bufbuild/protobuf. */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { InternalError } from "../core/errors.ts";
import type { Field, MessageSchema } from "./schema.ts";

/** A message as plain data: numbers, strings, bytes, messages, and arrays of these. */
export type Message = { readonly [field: string]: FieldValue | undefined };
type FieldValue = number | string | Uint8Array | Message | readonly FieldValue[];

/** Bytes of a message. Repeated numbers are packed. */
export function encodeMessage(schema: MessageSchema, message: Message): Uint8Array {
  const writer = new BinaryWriter();
  writeMessage(writer, schema, message);
  return writer.finish();
}

function writeMessage(writer: BinaryWriter, schema: MessageSchema, message: Message): void {
  for (const [name, value] of Object.entries(message)) {
    const field = schema[name];
    if (!field) throw new InternalError(`no field "${name}" in this ONNX message`);
    if (value === undefined) continue;
    if (!field.repeated) writeField(writer, field, value);
    else if (Array.isArray(value)) writeRepeated(writer, field, value);
    else throw new InternalError(`ONNX field "${name}" is repeated; pass an array`);
  }
}

function writeRepeated(writer: BinaryWriter, field: Field, values: readonly FieldValue[]): void {
  if (["string", "bytes", "message"].includes(field.kind)) {
    for (const value of values) writeField(writer, field, value);
  } else if (values.length > 0) {
    writer.tag(field.number, WireType.LengthDelimited).fork();
    for (const value of values) writeNumber(writer, field, Number(value));
    writer.join();
  }
}

function writeField(writer: BinaryWriter, field: Field, value: FieldValue): void {
  if (field.kind === "string") writer.tag(field.number, WireType.LengthDelimited).string(String(value));
  else if (field.kind === "bytes") writer.tag(field.number, WireType.LengthDelimited).bytes(value as Uint8Array);
  else if (field.kind === "message" && field.message) {
    writer.tag(field.number, WireType.LengthDelimited).fork();
    writeMessage(writer, field.message(), value as Message);
    writer.join();
  } else {
    const wire = field.kind === "float" ? WireType.Bit32 : field.kind === "double" ? WireType.Bit64 : WireType.Varint;
    writeNumber(writer.tag(field.number, wire), field, Number(value));
  }
}

function writeNumber(writer: BinaryWriter, field: Field, value: number): void {
  if (field.kind === "float") writer.float(value);
  else if (field.kind === "double") writer.double(value);
  else if (field.kind === "uint64") writer.uint64(BigInt(value));
  else if (field.kind === "int32") writer.int32(value);
  else writer.int64(BigInt(value));
}
