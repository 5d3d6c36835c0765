/** Datasets that the tests of `inWorker` make in a worker. */
import { DataError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { type Dataset, fromIterable, fromTensors, type Labelled } from "../pipeline/dataset.ts";

export interface WorkerDataOptions {
  readonly kind: "table" | "stream" | "cached" | "shared" | "failing" | "broken" | "none" | "crashing";
  readonly rows: number;
}

const shared = tensor([1, 2, 3]);

const table = (rows: number): Dataset<Labelled> =>
  fromTensors({
    x: new Tensor(
      "float32",
      [rows, 3],
      Float32Array.from({ length: rows * 3 }, (_, i) => i),
    ),
    y: new Tensor(
      "int32",
      [rows],
      Int32Array.from({ length: rows }, (_, i) => i),
    ),
  });

const makers: Record<WorkerDataOptions["kind"], (rows: number) => unknown> = {
  table: (rows) =>
    table(rows)
      .shuffle(keyOf(1))
      .batch(2)
      .map(({ x, y }, random) => ({ x, y: tensor([random.uint32(), y.data.length], { dtype: "float64" }) })),
  stream: (rows) =>
    fromIterable(() => Array.from({ length: rows }, (_, i) => ({ x: tensor([i]), y: tensor(i) }))).batch(2),
  cached: (rows) => table(rows).batch(2).cache(),
  shared: (rows) =>
    table(rows)
      .batch(2)
      .map(({ y }) => ({ x: shared, y })),
  failing: (rows) =>
    table(rows).map((sample) => {
      if (sample.y.item() === 3) throw new DataError("row 3 is bad; correct it");
      return sample;
    }),
  broken: () => {
    throw new TypeError("no such thing");
  },
  none: () => "nothing",
  crashing: (rows) =>
    table(rows).map(() => {
      setTimeout(() => process.exit(3), 0);
      return new Promise(() => {});
    }),
};

/** Any of the datasets. */
export default async function make({ kind, rows }: WorkerDataOptions): Promise<unknown> {
  return makers[kind](rows);
}
