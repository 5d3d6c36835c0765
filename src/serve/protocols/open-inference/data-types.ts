/** Tensors in the form of the Open Inference Protocol: as JSON, and as bytes (the binary tensor data extension). */
import { allocate, arrayTypes, bytesPerElement, type DType, integerRange, isBigInt } from "../../../core/dtype.ts";
import { DataError, DTypeError, ShapeError } from "../../../core/errors.ts";
import { plural } from "../../../core/number-text.ts";
import { quoted } from "../../../core/printable.ts";
import { size } from "../../../core/shape.ts";
import { Tensor } from "../../../core/tensor.ts";

/** What the protocol calls our dtypes. */
export const dataTypes: Readonly<Record<DType, string>> = {
  float32: "FP32",
  float64: "FP64",
  float16: "FP16",
  int8: "INT8",
  uint8: "UINT8",
  int16: "INT16",
  uint16: "UINT16",
  int32: "INT32",
  uint32: "UINT32",
  int64: "INT64",
  uint64: "UINT64",
  bool: "BOOL",
};
const dtypesByName = new Map(Object.entries(dataTypes).map(([dtype, name]) => [name, dtype as DType]));

/** The dtype of a datatype. Throws DTypeError for one that no model here takes. */
export function dtypeOf(datatype: string, name: string): DType {
  const dtype = dtypesByName.get(datatype);
  if (dtype === undefined)
    throw new DTypeError(
      `input ${quoted(name)} has the datatype ${quoted(datatype)}, expected one of ${[...dtypesByName.keys()].join(", ")}; send numbers as the model's metadata say`,
    );
  return dtype;
}

/** A tensor of bytes, least significant first. Throws ShapeError where they are not as many as the shape has elements. */
export function tensorOfBytes(dtype: DType, shape: readonly number[], bytes: Uint8Array, name: string): Tensor {
  const expected = size(shape) * bytesPerElement(dtype);
  if (bytes.length !== expected)
    throw new ShapeError(
      `input ${quoted(name)} has ${bytes.length} bytes, and its shape [${shape.join(", ")}] of ${dataTypes[dtype]} takes ${expected}; send as many`,
    );
  // A copy is where its elements may be, whatever was before it in the body. (That of a Buffer by `slice` would be none.)
  const own = new Uint8Array(bytes);
  if (dtype === "bool") {
    const wrong = own.findIndex((byte) => byte > 1);
    if (wrong >= 0)
      throw new DataError(
        `input ${quoted(name)}: element ${wrong} is ${own[wrong]}, expected 0 or 1 for BOOL; send those`,
      );
  }
  return new Tensor(dtype, shape, new arrayTypes[dtype](own.buffer, 0, size(shape)));
}

/** The bytes of a tensor, least significant first, as every machine has them that Node runs on. */
export const bytesOfTensor = ({ data }: Tensor): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** A tensor of JSON's numbers, nested or in one row. Throws ShapeError where they are not as many, DataError for what the dtype does not have. */
export function tensorOfJson(dtype: DType, shape: readonly number[], given: unknown, name: string): Tensor {
  if (dtype === "float16")
    throw new DTypeError(`input ${quoted(name)} is FP16, which JSON does not carry; send it as bytes, or as FP32`);
  const count = size(shape);
  const data = allocate(dtype, count);
  const put = elementWriter(dtype, data, name);
  let at = 0;
  const visit = (item: unknown): void => {
    if (Array.isArray(item)) for (const own of item) visit(own);
    else if (at < count) put(item, at++);
    else at++;
  };
  if (Array.isArray(given)) visit(given);
  if (!Array.isArray(given) || at !== count)
    throw new ShapeError(
      `input ${quoted(name)} has ${Array.isArray(given) ? plural(at, "element") : "no elements"}, and its shape [${shape.join(", ")}] takes ${count}; send as many`,
    );
  return new Tensor(dtype, shape, data);
}

/** Writes elements of JSON into an array. */
function elementWriter(dtype: DType, data: Tensor["data"], name: string): (item: unknown, at: number) => void {
  const refuse = (item: unknown, at: number, expected: string): never => {
    const shown = typeof item === "object" ? (item === null ? "null" : "an object") : quoted(String(item).slice(0, 40));
    throw new DataError(
      `input ${quoted(name)}: element ${at} is ${shown}, expected ${expected} for ${dataTypes[dtype]}; correct it`,
    );
  };
  if (dtype === "bool")
    return (item, at) => {
      if (typeof item !== "boolean" && item !== 0 && item !== 1) refuse(item, at, "true or false");
      data[at] = Number(item);
    };
  if (dtype === "float32" || dtype === "float64")
    return (item, at) => {
      if (typeof item !== "number") refuse(item, at, "a number");
      data[at] = item as number;
      if (!Number.isFinite(data[at])) refuse(item, at, "a number within its range");
    };
  const [least, most] = integerRange(dtype);
  return (item, at) => {
    if (typeof item !== "number" || !Number.isSafeInteger(item) || BigInt(item) < least || BigInt(item) > most)
      refuse(item, at, `a whole number from ${least} to ${most}, below 2^53 in JSON`);
    data[at] = isBigInt(dtype) ? BigInt(item as number) : (item as number);
  };
}

/** The elements of a tensor as a JSON list. Throws DataError for numbers that JSON does not have. */
export function jsonOfTensor(tensor: Tensor, name: string): string {
  const { dtype, data } = tensor;
  if (dtype === "bool") return `[${Array.from(data as Uint8Array, (own) => own !== 0).join(",")}]`;
  if (isBigInt(dtype)) return `[${data.join(",")}]`;
  const numbers = dtype === "float16" ? tensor.toNumbers() : Array.from(data as Float32Array);
  const broken = numbers.findIndex((own) => !Number.isFinite(own));
  if (broken >= 0)
    throw new DataError(
      `output ${quoted(name)}: element ${broken} is ${numbers[broken]}, which JSON does not have; ask for it as bytes: "parameters": {"binary_data": true}`,
    );
  return `[${numbers.join(",")}]`;
}
