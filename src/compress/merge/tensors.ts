/** Merging of models in memory: records of tensors by path, and modules. */
import { isFloat } from "../../core/dtype.ts";
import { DataError, DTypeError, OptionError } from "../../core/errors.ts";
import { float32ToFloat16 } from "../../core/half.ts";
import { functionOf, objectOf } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { asFloat32, copyOf, sameTensor, Tensor } from "../../core/tensor.ts";
import type { AnyModule } from "../../nn/index.ts";
import { type ModelFacts, requireCompatible } from "./compatible.ts";
import type { MergeMethod } from "./method.ts";

/** Tensors of a model by path. */
export type TensorsByPath = Readonly<Record<string, Tensor>>;

/** Options of `mergeTensors` and `mergeModules`, of a model that is `M`. */
export interface MergeModelsOptions<M> {
  /** The model that the others were fine-tuned from, for methods that add differences from it. */
  readonly base?: M | undefined;
  /** Is told what was taken from the first model since it is no float and the models differ; default nobody is. */
  readonly report?: ((note: string) => void) | undefined;
}

const mergeTypes = {
  base: objectOf<never>("a model like the others"),
  report: functionOf<(note: string) => void>("(note) => …"),
};
const checkTensorOptions = optionsOf<MergeModelsOptions<TensorsByPath>>("mergeTensors", mergeTypes);
const checkModuleOptions = optionsOf<MergeModelsOptions<AnyModule>>("mergeModules", mergeTypes);

const factsOf = (name: string, tensors: TensorsByPath): ModelFacts => ({
  name,
  tensors: new Map(Object.entries(tensors).map(([path, { dtype, shape }]) => [path, { type: dtype, shape }])),
});

/** Throws OptionError for a method without the base that it needs, or with one that it does not read. */
export function requireBase({ name, needsBase }: MergeMethod, hasBase: boolean): void {
  if (needsBase && !hasBase)
    throw new OptionError(
      `${name} adds differences from a base; pass the model that the others were fine-tuned from (base, --base)`,
    );
  if (!needsBase && hasBase)
    throw new OptionError(`${name} reads no base; leave it out, or choose task-arithmetic, ties or dare`);
}

/**
 * Merges models given as tensors by path; a float16 tensor stays float16. Tensors that are no floats must be equal, else they are taken
 * from the first model, and `report` is told. Throws OptionError, ShapeError or DTypeError that names what differs between the models,
 * and what the method throws.
 * @example const soup = mergeTensors([first, second], average());
 */
export function mergeTensors(
  models: readonly TensorsByPath[],
  method: MergeMethod,
  options: MergeModelsOptions<TensorsByPath> = {},
): Record<string, Tensor> {
  const { base, report } = checkTensorOptions(options);
  method.requireModels(models.length);
  requireBase(method, base !== undefined);
  requireCompatible([
    ...models.map((tensors, i) => factsOf(`model ${i + 1}`, tensors)),
    ...(base ? [factsOf("the base", base)] : []),
  ]);
  return Object.fromEntries(
    Object.keys(models[0] ?? {}).map((path) => {
      const own = models.map((tensors) => tensors[path] as Tensor);
      return [path, mergedTensor(path, own, method, { base: base?.[path], report })] as const;
    }),
  );
}

/** One tensor of all models, merged. */
function mergedTensor(
  path: string,
  own: readonly Tensor[],
  method: MergeMethod,
  { base, report }: MergeModelsOptions<Tensor>,
): Tensor {
  const first = own[0] as Tensor;
  if (!isFloat(first.dtype)) {
    if (!own.every((other) => sameTensor(first, other)))
      report?.(`${path} (${first.dtype}) differs between the models, and is taken from the first`);
    return copyOf(first);
  }
  if (first.dtype === "float64")
    throw new DTypeError(`${path} is float64, expected float32 or float16; convert it first`);
  const values = own.map((tensor) => asFloat32(tensor).data);
  const merged = method.combine({ path, values, base: base && asFloat32(base).data });
  return first.dtype === "float16"
    ? new Tensor("float16", first.shape, float32ToFloat16(merged))
    : new Tensor("float32", first.shape, merged);
}

/** The parameters and buffers of a module by path. Throws DataError for one without a value. */
export function tensorsOfModule(model: AnyModule): Record<string, Tensor> {
  return Object.fromEntries(
    Array.from(model.parameters(), ([path, { value }]) => {
      if (value) return [path, value] as const;
      throw new DataError(
        `the parameter "${path}" has no value; train the model, load it, or initialize it: model.initialize(keyOf(0), types)`,
      );
    }),
  );
}

/**
 * Merges modules of one architecture and puts the result into the first, which is returned; buffers such as running statistics are merged as
 * parameters are. The other modules stay as they are. Throws as `mergeTensors`, with the first as it was, and DataError for a parameter
 * without a value.
 * @example
 * const both = mergeModules([digits, letters], taskArithmetic(), { base });
 */
export function mergeModules<M extends AnyModule>(
  models: readonly [M, ...AnyModule[]],
  method: MergeMethod,
  options: MergeModelsOptions<AnyModule> = {},
): M {
  const { base, report } = checkModuleOptions(options);
  const [first] = models;
  const merged = mergeTensors(models.map(tensorsOfModule), method, {
    base: base && tensorsOfModule(base),
    report,
  });
  for (const [path, parameter] of first.parameters()) parameter.value = merged[path];
  return first;
}
