/** Attributes of a TensorFlow node as JSON writes them: newer files have text in base64, older ones lists of bytes. */
import type { DType } from "../../../core/dtype.ts";
import { FileError, UnsupportedError } from "../../../core/errors.ts";
import { isPlainObject } from "../../../core/tree.ts";
import { shown } from "../../config-fields.ts";

/** TensorFlow's element types by their names and numbers (types.proto); TensorFlow.js computes with three of ours. */
const types: readonly (readonly [name: string, code: number, dtype: DType])[] = [
  ["DT_FLOAT", 1, "float32"],
  ["DT_DOUBLE", 2, "float32"],
  ["DT_HALF", 19, "float32"],
  ["DT_BFLOAT16", 14, "float32"],
  ["DT_INT32", 3, "int32"],
  ["DT_INT64", 9, "int32"],
  ["DT_UINT8", 4, "int32"],
  ["DT_INT16", 5, "int32"],
  ["DT_INT8", 6, "int32"],
  ["DT_UINT16", 17, "int32"],
  ["DT_UINT32", 22, "int32"],
  ["DT_UINT64", 23, "int32"],
  ["DT_BOOL", 10, "bool"],
];

/** The dtype in which a type is computed with; `undefined` for text, complex numbers and resources. */
function dtypeOfType(written: unknown): DType | undefined {
  return types.find(([name, code]) => written === name || written === code)?.[2];
}

/** Extents of a shape in JSON, `undefined` for open ones; `undefined` itself when even the rank is open. */
export function readExtents(shape: unknown): readonly (number | undefined)[] | undefined {
  if (!isPlainObject(shape) || shape["unknownRank"] === true) return undefined;
  const dims = shape["dim"] ?? [];
  if (!Array.isArray(dims)) return undefined;
  return dims.map((dim: unknown) => {
    const extent = wholeNumber(isPlainObject(dim) ? dim["size"] : undefined);
    return extent !== undefined && extent >= 0 ? extent : undefined;
  });
}

/** A whole number, which JSON has as text where it may be of 64 bits. */
function wholeNumber(written: unknown): number | undefined {
  const value = typeof written === "string" && /^-?\d+$/.test(written) ? Number(written) : written;
  return Number.isSafeInteger(value) ? Number(value) : undefined;
}

function readText(written: unknown): string | undefined {
  if (typeof written === "string") {
    try {
      return atob(written);
    } catch {
      return undefined;
    }
  }
  const isBytes = Array.isArray(written) && written.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256);
  return isBytes ? String.fromCharCode(...(written as readonly number[])) : undefined;
}

const readNumber = (written: unknown): number | undefined =>
  typeof written === "number" && Number.isFinite(written) ? written : undefined;

/** Typed access to the attributes of one node, whose name messages begin with. */
export class NodeAttributes {
  readonly #node: string;
  readonly #attributes: Readonly<Record<string, unknown>>;
  constructor(node: string, attributes: Readonly<Record<string, unknown>>) {
    this.#node = node;
    this.#attributes = attributes;
  }

  int(name: string, standard?: number): number {
    return this.#one(name, "i", wholeNumber, "a whole number", standard);
  }
  float(name: string, standard?: number): number {
    return this.#one(name, "f", readNumber, "a number", standard);
  }
  text(name: string, standard?: string): string {
    return this.#one(name, "s", readText, "text", standard);
  }
  flag(name: string, standard = false): boolean {
    return this.#one(name, "b", (value) => (typeof value === "boolean" ? value : undefined), "true or false", standard);
  }
  ints(name: string, standard?: readonly number[]): readonly number[] {
    return this.#list(name, "i", wholeNumber, "a list of whole numbers", standard);
  }
  texts(name: string): readonly string[] {
    return this.#list(name, "s", readText, "a list of text", []);
  }

  /** The dtype of a type. Throws UnsupportedError for one that no tensor here holds. */
  dtype(name: string): DType {
    const dtype = this.dtypeIfKnown(name);
    if (!dtype) throw new UnsupportedError(`its elements are ${shown(this.#field(name, "type"))}, no numbers`);
    return dtype;
  }
  dtypeIfKnown(name: string): DType | undefined {
    return dtypeOfType(this.#field(name, "type"));
  }

  /** Extents that a node says of its first result, or of itself. */
  extents(): readonly (number | undefined)[] | undefined {
    return readExtents(this.#field("shape", "shape"));
  }

  /** Extents of the outputs, where the converter kept them. */
  outputExtents(): readonly (readonly (number | undefined)[] | undefined)[] {
    const list = this.#field("_output_shapes", "list");
    const shapes = isPlainObject(list) ? list["shape"] : undefined;
    return Array.isArray(shapes) ? shapes.map(readExtents) : [];
  }

  #field(name: string, kind: string): unknown {
    const attribute = Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined;
    return isPlainObject(attribute) ? attribute[kind] : undefined;
  }

  #one<T>(name: string, kind: string, read: (value: unknown) => T | undefined, what: string, standard?: T): T {
    const written = this.#field(name, kind);
    const value = written === undefined ? standard : read(written);
    if (value === undefined) throw this.#wrong(name, written, what);
    return value;
  }

  #list<T>(
    name: string,
    kind: string,
    read: (value: unknown) => T | undefined,
    what: string,
    standard?: readonly T[],
  ): readonly T[] {
    const list = this.#field(name, "list");
    if (list === undefined && standard) return standard;
    const items = isPlainObject(list) ? (list[kind] ?? []) : list;
    const values = Array.isArray(items) ? items.map(read) : [undefined];
    if (!values.every((value) => value !== undefined)) throw this.#wrong(name, items, what);
    return values;
  }

  #wrong(name: string, written: unknown, what: string): FileError {
    return new FileError(
      `tfjs: ${this.#node}: its attribute ${name} is ${shown(written)}, expected ${what}; the file is damaged, convert the model again`,
    );
  }
}
