/** What the frozen part of a model gives for each sample, kept from epoch to epoch. */
import { arrayTypes, bytesPerElement, type DType } from "../../core/dtype.ts";
import { having, nonNegative } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { type Shape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { hashOf } from "./hash.ts";
import { memoryRows, type RowPlace, type Rows, rowsIn } from "./kept-rows.ts";

/** Epochs in which every batch is read: in the first its samples are kept, in the second they are found to be the same. */
export const readingEpochs = 2;

/** Bounds of what is kept. */
export interface CacheOptions {
  /** Bytes in memory; default 1 GB. */
  readonly memory?: number;
  /** Where to keep what is more, such as `diskRows({ bytes: 8e9 })`; default nowhere: it is computed anew. */
  readonly disk?: RowPlace;
}

export const checkCache = optionsOf<CacheOptions>("cache", {
  memory: nonNegative,
  disk: having<RowPlace>("open", "a place such as diskRows({ bytes: 8e9 })"),
});

/** A tensor of a sample within its row. */
interface Field {
  readonly name: string;
  readonly dtype: DType;
  /** Of one sample. */
  readonly shape: Shape;
  readonly from: number;
  readonly bytes: number;
}

/** What is kept of a batch: tensors of the batch that later layers read, and what the frozen part gives. */
export type KeptTensors = Readonly<Record<string, Tensor>>;

/**
 * Rows by the numbers of samples. A row counts from the second time on that its sample was read alike: until then the sample is read, so that
 * data that changes from epoch to epoch is found out.
 */
export class PrefixCache {
  readonly #places: readonly RowPlace[];
  readonly #bound: number;
  #rows: Rows | undefined;
  #fields: readonly Field[] = [];
  /** What the rows were computed with. */
  #frozen: readonly unknown[] = [];
  /** For each sample: its row, counted from 1; 0 for none. */
  #rowOf: Uint32Array;
  #hashes: Float64Array;
  /** How often each sample was read alike. */
  #reads: Uint8Array;
  #count = 0;
  /** Why nothing is kept any more. */
  #refusal: string | undefined;

  /** @param bound one more than the largest number of a sample */
  constructor({ memory = 1e9, disk }: CacheOptions, bound: number) {
    this.#places = [memoryRows(memory), ...(disk ? [disk] : [])];
    this.#bound = bound;
    this.#rowOf = new Uint32Array(bound);
    this.#hashes = new Float64Array(bound);
    this.#reads = new Uint8Array(bound);
  }

  /** Why nothing is kept, in words that follow "since"; `undefined` as long as something may be. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Samples that have a row, and the bytes of all rows. */
  get size(): { readonly samples: number; readonly bytes: number } {
    return { samples: this.#count, bytes: this.#count * this.#rowBytes };
  }

  /** Whether samples need not be read any more: their rows hold for what the frozen part computes with now. */
  isComplete(samples: readonly number[], frozen: readonly unknown[]): boolean {
    return this.#isFor(frozen) && samples.every((own) => (this.#rowOf[own] ?? 0) > 0 && (this.#reads[own] ?? 0) > 1);
  }

  /** Whether rows of samples that were read again hold: each sample is what it was when its row was made. */
  recognizes(samples: readonly number[], batch: Batch, frozen: readonly unknown[]): boolean {
    if (this.#refusal !== undefined || !this.#isFor(frozen)) return false;
    if (!samples.every((own) => (this.#rowOf[own] ?? 0) > 0)) return false;
    const same = samples.every((own, i) => this.#hashes[own] === hashOf(batch, i, samples.length));
    if (!same) {
      this.#forget();
      this.#refusal = "samples change from epoch to epoch";
      return false;
    }
    for (const own of samples) this.#reads[own] = Math.min(255, (this.#reads[own] ?? 0) + 1);
    return true;
  }

  /** Keeps the tensors of samples, as far as there is room. */
  put(samples: readonly number[], batch: Batch, tensors: KeptTensors, frozen: readonly unknown[]): void {
    if (this.#refusal !== undefined) return;
    const fields = fieldsOf(tensors, samples.length);
    if (!this.#isFor(frozen)) this.#forget();
    this.#frozen = frozen;
    if (this.#fields.length > 0 && !sameFields(fields, this.#fields)) {
      this.#forget();
      this.#refusal = "samples of several shapes were met";
      return;
    }
    this.#fields = fields;
    this.#rows ??= rowsIn(this.#places, this.#rowBytes, this.#bound);
    const row = new Uint8Array(this.#rowBytes);
    for (const [i, own] of samples.entries()) {
      if ((this.#rowOf[own] ?? 0) > 0 || this.#count >= this.#rows.capacity) continue;
      for (const { name, from, bytes } of fields)
        row.set(bytesOf(tensors[name] as Tensor).subarray(i * bytes, (i + 1) * bytes), from);
      this.#rows.write(this.#count, row);
      this.#rowOf[own] = ++this.#count;
      this.#hashes[own] = hashOf(batch, i, samples.length);
      this.#reads[own] = 1;
    }
  }

  /** The tensors of samples that have rows, stacked along the first axis. */
  take(samples: readonly number[]): KeptTensors {
    const row = new Uint8Array(this.#rowBytes);
    const filled = this.#fields.map((field) => new Uint8Array(samples.length * field.bytes));
    for (const [i, own] of samples.entries()) {
      this.#rows?.read((this.#rowOf[own] ?? 0) - 1, row);
      for (const [f, { from, bytes }] of this.#fields.entries())
        filled[f]?.set(row.subarray(from, from + bytes), i * bytes);
    }
    return Object.fromEntries(
      this.#fields.map(({ name, dtype, shape: [extent = 1, ...rest] }, f) => {
        const { buffer } = filled[f] as Uint8Array<ArrayBuffer>;
        return [name, new Tensor(dtype, [samples.length * extent, ...rest], new arrayTypes[dtype](buffer) as never)];
      }),
    );
  }

  /** Lets go of all rows. */
  close(): void {
    this.#forget();
  }

  get #rowBytes(): number {
    return this.#fields.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #isFor(frozen: readonly unknown[]): boolean {
    return frozen.length === this.#frozen.length && frozen.every((own, i) => own === this.#frozen[i]);
  }

  #forget(): void {
    this.#rows?.close();
    this.#rows = undefined;
    this.#fields = [];
    this.#count = 0;
    this.#rowOf = new Uint32Array(this.#bound);
    this.#hashes = new Float64Array(this.#bound);
    this.#reads = new Uint8Array(this.#bound);
  }
}

const bytesOf = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

function fieldsOf(tensors: KeptTensors, count: number): readonly Field[] {
  let from = 0;
  return Object.entries(tensors).map(
    ([
      name,
      {
        dtype,
        shape: [first = 1, ...rest],
      },
    ]) => {
      const shape = [first / count, ...rest];
      // Each begins where a number of any type may.
      const bytes = size(shape) * bytesPerElement(dtype);
      const field = { name, dtype, shape, from, bytes };
      from += bytes;
      return field;
    },
  );
}

const sameFields = (a: readonly Field[], b: readonly Field[]): boolean =>
  a.length === b.length &&
  a.every(
    ({ name, dtype, shape }, i) => name === b[i]?.name && dtype === b[i]?.dtype && `${shape}` === `${b[i]?.shape}`,
  );
