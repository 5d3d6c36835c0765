/** Keras models of TensorFlow.js as modules whose parameters are tensors of the file. */
import { dtypes } from "../../../core/dtype.ts";
import { FileError, SardonyxError } from "../../../core/errors.ts";
import { type Shape, sameShape, showShape } from "../../../core/shape.ts";
import type { TensorType } from "../../../graph/ir.ts";
import { declaredShape } from "../../../import/declared.ts";
import type { Parameter } from "../../../nn/index.ts";
import { shown } from "../../config-fields.ts";
import type { LayersDocument } from "../document.ts";
import { inputShape, type ShapeOf } from "../inputs.ts";
import type { StoredWeight } from "../manifest.ts";
import { Builder, type Remark } from "./builder.ts";
import type { KerasModel } from "./keras-model.ts";
import { type LayerConfig, readTopology } from "./topology.ts";
import type { Wanted, WeightedLayer, WeightFinder } from "./weights.ts";

/** A tensor of the file that is a parameter. */
export interface StoredParameter {
  readonly stored: StoredWeight;
  /** Which of the stored axes each axis of the parameter is; `undefined` for the same. */
  readonly axes: readonly number[] | undefined;
}

/** A model with its parameters, of which none has a value. */
export interface TracedModel {
  readonly module: KerasModel;
  /** Types of its inputs, by their names. */
  readonly inputs: Readonly<Record<string, TensorType>>;
  /** By the parameter's path. */
  readonly stored: ReadonlyMap<string, StoredParameter>;
}

export interface LayersModel {
  /** `undefined` when shapes do not fit after a layer that is not understood. */
  readonly traced: TracedModel | undefined;
  /** Layers that are not understood. */
  readonly unknown: readonly Remark[];
  /** What known layers leave out. */
  readonly remarks: readonly Remark[];
  /** Why there is no model. */
  readonly problem: string | undefined;
}

/**
 * The model of a document. `shapeOf` gives the shape of an input, whose channels are last; default the declared one.
 * Throws FileError for a file that is damaged, ShapeError when input shapes are not known or do not fit.
 */
export function importLayersModel(
  { model, finder, keras }: LayersDocument,
  shapeOf: ShapeOf = declaredShape,
): LayersModel {
  const topology = readTopology(model.class_name, model.config);
  const builder = new Builder(finder, keras);
  const module = builder.model(topology);
  const { unknown, remarks } = builder;
  const inputs = Object.fromEntries(topology.inputs.map((layer) => [layer.name, inputType(layer, shapeOf)]));
  try {
    // The first trace makes the parameters.
    module.trace(inputs);
    const stored = match(module, builder.weighted, finder);
    return { traced: { module, inputs, stored }, unknown, remarks, problem: undefined };
  } catch (error) {
    if (unknown.length === 0 || !(error instanceof SardonyxError)) throw error;
    return { traced: undefined, unknown, remarks, problem: error.message };
  }
}

function inputType({ name, config }: LayerConfig, shapeOf: ShapeOf): TensorType {
  // Keras 3 writes policies of layers as objects; of an input it is always a name.
  const written = typeof config["dtype"] === "string" ? config["dtype"] : "float32";
  const dtype = dtypes.find((known) => known === written);
  if (!dtype)
    throw new FileError(`tfjs: input "${name}" is ${shown(written)}, expected numbers; only such models can be read`);
  const shape = config["batch_input_shape"] ?? config["batch_shape"];
  const isExtent = (extent: unknown) => extent === null || (Number.isSafeInteger(extent) && Number(extent) > 0);
  if (shape != null && !(Array.isArray(shape) && shape.every(isExtent)))
    throw new FileError(
      `tfjs: the shape of input "${name}" is ${shown(shape)}, expected a list of whole numbers from 1, null for what may vary; convert the model again`,
    );
  const extents = (shape as readonly (number | null)[] | null | undefined)?.map((extent) => extent ?? undefined);
  return { dtype, shape: inputShape({ name, dtype, extents }, shapeOf) };
}

/** The stored tensor of every parameter that the file has. Throws FileError for one of another shape. */
function match(
  module: KerasModel,
  layers: readonly WeightedLayer[],
  finder: WeightFinder,
): ReadonlyMap<string, StoredParameter> {
  const paths = new Map([...module.parameters()].map(([path, parameter]) => [parameter, path]));
  const free = new Set(finder.weights.keys());
  const found = new Map<string, StoredParameter>();
  for (const layer of layers)
    for (const { parameter, wanted } of parametersOf(layer)) {
      const path = paths.get(parameter);
      const { full } = wanted.stored;
      const stored = full === undefined ? finder.find(layer.place, wanted, free) : finder.weights.get(full);
      if (path === undefined || !stored) continue;
      free.delete(stored.name);
      const { axes } = wanted.stored;
      const shape = axes ? axes.map((axis) => stored.shape[axis] ?? Number.NaN) : stored.shape;
      if (!sameShape(shape, parameter.shape) || stored.shape.length !== shape.length)
        throw new FileError(
          `tfjs: weightsManifest lists "${stored.name}" as ${showShape(stored.shape)}, and modelTopology wants ${showShape(storedShape(parameter.shape, axes))}: they belong to different models`,
        );
      found.set(path, { stored, axes });
    }
  return found;
}

/** The parameters of a layer that came into being, in Keras's order, each with how the file has it. */
function parametersOf({ module, weights }: WeightedLayer): readonly { parameter: Parameter; wanted: Wanted }[] {
  const own = module.parameters();
  const counts = new Map<string, number>();
  return Object.entries(weights).flatMap(([path, stored]) => {
    const parameter = own.get(path);
    if (!parameter) return [];
    const index = counts.get(stored.part ?? "") ?? 0;
    counts.set(stored.part ?? "", index + 1);
    return [{ parameter, wanted: { stored, index } }];
  });
}

/** The shape in the file of a parameter. */
const storedShape = (shape: Shape, axes: readonly number[] | undefined): Shape =>
  axes ? axes.map((_, stored) => shape[axes.indexOf(stored)] ?? 0) : shape;
