/** The structure of a Keras model as its config says it: layers, and which of their results each call of one takes. */
import * as z from "zod";
import { FileError } from "../../../core/errors.ts";
import { isPlainObject, mapTree } from "../../../core/tree.ts";
import { sorted } from "../../../import/sort.ts";
import { shown } from "../../config-fields.ts";
import { name, object, readPart } from "../fields.ts";
import { type CallArguments, callArguments, namedReferences, Reference, referencesOf } from "./arguments.ts";

/** A layer of a model. */
export interface LayerConfig {
  readonly name: string;
  readonly className: string;
  /** Where Keras 3 has the class, such as `keras.layers`; older files do not say. */
  readonly module?: string | undefined;
  readonly config: Readonly<Record<string, unknown>>;
}

/** One run of a layer. */
export interface Call extends CallArguments {
  readonly layer: string;
  /** Which of the layer's calls it is. */
  readonly index: number;
  /** The results among its arguments. */
  readonly inputs: readonly Reference[];
}

export interface ModelConfig {
  readonly layers: readonly LayerConfig[];
  /** Runs of layers in an order in which each follows what it takes; InputLayers do not run. */
  readonly calls: readonly Call[];
  readonly inputs: readonly LayerConfig[];
  /** Keys of the inputs of a model that is called with a dict, in their order. */
  readonly inputKeys: readonly (string | undefined)[];
  readonly outputs: readonly Reference[];
  /** Keys of the outputs of a model that gives a dict, in their order. */
  readonly outputKeys: readonly (string | undefined)[];
}

/** Classes that are models themselves. */
export const modelClasses: ReadonlySet<string> = new Set(["Sequential", "Model", "Functional"]);

const layerSchema = z.object({
  class_name: name(),
  module: z.string().nullish().catch(undefined),
  config: z.unknown().optional(),
  name: name().nullish(),
  inbound_nodes: z.array(z.unknown(), { error: "a list of calls" }).nullish(),
});
type LayerEntry = z.output<typeof layerSchema>;

const layerList = z.array(layerSchema, { error: "a list of layers" });
const functionalSchema = z.object({
  layers: layerList,
  input_layers: z.unknown().optional(),
  output_layers: z.unknown(),
});

/** Whether a config is that of a functional model: others chain their layers. */
const isFunctional = (className: string, config: unknown): boolean =>
  className !== "Sequential" || (isPlainObject(config) && "output_layers" in config);

/**
 * The structure of a model. Throws FileError for fields that are missing or wrong, for two layers of one name, and for a
 * layer that takes what no layer gives, or its own result.
 */
export function readTopology(className: string, config: unknown, place = "model"): ModelConfig {
  if (!modelClasses.has(className) && !(isPlainObject(config) && "output_layers" in config))
    throw new FileError(
      `tfjs: ${place} is a ${className}, a subclass of Keras's Model: what it computes is code in Python, which is not in the file; save it as a SavedModel and convert that to a graph-model, or build it with the functional API`,
    );
  return isFunctional(className, config) ? readFunctional(config, place) : readSequential(config, place);
}

function readFunctional(config: unknown, place: string): ModelConfig {
  const { layers: entries, input_layers, output_layers } = readPart(`config of ${place}`, functionalSchema, config);
  const layers = entries.map((entry) => layerOf(entry, place));
  const nested = new Set(layers.flatMap((layer) => (modelClasses.has(layer.className) ? [layer.name] : [])));
  const written = entries.flatMap((entry, i) => {
    const { name: layer, className } = layers[i] as LayerConfig;
    const nodes = className === "InputLayer" ? [] : (entry.inbound_nodes ?? []);
    return nodes.map((node, index) => callOf(layer, index, callArguments(node, `inbound_nodes of layer "${layer}"`)));
  });
  const outputs = namedReferences(output_layers, `output_layers of ${place}`);
  const inputs = namedReferences(input_layers, `input_layers of ${place}`);
  // A model counts the call that made it, on inputs of its own: its calls as a layer begin with number 1.
  const all = [...written.flatMap((call) => call.inputs), ...outputs.map(({ reference }) => reference)];
  const fromOne = new Set([...nested].filter((layer) => !all.some((item) => item.layer === layer && item.call === 0)));
  const counted = <T>(tree: T): T =>
    mapTree(tree, (leaf) =>
      leaf instanceof Reference && fromOne.has(leaf.layer)
        ? new Reference(leaf.layer, leaf.call - 1, leaf.output)
        : leaf,
    ) as T;
  return checked({
    place,
    layers,
    calls: written.map(({ layer, index, args, keywords }) => callOf(layer, index, counted({ args, keywords }))),
    inputs: inputs.map(({ reference }) => reference.layer),
    inputKeys: inputs.map((input) => input.name),
    outputs: counted(outputs.map(({ reference }) => reference)),
    outputKeys: outputs.map((output) => output.name),
  });
}

const callOf = (layer: string, index: number, given: CallArguments): Call => ({
  ...given,
  layer,
  index,
  inputs: referencesOf(given),
});

function readSequential(config: unknown, place: string): ModelConfig {
  // Before Keras 2.2 the config was the list itself.
  const list = isPlainObject(config) ? config["layers"] : config;
  const entries = readPart(`layers of ${place}`, layerList, list).map((entry) => layerOf(entry, place));
  const [first] = entries;
  const begin: LayerConfig =
    first?.className === "InputLayer"
      ? first
      : { name: `${first?.name ?? "model"}_input`, className: "InputLayer", config: inputOf(first, config) };
  const layers = [begin, ...entries.filter((layer) => layer !== begin)];
  const calls = layers
    .slice(1)
    .map((layer, i) =>
      callOf(layer.name, 0, { args: [new Reference((layers[i] as LayerConfig).name, 0, 0)], keywords: {} }),
    );
  const last = layers.at(-1) as LayerConfig;
  return checked({
    place,
    layers,
    calls,
    inputs: [begin.name],
    inputKeys: [undefined],
    outputs: [new Reference(last.name, 0, 0)],
    outputKeys: [undefined],
  });
}

/** The input that a first layer says for itself, or the model that it is. */
function inputOf(layer: LayerConfig | undefined, config: unknown): Readonly<Record<string, unknown>> {
  const built = isPlainObject(config) ? config["build_input_shape"] : undefined;
  if (!layer) return { batch_input_shape: built };
  if (modelClasses.has(layer.className) && !("batch_input_shape" in layer.config)) {
    const [inner] = readTopology(layer.className, layer.config, `model "${layer.name}"`).inputs;
    if (inner) return inner.config;
  }
  return { batch_input_shape: built, ...layer.config };
}

function layerOf({ class_name: className, module, config, name: own }: LayerEntry, place: string): LayerConfig {
  const named = isPlainObject(config) ? config["name"] : undefined;
  const label = own ?? named;
  if (typeof label !== "string" || label === "")
    throw new FileError(
      `tfjs: a ${className} in ${place} has the name ${shown(label)}, expected text; the file is damaged, convert the model again`,
    );
  // Of a model before Keras 2.2 the config is a list of layers, which is read where the model is.
  const fields = Array.isArray(config)
    ? { layers: config }
    : readPart(`config of layer "${label}"`, object("an object with the layer's settings"), config);
  return { name: label, className, module: module ?? undefined, config: fields };
}

interface Unchecked extends Omit<ModelConfig, "inputs"> {
  readonly place: string;
  readonly inputs: readonly string[];
}

function checked({ place, calls, inputs, ...rest }: Unchecked): ModelConfig {
  const { layers, outputs } = rest;
  const byName = new Map<string, LayerConfig>();
  for (const layer of layers) {
    if (byName.has(layer.name))
      throw new FileError(
        `tfjs: two layers of ${place} are called "${layer.name}", a ${byName.get(layer.name)?.className} and a ${layer.className}; names must differ, convert the model again`,
      );
    byName.set(layer.name, layer);
  }
  const isInput = (layer: string) => byName.get(layer)?.className === "InputLayer";
  const inputLayers = inputs.map((label) => {
    const layer = byName.get(label);
    if (!layer || !isInput(label))
      throw new FileError(
        `tfjs: input_layers of ${place} names "${label}", which is ${layer ? `a ${layer.className}` : "no layer"}, expected an InputLayer; convert the model again`,
      );
    return layer;
  });
  if (inputLayers.length === 0 || outputs.length === 0)
    throw new FileError(`tfjs: ${place} has no ${outputs.length ? "input" : "output"}; convert the model again`);
  const keyOf = ({ layer, call }: Reference) => (isInput(layer) ? layer : `${layer}, call ${call}`);
  const last = callOf("", 0, { args: outputs, keywords: {} });
  const order = sorted<Call>([...calls, last], {
    format: "tfjs",
    describe: (call) => (call === last ? `the output of ${place}` : `layer "${call.layer}"`),
    writes: (call) => (call === last ? [] : [keyOf(new Reference(call.layer, call.index, 0))]),
    reads: (call) => call.inputs.map(keyOf),
    isKnown: (key) => inputs.includes(key),
  });
  return { ...rest, calls: order.filter((call) => call !== last), inputs: inputLayers };
}
