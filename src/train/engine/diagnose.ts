/** Finding where a loss stopped being a number. */
import { differentiate } from "../../autodiff/gradients.ts";
import { isFloat } from "../../core/dtype.ts";
import { NonFiniteError, type SardonyxError } from "../../core/errors.ts";
import { allFinite, type Tensor } from "../../core/tensor.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import type { Communicator } from "../../distributed/communicator.ts";
import type { Value } from "../../graph/ir.ts";
import { type CompileOptions, compile } from "../../jit/compile.ts";
import type { AnyModule } from "../../nn/module.ts";
import { ParameterInputs } from "../../nn/parameter-inputs.ts";
import { keyInput, partInputs, partTensors, traceBatch } from "./gradient-step.ts";
import { type BoundObjective, tensorsOf } from "./objective.ts";
import type { Share } from "./ranks.ts";

/** A step that came to no number. */
export interface FailedStep {
  readonly model: AnyModule;
  readonly objective: BoundObjective;
  readonly batch: Batch;
  /** The step's key. */
  readonly key: Tensor;
  /** What the batch is of one that ranks share. */
  readonly share: Share;
  readonly compile: CompileOptions | undefined;
  readonly found: { readonly loss: number; readonly gradientNorm: number; readonly batch: number };
}

/** Why a step came to no number. */
export interface Explained {
  readonly error: SardonyxError;
  /** Whether it was found out where it began. */
  readonly located: boolean;
}

/** The error of the first rank that found out where it began, which it names; of a process alone its own. */
export async function firstLocated(
  { error, located }: Explained,
  communicator: Communicator | undefined,
): Promise<SardonyxError> {
  if (!communicator) return error;
  const all = await communicator.gather(located ? error.message : "");
  const rank = all.findIndex((message) => message !== "");
  return rank < 0 ? error : new NonFiniteError(`on rank ${rank} of ${communicator.size} ${all[rank]}`);
}

/**
 * The error for a loss that is not finite. Runs the batch again, looking at the input, every parameter, every layer's
 * output and every gradient in the order in which they are computed, and names the first that is not finite.
 */
export async function explainNonFinite(step: FailedStep): Promise<Explained> {
  const { model, objective, batch, found } = step;
  const became = Number.isFinite(found.loss)
    ? `the gradient's norm became ${found.gradientNorm}`
    : `the loss became ${found.loss}`;
  const where = `${became} at batch ${found.batch}`;
  const lower = "lower the learning rate, clip the gradient (clipNorm), or look for extreme values in the data";
  const isHalf = step.compile?.precision === "float16";
  const mend = isHalf ? `compute in float32 (precision), which reaches further than float16; else ${lower}` : lower;
  const broken = Object.entries(batch).find(([, tensor]) => isFloat(tensor.dtype) && !allFinite(tensor));
  if (broken)
    return {
      error: new NonFiniteError(
        `${where}: "${broken[0]}" of the batch holds NaN or Infinity; remove those rows or fill them in`,
      ),
      located: true,
    };

  const key = keyInput();
  const [first, share] = partInputs();
  const inputs = new ParameterInputs();
  const {
    context,
    batch: values,
    loss,
  } = traceBatch(model, objective, batch, { training: true, key, bind: inputs.bind, part: { first, share } });
  const paths = new Map([...model.parameters()].map(([path, parameter]) => [parameter, path]));
  const bad = [...context.values.keys()].find(({ value }) => value && !allFinite(value));
  const trainable = [...context.values].filter(([parameter]) => parameter.trainable);
  const layers = context.records.flatMap(({ module, kind, outputs }) =>
    kind === "container" ? [] : outputs.filter(({ dtype }) => isFloat(dtype)).map((output) => ({ module, output })),
  );
  const watched: readonly Value[] = [...layers.map(({ output }) => output), ...trainable.map(([, value]) => value)];
  const derived = differentiate(loss, { wrt: watched });
  const names = Object.keys(batch);
  const known = derived.gradients.flatMap((gradient, i) => (gradient ? [{ gradient, i }] : []));
  const executable = await compile(
    [...names.map((name) => values[name] as Value), key, first, share, ...inputs.values],
    [...layers.map(({ output }) => output), ...known.map(({ gradient }) => gradient)],
    step.compile,
  );
  const results = await executable.run([
    ...tensorsOf(batch, names),
    step.key,
    ...partTensors(step.share),
    ...inputs.tensors(),
  ]);
  await executable.session.release();
  const isBroken = (i: number): boolean => {
    const at = known.findIndex((own) => own.i === i);
    const gradient = results[layers.length + at];
    return at >= 0 && gradient !== undefined && !allFinite(gradient);
  };

  const forward = layers.find((_, i) => !allFinite(results[i] as Tensor));
  // The backward walk goes from the last layer to the first.
  const backward = layers.findLast((_, i) => isBroken(i));
  const parameter = trainable.findLast((_, i) => isBroken(layers.length + i));
  const clues = [
    bad && `the parameter ${paths.get(bad) ?? bad.name} already holds a non-finite number`,
    forward && `the first layer with a non-finite output is ${context.describe(forward.module)}`,
    backward && `the first layer with a non-finite gradient is ${context.describe(backward.module)}`,
    parameter && `the first parameter with a non-finite gradient is ${paths.get(parameter[0]) ?? parameter[0].name}`,
  ].filter(Boolean);
  return {
    error: new NonFiniteError(
      `${where}; ${clues.join("; ") || "every layer is finite, the loss itself is not"}; ${mend}`,
    ),
    located: clues.length > 0,
  };
}
