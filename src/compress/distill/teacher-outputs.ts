/** A teacher's outputs for samples that do not change, computed once. */
import { DataError, OptionError } from "../../core/errors.ts";
import { count, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { Tensor } from "../../core/tensor.ts";
import { type Batch, fromTensors, type TensorDataset } from "../../data/pipeline/dataset.ts";
import { joinRows } from "../../data/pipeline/rows.ts";
import { type AnyModule, takenOf } from "../../nn/index.ts";
import { predictor } from "../../train/predict.ts";

/** Options of `teacherOutputs`. */
export interface TeacherOutputOptions {
  /** The name of the tensor that holds them; default `"teacher"`. */
  readonly name?: string | undefined;
  /** Samples that are computed at once; default 64. */
  readonly batchSize?: number | undefined;
}

const checkOptions = optionsOf<TeacherOutputOptions>("teacherOutputs", { name: string, batchSize: count() });

/**
 * The samples of a dataset with what a teacher gives for each, so that every epoch of the student's training reads them instead of running the teacher. For
 * data that is not augmented, in memory: [N, …outputs] float32. Throws OptionError for a teacher of several outputs or a name that the samples have, and what the
 * teacher throws.
 * @example
 * const taught = await teacherOutputs(teacher, train);
 * await fit(student, taught.shuffle(keyOf(0)).batch(64), { objective: distillation(student, { teacher: "teacher" }), optimizer: adam(), epochs: 5 });
 */
export async function teacherOutputs(
  teacher: AnyModule,
  samples: TensorDataset<Batch>,
  options: TeacherOutputOptions = {},
): Promise<TensorDataset<Batch>> {
  const { name = "teacher", batchSize = 64 } = checkOptions(options);
  if (name in samples.tensors)
    throw new OptionError(`teacherOutputs: the samples have a tensor "${name}"; pass another name: { name: "scores" }`);
  const ask = predictor(teacher, { snapshot: true });
  try {
    const parts: Tensor[] = [];
    for await (const batch of samples.batch(batchSize, { dropLast: false }).epoch(0)) {
      const { y: _, weight: __, ...inputs } = batch;
      const given = await ask(takenOf(teacher.inputs, inputs) as never);
      if (!(given instanceof Tensor))
        throw new OptionError(
          "teacherOutputs: the teacher gives several outputs; wrap it in a module that gives the scores",
        );
      parts.push(given);
    }
    const [first] = parts;
    if (!first) throw new DataError("teacherOutputs: the data has no sample");
    return fromTensors({ ...samples.tensors, [name]: joinRows(parts) });
  } finally {
    await ask.release();
  }
}
