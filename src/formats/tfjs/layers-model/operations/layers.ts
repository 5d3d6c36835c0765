/** Layers that stand for functions: Keras 3's operations by their class, and TensorFlow's functions in models of Keras 2 by their name. */
import * as z from "zod";
import { DTypeError, UnsupportedError } from "../../../../core/errors.ts";
import { Value } from "../../../../graph/ir.ts";
import { makeNode } from "../../../../graph/op.ts";
import { unknownOp } from "../../../../import/unknown.ts";
import type { Context, LayerKind } from "../../../../nn/index.ts";
import { readPart } from "../../fields.ts";
import { referencesOf } from "../arguments.ts";
import type { LayerCall } from "../calls.ts";
import { type Building, CallLayer, type LayerClass, type OneOrMore, oneOrMore } from "../layer.ts";
import type { LayerConfig } from "../topology.ts";
import { unknownResults } from "../unknown-results.ts";
import { snakeCase } from "../weights.ts";
import { arithmetic } from "./arithmetic.ts";
import { movement } from "./movement.ts";
import { Given, type Operation } from "./operation.ts";

const operations: ReadonlyMap<string, Operation> = new Map(Object.entries({ ...arithmetic, ...movement }));

/** A function with the settings that the layer has; those of the call come before them. */
class OperationLayer extends CallLayer {
  override readonly kind: LayerKind;
  readonly #operation: Operation;
  readonly #settings: Readonly<Record<string, unknown>>;
  readonly #building: Building;
  constructor(operation: Operation, settings: Readonly<Record<string, unknown>>, building: Building) {
    super();
    this.kind = operation.kind;
    this.#operation = operation;
    this.#settings = settings;
    this.#building = building;
  }
  protected call({ inputs, named }: LayerCall, context: Context): OneOrMore {
    const given = Object.fromEntries(Object.entries(named).filter(([, argument]) => argument !== null));
    try {
      const result = this.#operation.compute(new Given({ ...this.#settings, ...given }, this.#building.keras));
      return result instanceof Value ? result : oneOrMore(result as readonly [Value, ...Value[]]);
    } catch (error) {
      const [x] = inputs;
      if (!x || !(error instanceof UnsupportedError || error instanceof DTypeError)) throw error;
      this.#building.unknown(error.message);
      const { outputs } = makeNode(unknownOp(this.constructor.name, "keras", undefined, [x]), inputs);
      for (const output of outputs) unknownResults(context).add(output);
      return outputs;
    }
  }
}

/** Arguments that decide shapes, which have to be numbers of the file. */
const numbersOnly = [
  "key",
  "newshape",
  "axes",
  "axis",
  "repeats",
  "shape",
  "pad_width",
  "sizes",
  "indices_or_sections",
  "size",
  "dtype",
];

function operationClass(name: string, operation: Operation | undefined, rename: Renaming = {}): LayerClass {
  const renamed = (names: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(names).map(([own, value]) => [rename[own] ?? own, value]));
  return {
    parameters: operation?.parameters ?? ["x"],
    ...(Object.keys(rename).length > 0 && { aliases: rename }),
    build: ({ config }, building) => {
      if (!operation) throw new UnsupportedError(`the function ${name} is not supported`);
      for (const { keywords, args } of building.calls) {
        const byPlace = args.map((argument, i) => [operation.parameters[i] ?? "", argument] as const);
        const dynamic = [...Object.entries(renamed(keywords)), ...byPlace].find(
          ([own, argument]) => numbersOnly.includes(own) && referencesOf(argument).length > 0,
        );
        if (dynamic) throw new UnsupportedError(`its argument ${dynamic[0]} is a tensor, expected numbers`);
      }
      return { module: new OperationLayer(operation, renamed(config), building) };
    },
  };
}

/** Names of arguments, and those of Keras 3 for the same. */
type Renaming = Readonly<Record<string, string>>;

/** Names of arguments of TensorFlow's. */
const tensorflowNames: Renaming = {
  x: "x1",
  y: "x2",
  b: "x2",
  perm: "axes",
  multiples: "repeats",
  shape: "newshape",
  num_or_size_splits: "sizes",
  paddings: "pad_width",
  clip_value_min: "x_min",
  clip_value_max: "x_max",
  depth: "num_classes",
  slice_spec: "key",
  method: "interpolation",
  alpha: "negative_slope",
  keep_dims: "keepdims",
};

/** TensorFlow's functions whose names are others than Keras 3's. */
const tensorflowFunctions: Readonly<Record<string, string>> = {
  truediv: "divide",
  realdiv: "divide",
  pow: "power",
  sub: "subtract",
  mul: "multiply",
  neg: "negative",
  reduce_mean: "mean",
  reduce_sum: "sum",
  reduce_max: "max",
  reduce_min: "min",
  reduce_prod: "prod",
  reduce_std: "std",
  reduce_variance: "var",
  reduce_logsumexp: "logsumexp",
  concat: "concatenate",
  split: "split_sizes",
  clip_by_value: "clip",
  l2_normalize: "normalize",
  gather: "take",
  getitem: "get_item",
  radd: "add",
  rmul: "multiply",
  reverse: "flip",
  where_v2: "where",
};

/** A function of TensorFlow's, such as math.reduce_mean or __operators__.add. */
function tensorflowClass(written: string): LayerClass {
  const last = written.split(".").at(-1) ?? "";
  const name = Object.hasOwn(tensorflowFunctions, last) ? (tensorflowFunctions[last] as string) : last;
  const names = name === "elu" || name === "celu" ? { ...tensorflowNames, alpha: "alpha" } : tensorflowNames;
  return operationClass(written, operations.get(name), name === "broadcast_to" ? { ...names, shape: "shape" } : names);
}

const functionSchema = z.object({ function: z.string() });

/** The class of a layer that stands for a function; `undefined` for other layers. */
export function operationLayer({ className, module, name, config }: LayerConfig): LayerClass | undefined {
  if (className === "TFOpLambda")
    return tensorflowClass(readPart(`config of layer "${name}"`, functionSchema, config).function);
  if (className === "SlicingOpLambda") return tensorflowClass("getitem");
  const isOperation = /^keras\.(src\.)?(ops|activations)\b/.test(module ?? "");
  const own = snakeCase(className).replace(/^re_lu/, "relu");
  if (isOperation) return operationClass(className, operations.get(own));
  return undefined;
}
