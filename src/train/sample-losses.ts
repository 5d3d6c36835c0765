/** The loss of every sample of a dataset, such as to find those that a model memorized. */
import { OptionError } from "../core/errors.ts";
import { keyOf } from "../core/random.ts";
import type { Batch, Dataset } from "../data/pipeline/dataset.ts";
import type { Value } from "../graph/ir.ts";
import { type CompileOptions, compile } from "../jit/compile.ts";
import { SessionCache } from "../jit/session-cache.ts";
import type { AnyModule } from "../nn/module.ts";
import { ParameterInputs } from "../nn/parameter-inputs.ts";
import { keyTensor } from "../ops/index.ts";
import { keyInput, signatureOf, traceBatch } from "./engine/gradient-step.ts";
import { inputsOf } from "./engine/kept-part.ts";
import { type BoundObjective, tensorsOf } from "./engine/objective.ts";
import { type BoundStep, boundSteps, type LossChoice } from "./engine/objectives.ts";

/** Options of `sampleLosses`. */
export type SampleLossOptions = LossChoice & {
  /** Device, threads, profiling. */
  readonly compile?: CompileOptions | undefined;
};

/**
 * The losses of the samples of a dataset's first epoch, in its order, in evaluation: [samples]. A sample of several terms, such as tokens, has their mean. Throws
 * OptionError for a loss that gives one number alone, from which those of samples are not known.
 * @example const losses = await sampleLosses(model, test.batch(250), { loss: crossEntropy() });
 */
export async function sampleLosses<B extends Batch>(
  model: AnyModule,
  data: Dataset<B>,
  { compile: options, ...choice }: SampleLossOptions,
): Promise<Float32Array> {
  const [{ objective }] = boundSteps<B>(model, choice, "sampleLosses") as [BoundStep];
  const graphs = new SessionCache<Awaited<ReturnType<typeof compileLosses>>>();
  const found: Float32Array[] = [];
  try {
    for await (const batch of data.epoch(0)) {
      const graph = await graphs.get(signatureOf(batch), () => compileLosses(model, objective, batch, options));
      found.push(await graph.run(batch));
    }
  } finally {
    await graphs.release();
  }
  const all = new Float32Array(found.reduce((sum, losses) => sum + losses.length, 0));
  let at = 0;
  for (const losses of found) {
    all.set(losses, at);
    at += losses.length;
  }
  return all;
}

async function compileLosses(
  model: AnyModule,
  objective: BoundObjective,
  batch: Batch,
  options: CompileOptions | undefined,
) {
  const inputs = new ParameterInputs();
  const key = keyInput();
  const { sampleLosses: losses, batch: values } = traceBatch(model, objective, batch, {
    training: false,
    key,
    bind: inputs.bind,
  });
  if (!losses)
    throw new OptionError(
      "the loss is one number, from which the losses of samples are not known; return one term a sample, [batch]",
    );
  const used = inputsOf([losses]);
  const names = Object.keys(batch).filter((name) => used.has(values[name] as Value));
  const read = inputs.among(used);
  const executable = await compile(
    [...names.map((name) => values[name] as Value), key, ...read.values],
    [losses],
    options,
  );
  return {
    executables: [executable],
    async run(fed: Batch): Promise<Float32Array> {
      const [result] = await executable.run([...tensorsOf(fed, names), keyTensor(keyOf(0)), ...read.tensors()]);
      return result?.data as Float32Array;
    },
  };
}
