/** An ONNX file as plain ONNX Runtime runs it, on batches of data. */
import { DataError, DTypeError, ShapeError } from "../../core/errors.ts";
import { showShape } from "../../core/shape.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { gatherRows, joinRows } from "../../data/pipeline/rows.ts";
import type { Value } from "../../graph/ir.ts";
import { selectBackend } from "../../runtime/select.ts";
import type { Session, SessionOptions } from "../../runtime/session.ts";
import { namedInputs, type WeightedGraph } from "./weighted-graph.ts";

/** What one run of the file gives. */
export interface FileRun {
  readonly outputs: readonly Tensor[];
  /** Samples of it that are data; those behind them fill up the batch that the file is written for. */
  readonly rows: number;
}

/** A file that is loaded, with the names of what it takes. Release it when it is done with. */
export class FileSession {
  readonly #session: Session;
  readonly #inputs: readonly { readonly name: string; readonly value: Value }[];
  /** The batch that the file is written for; `undefined` where it is open. */
  readonly #batch: number | undefined;

  private constructor(session: Session, traced: WeightedGraph) {
    this.#session = session;
    this.#inputs = namedInputs(traced);
    const [first] = this.#inputs;
    this.#batch = first && traced.symbols(first.value, 0) === undefined ? first.value.shape[0] : undefined;
  }

  /** Loads the file of a graph. */
  static async open(bytes: Uint8Array, traced: WeightedGraph, options: SessionOptions = {}): Promise<FileSession> {
    return new FileSession(await (await selectBackend()).compile(bytes, options), traced);
  }

  /** The names of a batch that the model takes. */
  get names(): readonly string[] {
    const own = this.#inputs.map(({ name }) => name);
    // A batch calls an only input x.
    return own.length === 1 ? ["x", ...own] : own;
  }

  /** The tensors of a batch that the model takes, in the order of the file. Throws DataError, DTypeError, ShapeError. */
  taken(batch: Batch): readonly Tensor[] {
    return this.#inputs.map(({ name, value }) => {
      const tensor = batch[name] ?? (this.#inputs.length === 1 ? batch["x"] : undefined);
      if (!tensor)
        throw new DataError(
          `the batch has ${Object.keys(batch).join(", ") || "nothing"}, and the model takes ${this.#inputs.map((own) => own.name).join(", ")}; give batches with "${name}"`,
        );
      if (tensor.dtype !== value.dtype)
        throw new DTypeError(
          `"${name}" is ${tensor.dtype}, the model takes ${value.dtype}; convert the batches: map(…)`,
        );
      const fits =
        tensor.shape.length === value.rank && value.shape.every((extent, i) => i === 0 || extent === tensor.shape[i]);
      if (!fits)
        throw new ShapeError(
          `"${name}" is ${showShape(tensor.shape)}, the model takes ${showShape(value.shape)} of any batch; give batches like those that it was trained on`,
        );
      return tensor;
    });
  }

  /** Runs the file on a batch: once, or as often as its fixed batch needs. */
  async *runs(batch: Batch): AsyncGenerator<FileRun> {
    const tensors = this.taken(batch);
    const rows = tensors[0]?.shape[0] ?? 1;
    const each = this.#batch ?? rows;
    for (let first = 0; first < rows; first += each) {
      const count = Math.min(each, rows - first);
      const inputs = each === rows ? tensors : tensors.map((own) => rowsOf(own, first, each));
      yield { outputs: await this.#session.run(inputs), rows: count };
    }
  }

  /** The outputs for a batch, one row for each sample. */
  async outputs(batch: Batch): Promise<readonly Tensor[]> {
    const runs: FileRun[] = [];
    for await (const run of this.runs(batch)) runs.push(run);
    const [first] = runs;
    if (!first || runs.length === 1) return first?.outputs ?? [];
    return first.outputs.map((_, i) =>
      joinRows(runs.map(({ outputs, rows }) => rowsOf(outputs[i] as Tensor, 0, rows))),
    );
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/** So many rows from a place on; where the tensor ends before, its last is repeated. */
const rowsOf = (tensor: Tensor, first: number, count: number): Tensor =>
  gatherRows(
    tensor,
    Array.from({ length: count }, (_, i) => Math.min(first + i, (tensor.shape[0] ?? 1) - 1)),
  );
