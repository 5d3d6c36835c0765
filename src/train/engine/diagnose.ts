/** Finding where a loss stopped being a number. */
import { gradients as differentiate } from "../autodiff/gradients.ts";
import { isFloat } from "../core/dtype.ts";
import { NonFiniteError, type SardonyxError } from "../core/errors.ts";
import { foldIn } from "../core/random.ts";
import type { Tensor } from "../core/tensor.ts";
import { type Batch, extrasOf } from "../data/pipeline/dataset.ts";
import { compile } from "../jit/compile.ts";
import { keyTensor, ones } from "../ops/index.ts";
import { keyInput, traceLoss } from "./gradient-step.ts";
import type { Trainer } from "./trainer.ts";

export const allFinite = (tensor: Tensor | undefined): boolean =>
  tensor === undefined || (tensor.data as Float32Array).every((element) => Number.isFinite(element));

/**
 * The error for a loss that is not finite. Runs the batch again, looking at the input, every parameter, every layer's
 * output and every gradient in the order in which they are computed, and names the first that is not finite.
 */
export async function explainNonFinite(
  trainer: Trainer,
  batch: Batch,
  loss: number,
  gradientNorm: number,
): Promise<SardonyxError> {
  const became = Number.isFinite(loss) ? `the gradient's norm became ${gradientNorm}` : `the loss became ${loss}`;
  const where = `${became} at batch ${trainer.batches + 1}`;
  const mend = "lower the learning rate, clip the gradient (clipNorm), or look for extreme values in the data";
  const fed = Object.entries({ "": batch.x, ...extrasOf(batch) });
  const broken = fed.find(([, tensor]) => isFloat(tensor.dtype) && !allFinite(tensor));
  if (broken) {
    const what = broken[0] === "" ? "input data" : `input "${broken[0]}"`;
    return new NonFiniteError(`${where}: the ${what} holds NaN or Infinity; remove those rows or fill them in`);
  }

  const key = keyInput();
  const {
    context,
    inputs,
    feed,
    loss: scalar,
  } = traceLoss(trainer.model, trainer.loss, batch, { training: true, key });
  const paths = new Map([...trainer.model.parameters()].map(([path, parameter]) => [parameter, path]));
  const bad = [...context.values.keys()].find(({ value }) => !allFinite(value));
  const trainable = [...context.values].filter(([parameter]) => parameter.trainable);
  const layers = context.records.filter(({ kind, output }) => kind !== "container" && isFloat(output.dtype));
  const slopes = differentiate(
    [scalar],
    [ones([])],
    [...layers.map(({ output }) => output), ...trainable.map(([, value]) => value)],
  );
  const executable = await compile(
    [...inputs, key, ...context.values.values()],
    [...layers.map(({ output }) => output), ...slopes],
    trainer.options.compile,
  );
  const results = await executable.run([
    ...feed(batch),
    keyTensor(foldIn(trainer.key, "step", trainer.batches)),
    ...[...context.values.keys()].map(({ value }) => value as Tensor),
  ]);
  await executable.session.release();
  const outputs = results.slice(0, layers.length);
  const ofOutputs = results.slice(layers.length, 2 * layers.length);
  const ofParameters = results.slice(2 * layers.length);

  const forward = layers.find((_, i) => !allFinite(outputs[i]));
  // The backward walk goes from the last layer to the first.
  const backward = layers.findLast((_, i) => !allFinite(ofOutputs[i]));
  const parameter = trainable.findLast((_, i) => !allFinite(ofParameters[i]));
  const clues = [
    bad && `the parameter ${paths.get(bad)} already holds a non-finite number`,
    forward && `the first layer with a non-finite output is ${context.describe(forward.module)}`,
    backward && `the first layer with a non-finite gradient is ${context.describe(backward.module)}`,
    parameter && `the first parameter with a non-finite gradient is ${paths.get(parameter[0])}`,
  ].filter(Boolean);
  return new NonFiniteError(
    `${where}; ${clues.join("; ") || "every layer is finite, the loss itself is not"}; ${mend}`,
  );
}
