/** Tables from CSV files (RFC 4180): whole into memory, or streamed from disk where they are larger than it. */

import { DataError, FileError } from "../../core/errors.ts";
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { type Dataset, fromIterable, fromTensors, type Labelled, type TensorDataset } from "../pipeline/dataset.ts";
import {
  type Column,
  type CsvOptions,
  type CsvSchema,
  csvTypes,
  inferCsvSchema,
  isMissing,
  missingLabel,
  readRecords,
} from "./csv-schema.node.ts";

/** A whole file: x is float32 [N, F], missing values NaN, categories their codes; y is int32 for classes, else float32, [N]. */
export interface CsvTable {
  /** The rows. */
  readonly all: TensorDataset<Labelled>;
  /** What the columns hold. */
  readonly schema: CsvSchema;
}

/** A file read anew in each epoch: samples have x float32 [F] and y of shape []. */
export interface CsvStream {
  /** The rows, read anew in each epoch. */
  readonly all: Dataset<Labelled>;
  /** What the columns hold. */
  readonly schema: CsvSchema;
}

/** The number for a value: itself, a category's code, NaN where it is missing. Throws DataError naming line and column. */
function numberOf(value: string, column: Column, options: CsvOptions, path: string, line: number): number {
  if (isMissing(value, options)) return Number.NaN;
  const text = value.trim();
  const number = column.type === "numeric" ? Number(text) : column.categories.indexOf(text);
  if (column.type === "numeric" ? Number.isFinite(number) : number >= 0) return number;
  const expected =
    column.type === "numeric"
      ? "a finite number; correct it, or list it in `missing`"
      : `one of ${column.categories.length} categories; infer the schema again`;
  throw new DataError(`${path}: line ${line}, column "${column.name}" is "${value}", expected ${expected}`);
}

/** Converts lines to numbers by a schema. */
function converter(path: string, schema: CsvSchema, options: CsvOptions) {
  // Looked up in a map: categories may be many.
  const codes = new Map(
    [schema.label, ...schema.features].map(({ name, categories }) => [
      name,
      new Map(categories.map((category, code) => [category, code])),
    ]),
  );
  const places = schema.features.map((column) => ({ column, at: schema.order.indexOf(column.name) }));
  const labelAt = schema.order.indexOf(schema.label.name);
  const convert = (value: string, column: Column, line: number) =>
    codes.get(column.name)?.get(value.trim()) ?? numberOf(value, column, options, path, line);
  return {
    features(values: readonly string[], line: number, into: Float32Array, offset: number): void {
      for (const [i, { column, at }] of places.entries())
        into[offset + i] = convert(values[at] as string, column, line);
    },
    label(values: readonly string[], line: number): number {
      const label = convert(values[labelAt] as string, schema.label, line);
      if (Number.isNaN(label)) throw missingLabel(path, line, schema.label.name);
      return label;
    },
  };
}

const labelArray = (schema: CsvSchema, length: number): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> =>
  schema.label.type === "categorical" ? new Int32Array(length) : new Float32Array(length);

const labelTensor = (data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>, shape: readonly number[]): Tensor =>
  data instanceof Int32Array ? new Tensor("int32", shape, data) : new Tensor("float32", shape, data);

const checkLoad = optionsOf("loadCsv", csvTypes);
const checkStream = optionsOf("streamCsv", csvTypes);

/**
 * Reads a table into memory. Missing values become NaN: fill them in with `fitImpute`, or `dropMissing`.
 * Throws FileError for a broken line, DataError for a value that does not fit its column, OptionError for unknown columns.
 * @example const { all, schema } = await loadCsv("titanic.csv", { label: "survived", types: { survived: "categorical" } });
 */
export async function loadCsv(path: string, options: CsvOptions): Promise<CsvTable> {
  const schema = await inferCsvSchema(path, checkLoad(options));
  const width = schema.features.length;
  const x = new Float32Array(schema.rows * width);
  const y = labelArray(schema, schema.rows);
  const convert = converter(path, schema, options);
  let row = 0;
  for await (const { values, line } of readRecords(path, options, schema.order.length)) {
    if (row === schema.rows) throw new FileError(`${path}: grew while it was read; try again when it is complete`);
    convert.features(values, line, x, row * width);
    y[row++] = convert.label(values, line);
  }
  const all = fromTensors({
    x: new Tensor("float32", [row, width], x.subarray(0, row * width)),
    y: labelTensor(y.subarray(0, row), [row]),
  });
  return { all, schema };
}

/**
 * A dataset that reads the file as a stream in each epoch, and never holds more of it than the rows in use. `schema` from an
 * earlier call saves reading the file once before. Throws as `loadCsv`, the latter while iterating.
 * @example (await streamCsv("big.csv", { label: "price" })).all.shuffle(keyOf(1), { buffer: 10_000 }).batch(256)
 */
export async function streamCsv(path: string, options: CsvOptions, known?: CsvSchema): Promise<CsvStream> {
  checkStream(options);
  const schema = known ?? (await inferCsvSchema(path, options));
  const convert = converter(path, schema, options);
  async function* samples(): AsyncGenerator<Labelled> {
    for await (const { values, line } of readRecords(path, options, schema.order.length)) {
      const x = new Float32Array(schema.features.length);
      convert.features(values, line, x, 0);
      const y = labelArray(schema, 1);
      y[0] = convert.label(values, line);
      yield { x: new Tensor("float32", [x.length], x), y: labelTensor(y, []) };
    }
  }
  return { all: fromIterable(samples, { length: schema.rows }), schema };
}
