/** Elementwise graphs over long vectors, run chunk by chunk and in place, so that temporaries stay in the cache. */
import { Tensor } from "../core/tensor.ts";
import { input, type Value } from "../graph/ir.ts";
import { type CompileOptions, compile, type Executable } from "../jit/compile.ts";

/** Elements of a chunk; see docs/performance.md for how it was chosen. */
export const chunkLength = 1 << 16;

/** Consecutive elements that share their scalars. */
export interface Segment {
  readonly start: number;
  readonly end: number;
}

export interface ChunkedOptions {
  /** Equally long vectors. */
  readonly vectors: readonly Float32Array[];
  readonly segments: readonly Segment[];
  readonly scalarCount: number;
  /**
   * Builds the graph of one chunk from the chunk of every vector and the scalars. `results` overwrite the vectors of
   * the same position (`undefined` leaves one alone); `sums` are scalars that are added up over all chunks.
   */
  build(
    chunks: readonly Value[],
    scalars: readonly Value[],
  ): {
    readonly results: readonly (Value | undefined)[];
    readonly sums?: readonly Value[];
  };
  readonly compile?: CompileOptions;
}

interface Chunk {
  readonly executable: Executable;
  readonly segment: number;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly (Tensor | undefined)[];
}

/** A compiled chunked function. It allocates nothing while it runs, but for the sums. */
export class Chunked {
  readonly #chunks: readonly Chunk[];
  readonly #scalars: readonly (readonly Tensor<"float32">[])[];

  private constructor(chunks: readonly Chunk[], scalars: readonly (readonly Tensor<"float32">[])[]) {
    this.#chunks = chunks;
    this.#scalars = scalars;
  }

  static async create({ vectors, segments, scalarCount, build, compile: options }: ChunkedOptions): Promise<Chunked> {
    const graphs = new Map<number, Promise<{ executable: Executable; written: readonly number[]; sums: number }>>();
    const graphOfLength = (length: number) => {
      const known = graphs.get(length) ?? trace(length);
      graphs.set(length, known);
      return known;
    };
    const trace = async (length: number) => {
      const chunks = vectors.map((_, i) => input("float32", [length], `vector_${i}`));
      const scalars = Array.from({ length: scalarCount }, (_, i) => input("float32", [], `scalar_${i}`));
      const { results, sums = [] } = build(chunks, scalars);
      const written = results.flatMap((result, i) => (result ? [i] : []));
      const outputs = [...results.filter((result) => result !== undefined), ...sums];
      return { executable: await compile([...chunks, ...scalars], outputs, options), written, sums: sums.length };
    };
    const chunks: Chunk[] = [];
    const scalars = segments.map(() =>
      Array.from({ length: scalarCount }, () => new Tensor("float32", [], new Float32Array(1))),
    );
    for (const [index, { start, end }] of segments.entries())
      for (let from = start; from < end; from += chunkLength) {
        const to = Math.min(from + chunkLength, end);
        const { executable, written, sums } = await graphOfLength(to - from);
        const views = vectors.map((vector) => new Tensor("float32", [to - from], vector.subarray(from, to)));
        chunks.push({
          executable,
          segment: index,
          inputs: [...views, ...(scalars[index] ?? [])],
          outputs: [...written.map((i) => views[i]), ...new Array<undefined>(sums)],
        });
      }
    return new Chunked(chunks, scalars);
  }

  /** Runs every chunk, with the scalars of its segment; returns the sums. */
  async run(scalarsOf: (segment: number) => readonly number[] = () => []): Promise<number[]> {
    for (const [segment, tensors] of this.#scalars.entries()) {
      const values = scalarsOf(segment);
      for (const [i, tensor] of tensors.entries()) tensor.data[0] = values[i] ?? 0;
    }
    const totals: number[] = [];
    for (const { executable, inputs, outputs } of this.#chunks) {
      const results = await executable.run(inputs, outputs);
      for (let i = 0; i < results.length; i++)
        if (!outputs[i]) {
          const at = i - outputs.indexOf(undefined);
          totals[at] = (totals[at] ?? 0) + (results[i]?.item() ?? 0);
        }
    }
    return totals;
  }
}
