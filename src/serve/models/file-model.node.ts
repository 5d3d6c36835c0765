/** A model file as a model that is served: its own tensors, by the names that the file has for them. */
import { FileError } from "../../core/errors.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { isPlainObject } from "../../core/tree.ts";
import { loadModel } from "../../formats/files/load-model.node.ts";
import { ImportedModule } from "../../formats/imported-module.ts";
import { type AnyModule, mapTypes, type TypeTree } from "../../nn/index.ts";
import { describeOutput } from "../../runs/open/predict-output.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import type { PredictService, ServedModel, TensorService, TensorSpec } from "../served-model.ts";
import { batchedTensors } from "./batched-tensors.ts";
import { samplesOfBody } from "./predict-body.node.ts";
import type { ServedOptions } from "./served-options.ts";
import { type EngineModel, TensorEngine } from "./tensor-engine.ts";

/** Opens a file, or the folder of one. Throws as `loadModel`. */
export async function servedFile(path: string, options: ServedOptions): Promise<ServedModel> {
  return servedModule(path, (await loadModel(path)) as AnyModule, options);
}

/** A model that was loaded, by its tensors alone. */
export async function servedModule(
  path: string,
  model: AnyModule,
  { batching, compile }: Pick<ServedOptions, "batching" | "compile">,
): Promise<ServedModel> {
  const engine = TensorEngine.open(engineModelOf(path, model), { most: batching.most, compile });
  await engine.warm();
  const tensors = batchedTensors(engine, batching);
  const predict = predictService(model, tensors);
  return {
    platform: "sardonyx_file",
    description: `the model ${shownPath(path)}`,
    tensors,
    ...(predict && { predict }),
    release: () => engine.release(),
  };
}

/** The inputs of a model by name: those of a file as it declares them, the first extent the batch where it is open or 1. */
export function engineModelOf(path: string, model: AnyModule): EngineModel {
  const declared = model instanceof ImportedModule ? model.declared : undefined;
  const plain = declared?.inputs.every(
    ({ extents, type, isSequence, isOptional }) => extents && type && !isSequence && !isOptional,
  );
  if (
    declared &&
    plain &&
    isByName(
      model,
      declared.inputs.map(({ name }) => name),
    )
  )
    return {
      model,
      inputs: declared.inputs.map(
        ({ name, type, extents = [] }): TensorSpec => ({
          name,
          dtype: type?.dtype ?? "float32",
          shape: extents.map((extent, axis) =>
            typeof extent === "number" && !(axis === 0 && extent === 1) ? extent : -1,
          ),
        }),
      ),
      nest: (given) => given,
      outputNames: declared.outputs,
    };
  const types = model.inputTypes;
  if (types === undefined)
    throw new FileError(
      `${shownPath(path)}: the types of its inputs are not known, as it leaves them open; load and save it with them: loadModel(path, { inputs })`,
    );
  return engineModelOfTypes(model, types);
}

/** Whether a module takes the inputs of its file by their names, and not nested otherwise. */
const isByName = ({ inputs }: AnyModule, names: readonly string[]): boolean =>
  isPlainObject(inputs) && names.every((name) => name in inputs);

/** The inputs of a model of types for a batch of 1. */
export function engineModelOfTypes(model: AnyModule, types: TypeTree): EngineModel {
  const inputs: TensorSpec[] = [];
  mapTypes(types, ({ dtype, shape }, path) => {
    inputs.push({ name: path === "" ? "x" : path, dtype, shape: shape[0] === 1 ? [-1, ...shape.slice(1)] : shape });
  });
  return { model, inputs, nest: (given) => mapTypes(types, (_, path) => given[path === "" ? "x" : path]) };
}

/** How numbers in JSON are predicted; `undefined` of a model of several inputs. */
function predictService(model: AnyModule, tensors: TensorService): PredictService | undefined {
  const [only, ...others] = tensors.inputs;
  if (!only || others.length > 0 || only.shape.slice(1).includes(-1)) return undefined;
  const classes = classesOf(model);
  const inputs = { dtype: only.dtype, shape: [1, ...only.shape.slice(1)] } as const;
  return async (body, signal) => {
    const { shape, data } = await samplesOfBody(body, { inputs });
    const samples = tensor(Array.from(data as Float32Array), { dtype: only.dtype }).reshape(shape);
    const results = await tensors.infer(new Map([[only.name, new Tensor(only.dtype, shape, samples.data)]]), signal);
    const [output] = results.values();
    return Array.from({ length: shape[0] ?? 1 }, (_, row) => describeOutput(output as Tensor, row, { classes }).fields);
  };
}

/** The names of classes that the file's writer noted in it. */
function classesOf(model: AnyModule): readonly string[] | undefined {
  const text = model instanceof ImportedModule ? model.metadata["classes"] : undefined;
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && parsed.every((own) => typeof own === "string") ? parsed : undefined;
  } catch {
    return undefined;
  }
}
