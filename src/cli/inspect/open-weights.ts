/** Networks from files of weights, and from the configs that say what is computed of them. */
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { moduleNetwork } from "../../analyze/networks/module-network.ts";
import type { Network } from "../../analyze/networks/network.ts";
import { storedParameter, weightsNetwork } from "../../analyze/networks/weights-network.ts";
import type { ByteSource } from "../../core/byte-source.ts";
import { atPlace, FileError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import { sameShape, showShape } from "../../core/shape.ts";
import { readJson, shardsOf } from "../../formats/files/file-kinds.ts";
import { ggufConfig, ggufSource, readGguf, storedGguf } from "../../formats/gguf/gguf-file.node.ts";
import { modelFromConfig } from "../../formats/huggingface.ts";
import { elementsOf, isBuffer, logicalTensors, packingNotes, type StoredTensor } from "../../formats/stored-tensors.ts";
import { type StoredTypes, storedTypeOf, storedTypesOf } from "../../formats/stored-types.ts";
import { matchNames } from "../../formats/tensor-names.ts";
import { openBeside, openFile } from "../../storage/file-source.node.ts";
import { readSafetensorsHeader } from "../../storage/safetensors.ts";
import { memoryPrefix } from "../../train/load-parameters.ts";
import { chooseInputs, type ShapeOptions } from "./shapes.ts";

/** The config.json at a path. Throws FileError. */
function configAt(path: string): unknown {
  const file = openFile(path);
  try {
    return readJson(file);
  } catch (error) {
    throw atPlace("config.json", error);
  } finally {
    file.close();
  }
}

/** What a model in a folder is called. */
const folderName = (path: string): string => basename(dirname(resolve(path)));

/** The network of a Hugging Face config, stored as that says. */
export const configNetwork = (path: string, config: unknown, shapes: ShapeOptions): Network =>
  storedAs(builtNetwork(path, config, shapes), storedTypesOf(config));

function builtNetwork(path: string, config: unknown, shapes: ShapeOptions): Network {
  const { name, inputs, build } = modelFromConfig(config);
  const source = `Hugging Face config.json: ${name}`;
  return moduleNetwork({
    name: folderName(path),
    source,
    model: build(),
    inputs: chooseInputs(inputs, shapes),
    limits: shapes.limit,
  });
}

/** Layers that score what a model made of its input, which libraries leave as they are when they pack the others. */
const scoring = /(^|\.)(lm_head|score|classifier|qa_outputs|embed_out)$/;

/** The network with its parameters stored as its config says. */
function storedAs(network: Network, { plain, packed, notes }: StoredTypes): Network {
  const isPacked = new Set(
    network.layers.filter(({ kind, name }) => kind === "dense" && !scoring.test(name)).map(({ name }) => name),
  );
  const parameters = network.parameters.map((parameter) => {
    const { layer, shape, isBuffer: isStatistic } = parameter;
    if (packed && isPacked.has(layer) && shape.length === 2) return { ...parameter, ...packed, trainable: false };
    return plain && !isStatistic ? { ...parameter, ...plain } : parameter;
  });
  return { ...network, parameters, notes: [...network.notes, ...notes] };
}

/** A file of weights: with a config.json beside it the network that this describes, else the weights alone. */
export function openSafetensors(path: string, file: ByteSource, shapes: ShapeOptions): Network {
  return weightsWithConfig(path, basename(path), tensorsOf(file), shapes);
}

/** A GGUF file: of an architecture that is known the network that its metadata describe, else the weights alone. */
export async function openGguf(path: string, file: ByteSource, shapes: ShapeOptions): Promise<Network> {
  const read = await readGguf(file);
  const [name, source, tensors] = [basename(path), ggufSource(read), storedGguf(read)];
  let network: Network;
  try {
    network = builtNetwork(path, ggufConfig(read, file), shapes);
  } catch (cause) {
    const alone = weightsNetwork(name, source, tensors);
    return { ...alone, notes: [...alone.notes, `Its metadata do not help: ${(cause as Error).message}`] };
  }
  return withStoredTypes({ ...network, name, source }, tensors);
}

/** An index of several files of weights, which lie beside it. */
export function openShards(path: string, weightMap: Readonly<Record<string, unknown>>, shapes: ShapeOptions): Network {
  const tensors = shardsOf(weightMap).flatMap((name) => {
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

const tensorsOf = (file: ByteSource): readonly StoredTensor[] =>
  readSafetensorsHeader(file).entries.map((entry) => ({ name: entry.name, ...storedTypeOf(entry) }));

/** The weights alone; what an optimizer remembers in a checkpoint of ours is none. */
function weightsAlone(name: string, tensors: readonly StoredTensor[]): Network {
  const isMemory = (tensor: StoredTensor) => tensor.name.startsWith(memoryPrefix);
  const network = weightsNetwork(
    name,
    "safetensors",
    tensors.filter((tensor) => !isMemory(tensor)),
  );
  const memory = tensors.filter(isMemory).length;
  if (memory === 0) return network;
  return { ...network, notes: [...network.notes, `Not counted: ${plural(memory, "tensor")} of the optimizer.`] };
}

function weightsWithConfig(
  path: string,
  name: string,
  tensors: readonly StoredTensor[],
  shapes: ShapeOptions,
): Network {
  const configPath = join(dirname(path), "config.json");
  if (!existsSync(configPath)) return weightsAlone(name, tensors);
  let network: Network;
  try {
    network = builtNetwork(path, configAt(configPath), shapes);
  } catch (cause) {
    // The weights can still be counted.
    const alone = weightsAlone(name, tensors);
    const why = `The config.json beside it does not help: ${(cause as Error).message}`;
    return { ...alone, notes: [...alone.notes, why] };
  }
  return withStoredTypes({ ...network, name, source: `safetensors; ${network.source}` }, tensors);
}

/** The network with its parameters stored as in a file. Throws FileError when the file is of another model. */
function withStoredTypes(network: Network, stored: readonly StoredTensor[]): Network {
  const tensors = logicalTensors(stored);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const paths = network.parameters.map(({ name }) => name);
  const { names, missing, beyond } = matchNames(paths, [...byName.keys()]);
  const parameters = network.parameters.map((parameter) => {
    const tensor = byName.get(names.get(parameter.name) ?? "");
    if (!tensor) return parameter;
    const { type, bits, packing } = tensor;
    const fits =
      packing === undefined ? sameShape(tensor.shape, parameter.shape) : elementsOf(tensor) === parameter.elements;
    if (!fits)
      throw new FileError(
        `the tensor "${tensor.name}" is ${showShape(tensor.shape)}, and the config.json beside it wants ${showShape(parameter.shape)}: they belong to different models`,
      );
    return { ...parameter, type, bits, trainable: parameter.trainable && packing === undefined };
  });
  const others = beyond.flatMap((name) => byName.get(name) ?? []).filter(({ isScale = false }) => !isScale);
  return {
    ...network,
    parameters: [...parameters, ...tensors.filter(({ isScale = false }) => isScale).map(storedParameter)],
    notes: [
      ...network.notes,
      ...packingNotes(tensors),
      ...listed("The file lacks", "tensor", missing, " of it"),
      ...listed("Not counted:", "buffer", namesOf(others.filter(isBuffer)), " of the file beside it"),
      ...listed(
        "Not counted:",
        "tensor",
        namesOf(others.filter((tensor) => !isBuffer(tensor))),
        " of the file beside it",
      ),
    ],
  };
}

const namesOf = (tensors: readonly StoredTensor[]): readonly string[] => tensors.map(({ name }) => name);

/** A note of how many there are and which, if there are any. */
const listed = (what: string, noun: string, names: readonly string[], where: string): readonly string[] =>
  names.length === 0
    ? []
    : [
        `${what} ${plural(names.length, noun)}${where}: ${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}.`,
      ];
