/** Networks from files of weights, and from the configs that say what is computed of them. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { moduleNetwork } from "../../analyze/networks/module-network.ts";
import type { Network } from "../../analyze/networks/network.ts";
import { type NamedTensor, weightsNetwork } from "../../analyze/networks/weights-network.ts";
import type { ByteSource } from "../../core/byte-source.ts";
import { atPlace, FileError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import { modelFromConfig } from "../../formats/huggingface.ts";
import { openBeside } from "../../storage/file-source.node.ts";
import { bitsOfType, readSafetensorsHeader } from "../../storage/safetensors.ts";
import { memoryPrefix } from "../../train/load-parameters.ts";
import { chooseInputs, type ShapeOptions } from "./shapes.ts";

/** What a model in a folder is called. */
const folderName = (path: string): string => basename(dirname(resolve(path)));

/** The network of a Hugging Face config. */
export function configNetwork(path: string, config: unknown, shapes: ShapeOptions): Network {
  const { name, inputs, build } = modelFromConfig(config);
  const source = `Hugging Face config.json: ${name}`;
  return moduleNetwork({ name: folderName(path), source, model: build(), inputs: chooseInputs(inputs, shapes) });
}

/** A file of weights: with a config.json beside it the network that this describes, else the weights alone. */
export function openSafetensors(path: string, file: ByteSource, shapes: ShapeOptions): Network {
  return weightsWithConfig(path, basename(path), tensorsOf(file), shapes);
}

/** An index of several files of weights, which lie beside it. */
export function openShards(path: string, weightMap: Readonly<Record<string, unknown>>, shapes: ShapeOptions): Network {
  const files = [...new Set(Object.values(weightMap))];
  const tensors = files.flatMap((name) => {
    if (typeof name !== "string") throw new FileError("its weight_map names a file by something other than text");
    const file = openBeside(dirname(path), name);
    try {
      return tensorsOf(file);
    } catch (error) {
      throw atPlace(name, error);
    } finally {
      file.close();
    }
  });
  const missing = Object.keys(weightMap).find((name) => !tensors.some((tensor) => tensor.name === name));
  if (missing !== undefined)
    throw new FileError(`its weight_map places "${missing}" in ${weightMap[missing]}, which has no such tensor`);
  return weightsWithConfig(path, folderName(path), tensors, shapes);
}

/** The format's names of types as ours. */
const typeNames: Readonly<Record<string, string>> = { BF16: "bfloat16", BOOL: "bool" };

const typeName = (type: string): string =>
  typeNames[type] ??
  type
    .toLowerCase()
    .replace(/^f(?=\d)/, "float")
    .replace(/^i(?=\d)/, "int")
    .replace(/^u(?=\d)/, "uint");

const tensorsOf = (file: ByteSource): readonly NamedTensor[] =>
  readSafetensorsHeader(file).entries.map(({ name, shape, type }) => ({
    name,
    shape,
    type: typeName(type),
    bits: bitsOfType(type) ?? 32,
  }));

/** The weights alone; what an optimizer remembers in a checkpoint of ours is none. */
function weightsAlone(name: string, tensors: readonly NamedTensor[]): Network {
  const isMemory = (tensor: NamedTensor) => tensor.name.startsWith(memoryPrefix);
  const network = weightsNetwork(
    name,
    "safetensors",
    tensors.filter((tensor) => !isMemory(tensor)),
  );
  const memory = tensors.filter(isMemory).length;
  if (memory === 0) return network;
  return { ...network, notes: [...network.notes, `Not counted: ${plural(memory, "tensor")} of the optimizer.`] };
}

function weightsWithConfig(path: string, name: string, tensors: readonly NamedTensor[], shapes: ShapeOptions): Network {
  const configPath = join(dirname(path), "config.json");
  if (!existsSync(configPath)) return weightsAlone(name, tensors);
  let network: Network;
  try {
    network = configNetwork(path, JSON.parse(readFileSync(configPath, "utf8")), shapes);
  } catch (cause) {
    // The weights can still be counted.
    const alone = weightsAlone(name, tensors);
    const why = `The config.json beside it does not help: ${(cause as Error).message}`;
    return { ...alone, notes: [...alone.notes, why] };
  }
  return withStoredTypes({ ...network, name, source: `safetensors; ${network.source}` }, tensors);
}

/** The network with its parameters stored as in a file. Throws FileError when the file is of another model. */
function withStoredTypes(network: Network, tensors: readonly NamedTensor[]): Network {
  const prefix = prefixOf(network, tensors);
  const stored = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const missing: string[] = [];
  const parameters = network.parameters.map((parameter) => {
    const tensor = stored.get(`${prefix}${parameter.name}`) ?? stored.get(parameter.name);
    if (!tensor) {
      missing.push(parameter.name);
      return parameter;
    }
    stored.delete(tensor.name);
    if (!sameShape(tensor.shape, parameter.shape))
      throw new FileError(
        `the tensor "${tensor.name}" is ${showShape(tensor.shape)}, and the config.json beside it wants ${showShape(parameter.shape)}: they belong to different models`,
      );
    return { ...parameter, type: tensor.type, bits: tensor.bits };
  });
  const some = (names: readonly string[]) => `${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}`;
  const beyond = [...stored.keys()];
  return {
    ...network,
    parameters,
    notes: [
      ...network.notes,
      ...(missing.length > 0 ? [`The file lacks ${plural(missing.length, "tensor")} of it: ${some(missing)}.`] : []),
      ...(beyond.length > 0
        ? [`Not counted: ${plural(beyond.length, "tensor")} of the file beside it: ${some(beyond)}.`]
        : []),
    ],
  };
}

/** What stands before the names in a file that was saved with a head: `bert.` before those of a BertModel. */
function prefixOf({ parameters }: Network, tensors: readonly NamedTensor[]): string {
  const [first] = parameters;
  if (!first || tensors.some(({ name }) => name === first.name)) return "";
  const found = tensors.find(({ name }) => name.endsWith(`.${first.name}`));
  return found ? found.name.slice(0, -first.name.length) : "";
}
