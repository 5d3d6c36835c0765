/** A model beside what compression made of it: how large both are, how fast, what each gets right, and how far their outputs lie apart. */

import { costOf } from "../../analyze/cost/cost.ts";
import { learnedOf, total } from "../../analyze/networks/network.ts";
import { onnxNetwork } from "../../analyze/networks/onnx-network.ts";
import { memorySource } from "../../core/byte-source.ts";
import { having, objectOf } from "../../core/option-types.ts";
import { optionsOf, required } from "../../core/options.ts";
import type { Tensor } from "../../core/tensor.ts";
import { mapTree } from "../../core/tree.ts";
import { type Batch, type Dataset, fromIterable } from "../../data/pipeline/dataset.ts";
import { gatherRows } from "../../data/pipeline/rows.ts";
import { inputsType } from "../../formats/files/export-onnx.ts";
import { Value } from "../../graph/ir.ts";
import { declaredShape } from "../../import/declared.ts";
import { type AnyModule, type Context, Module, type NamedInputs, type TypeTree } from "../../nn/index.ts";
import { importModel } from "../../onnx/import.ts";
import { type EvaluateOptions, evaluate } from "../../train/evaluate.ts";
import { FileSession } from "../graph/file-session.ts";
import { traceWeighted } from "../graph/trace-model.ts";
import { encodeWeighted, type WeightedGraph } from "../graph/weighted-graph.ts";
import { interleaved } from "./interleaved.ts";

/** Figures of one model. */
export interface ModelFigures {
  /** Learned numbers, packed ones as they were before. */
  readonly parameters: number;
  /** Of them those that are not 0, as far as they are not packed in blocks. */
  readonly nonzero: number;
  /** Of the ONNX file. */
  readonly bytes: number;
  /** Multiply-adds of a sample. */
  readonly macs: number;
  /** Median milliseconds of a batch of one, and of the batches of the data, in ONNX Runtime on all cores. */
  readonly milliseconds: { readonly one: number; readonly batch: number };
  /** Loss and metrics on the data; `undefined` where they are not those of outputs alone. */
  readonly results: Readonly<Record<string, number>> | undefined;
}

/** What `compareModels` gives: fit for JSON. */
export interface ModelComparison {
  readonly before: ModelFigures;
  readonly after: ModelFigures;
  /** Samples of a batch that was timed. */
  readonly batch: number;
  /** Of the outputs on the samples that were compared. */
  readonly difference: {
    /** Largest |before - after|. */
    readonly largest: number;
    /** ‖before - after‖ / ‖before‖. */
    readonly relative: number;
    /** Share of rows whose largest element is the same one; `undefined` where outputs are no scores. */
    readonly sameChoice: number | undefined;
    readonly samples: number;
  };
}

/** What is measured on the outputs of both. */
export interface ComparisonOptions {
  /** Batches like those of the model's test. */
  readonly data: Dataset<Batch>;
  /** The loss and the metrics of the task; default none are measured. */
  readonly measured?: EvaluateOptions<Batch> | undefined;
  /** Types of the model's inputs; default those that it was last applied to. */
  readonly inputs?: TypeTree | undefined;
}

/** Samples whose outputs are compared, at most, to the end of a batch. */
const compared = 512;

const checkOptions = optionsOf<ComparisonOptions>("compareModels", {
  data: required(having<Dataset<Batch>>("epoch", "a dataset")),
  measured: objectOf("a loss, with metrics"),
  inputs: inputsType,
});

/**
 * Measures a model and the file that compression made of it side by side, in one run by plain ONNX Runtime. Times are those of this machine in this
 * run: take their ratio. Throws DataError for batches that lack what the model takes, and what tracing throws.
 * @example
 * const { before, after } = await compareModels(model, bytes, { data: test, measured: { loss: crossEntropy(), metrics: [accuracy()] } });
 * console.log(before.bytes / after.bytes, before.results?.accuracy, after.results?.accuracy);
 */
export async function compareModels(
  model: AnyModule,
  compressed: Uint8Array,
  options: ComparisonOptions,
): Promise<ModelComparison> {
  const { data, measured, inputs } = checkOptions(options);
  const graph = traceWeighted(model, inputs, "compareModels");
  const files = [encodeWeighted(graph), compressed] as const;
  const sessions = [await FileSession.open(files[0], graph), await FileSession.open(files[1], graph)] as const;
  try {
    const times = await timesOf(sessions, data);
    const figures = async (i: 0 | 1): Promise<ModelFigures> => ({
      ...countsOf(files[i]),
      bytes: files[i].length,
      milliseconds: { one: times.one[i] as number, batch: times.batch[i] as number },
      results: measured && (await resultsOf(sessions[i], graph, data, measured)),
    });
    return {
      before: await figures(0),
      after: await figures(1),
      batch: times.samples,
      difference: await differenceOf(sessions, data),
    };
  } finally {
    for (const session of sessions) await session.release();
  }
}

type Sessions = readonly [FileSession, FileSession];

/** Learned numbers and multiply-adds of a file for a batch of one. */
function countsOf(bytes: Uint8Array): Pick<ModelFigures, "parameters" | "nonzero" | "macs"> {
  const model = importModel(memorySource(bytes), {
    shapeOf: (declared) =>
      declaredShape({ ...declared, extents: declared.extents?.map((extent) => numberOr(extent, 1)) }),
  });
  const network = onnxNetwork("model", model);
  const learned = learnedOf(network);
  const parameters = total(learned, ({ elements }) => elements);
  return {
    parameters,
    nonzero: parameters - total(learned, ({ zeros }) => zeros ?? 0),
    macs: network.graphs ? costOf(network.graphs.forward.nodes).macs : 0,
  };
}

const numberOr = (extent: number | string | undefined, otherwise: number): number =>
  typeof extent === "number" ? extent : otherwise;

/** The first batch of data. */
async function firstBatch(data: Dataset<Batch>): Promise<Batch> {
  for await (const batch of data.epoch(0)) return batch;
  return {};
}

async function timesOf(sessions: Sessions, data: Dataset<Batch>) {
  const batch = await firstBatch(data);
  const one = mapTree(batch, (tensor) => gatherRows(tensor as Tensor, [0])) as Batch;
  const run = (given: Batch) => interleaved(sessions.map((session) => () => session.outputs(given)));
  return { one: await run(one), batch: await run(batch), samples: Object.values(batch)[0]?.shape[0] ?? 1 };
}

/** Gives what it takes: outputs that are computed already, nested as the model gives them. */
class Given extends Module<Readonly<Record<string, Value>>, unknown> {
  override readonly inputs: NamedInputs;
  readonly #output: unknown;

  /**
   * @param output of the model, with the names of what stands for each of its tensors as leaves
   * @param taken what the model takes, and a loss may read too
   */
  constructor(output: unknown, names: readonly string[], taken: readonly string[]) {
    super();
    this.inputs = Object.fromEntries([
      ...taken.map((name) => [name, "optional" as const] as const),
      ...names.map((name) => [name, "required" as const] as const),
    ]);
    this.#output = output;
  }

  protected call(given: Readonly<Record<string, Value>>, _context: Context): unknown {
    return mapTree(this.#output, (name) => (typeof name === "string" ? given[name] : undefined));
  }
}

/** Loss and metrics of outputs that a file gives. */
export async function resultsOf(
  session: FileSession,
  { output }: WeightedGraph,
  data: Dataset<Batch>,
  measured: EvaluateOptions<Batch>,
): Promise<Readonly<Record<string, number>>> {
  const names: string[] = [];
  // Beside the tensors of the batch, whatever their names are.
  const tree = mapTree(output, (value) => {
    if (!(value instanceof Value)) return undefined;
    names.push(`output ${names.length}`);
    return names.at(-1);
  });
  const outputs = fromIterable<Batch>(async function* () {
    for await (const batch of data.epoch(0)) {
      const tensors = await session.outputs(batch);
      yield { ...batch, ...Object.fromEntries(names.map((name, i) => [name, tensors[i] as Tensor])) };
    }
  });
  return (await evaluate(new Given(tree, names, session.names), outputs, measured)).results;
}

/** How far the outputs of two files lie apart on the first samples of data. */
export async function differenceOf(
  [first, second]: Sessions,
  data: Dataset<Batch>,
): Promise<ModelComparison["difference"]> {
  let [largest, squared, norm, samples, rows, same] = [0, 0, 0, 0, 0, 0];
  for await (const batch of data.epoch(0)) {
    const [a, b] = [await first.outputs(batch), await second.outputs(batch)];
    for (const [i, { data: own, shape }] of a.entries()) {
      const other = b[i]?.data as Float32Array;
      for (const [k, x] of (own as Float32Array).entries()) {
        const far = Math.abs(Number(x) - Number(other[k]));
        largest = Math.max(largest, far);
        squared += far * far;
        norm += Number(x) ** 2;
      }
      const width = shape.at(-1) ?? 1;
      if (i > 0 || width < 2) continue;
      for (let row = 0; row * width < own.length; row++) {
        rows++;
        same += Number(argmax(own as Float32Array, row * width, width) === argmax(other, row * width, width));
      }
    }
    samples += Object.values(batch)[0]?.shape[0] ?? 0;
    if (samples >= compared) break;
  }
  const relative = squared === 0 ? 0 : Math.sqrt(squared / norm);
  return { largest, relative, sameChoice: rows > 0 ? same / rows : undefined, samples };
}

function argmax(numbers: Float32Array, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if ((numbers[start + i] as number) > (numbers[start + best] as number)) best = i;
  return best;
}
