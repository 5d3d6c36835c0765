/** The network of a dropped file, read as `sardonyx inspect` reads one: ONNX, safetensors, Keras. */

import { type Network, onnxNetwork, weightsNetwork } from "../../src/analyze/index.ts";
import { kerasNetwork } from "../../src/analyze/networks/tfjs-network.ts";
import { ShapeChooser } from "../../src/cli/inspect/shapes.ts";
import { memorySource } from "../../src/core/byte-source.ts";
import { FileError } from "../../src/core/errors.ts";
import { isSafetensors, refusedFormat } from "../../src/formats/files/file-kinds.ts";
import { isKerasFile } from "../../src/formats/keras/document.ts";
import { storedTypeOf } from "../../src/formats/stored-types.ts";
import type { Declared } from "../../src/import/declared.ts";
import { importModel } from "../../src/onnx/import.ts";
import { readSafetensorsHeader } from "../../src/storage/safetensors.ts";

/**
 * The network of a file. Throws SardonyxError for a format that a page does not read, a damaged file, and input shapes that are open or do not fit.
 * @param inputShape shapes of the inputs as `--input-shape` takes them, `1,3,224,224`; default those of the file
 */
export function openNetwork(name: string, bytes: Uint8Array, inputShape?: string): Network {
  const file = memorySource(bytes);
  const head = bytes.subarray(0, 64);
  const chooser = new ShapeChooser({ inputShape });
  const inputs: string[] = [];
  const shapeOf = (declared: Declared) => {
    inputs.push(declared.name);
    return chooser.settle(declared, inputs.length === 1);
  };
  const settled = (network: Network) => {
    chooser.finish(inputs);
    return network;
  };
  if (isKerasFile(head, file)) return settled(kerasNetwork(name, file, shapeOf));
  const what = refusedFormat(head);
  if (what !== undefined) throw new FileError(`${name}: it is ${what}`);
  if (isSafetensors(head, file.size)) {
    const tensors = readSafetensorsHeader(file).entries;
    return weightsNetwork(
      name,
      "safetensors",
      tensors.map((entry) => ({ name: entry.name, ...storedTypeOf(entry) })),
    );
  }
  if (!name.endsWith(".onnx") && head[0] !== 0x08)
    throw new FileError(
      `${name}: its format is not known; choose an .onnx, .safetensors, .keras or .h5 file. The command line reads more: sardonyx inspect`,
    );
  const external = (location: string): never => {
    throw new FileError(
      `${name}: its weights lie beside it in ${location}, and a page is given one file; the command line reads both: sardonyx inspect`,
    );
  };
  return settled(onnxNetwork(name, importModel(file, { choices: "costlier", external, shapeOf })));
}
