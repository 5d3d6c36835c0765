/** The IDX format of MNIST (yann.lecun.com/exdb/mnist): a magic number, big-endian extents, big-endian elements. */
import { type ArrayOf, allocate, bytesPerElement, type DType } from "../../core/dtype.ts";
import { FileError } from "../../core/errors.ts";
import { showShape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { gunzip, isGzip } from "../../storage/gzip.ts";

const dtypeOfCode = new Map<number, DType>([
  [0x08, "uint8"],
  [0x09, "int8"],
  [0x0b, "int16"],
  [0x0c, "int32"],
  [0x0d, "float32"],
  [0x0e, "float64"],
]);

/** A copy of `bytes` with each group of `width` reversed: big-endian elements become little-endian. */
function reversedGroups(bytes: Uint8Array, width: number): Uint8Array {
  const result = new Uint8Array(bytes); // slice() of a Buffer does not copy
  for (let start = 0; width > 1 && start < result.length; start += width)
    result.subarray(start, start + width).reverse();
  return result;
}

/**
 * The tensor in an IDX file, as it lies on disk or packed by gzip. Throws FileError, opening with `what` the file is for,
 * when its magic number, extents or length do not fit together.
 */
export async function readIdx(file: Uint8Array, what: string): Promise<Tensor> {
  const bytes = isGzip(file) ? await gunzip(file, what) : new Uint8Array(file.buffer, file.byteOffset, file.length);
  const dtype = dtypeOfCode.get(bytes[2] ?? -1);
  const rank = bytes[3] ?? 0;
  if (bytes[0] !== 0 || bytes[1] !== 0 || dtype === undefined || rank === 0) {
    const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw new FileError(
      `${what}: begins with bytes ${start || "(none)"}, expected 00 00, a type from 08 to 0e and the number of axes; ` +
        "this is no IDX file",
    );
  }
  const headerBytes = 4 + 4 * rank;
  if (bytes.length < headerBytes)
    throw new FileError(
      `${what}: has ${bytes.length} bytes, its header of ${rank} axes needs ${headerBytes}; it is cut off`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const needed = headerBytes + size(shape) * bytesPerElement(dtype);
  if (needed !== bytes.length)
    throw new FileError(
      `${what}: ${dtype} ${showShape(shape)} needs ${needed} bytes, the file has ${bytes.length}; ` +
        "it is cut off or damaged, get it again",
    );
  const body = bytes.subarray(headerBytes);
  if (dtype === "uint8") return new Tensor("uint8", shape, body as ArrayOf<"uint8">);
  const data = allocate(dtype, size(shape));
  new Uint8Array(data.buffer).set(reversedGroups(body, bytesPerElement(dtype)));
  return new Tensor(dtype, shape, data);
}
