/** Models of Keras's own files as modules whose parameters have their values. */
import { type ByteSource, memorySource } from "../../core/byte-source.ts";
import { optionsOf } from "../../core/options.ts";
import { type GivenTypes, givenTypes } from "../input-types.ts";
import type { LoadedModel } from "../loaded-model.ts";
import { layersModel } from "../tfjs/model.ts";
import { inItsWords, readKerasFile } from "./document.ts";

/** Options of `modelFromKeras`. */
export interface KerasModelOptions {
  /**
   * Types or shapes of inputs that the file leaves open, by name, or one for an only input; channels are last; default
   * those of the file.
   */
  readonly inputs?: GivenTypes;
}

const checkOptions = optionsOf<KerasModelOptions>("modelFromKeras", { inputs: givenTypes });

/**
 * The model of a `.keras` archive or of an HDF5 file of Keras, with its weights. Throws FileError for a file that is damaged and
 * for weights that are missing or alone, ShapeError for an extent that is open and not given. Layers that are not known let no trace
 * pass, and are listed then.
 * @example
 * const model = modelFromKeras(new Uint8Array(await file.arrayBuffer()));
 */
export function modelFromKeras(file: Uint8Array | ByteSource, options: KerasModelOptions = {}): LoadedModel {
  const { inputs } = checkOptions(options);
  const source = file instanceof Uint8Array ? memorySource(file) : file;
  return inItsWords(() => layersModel(readKerasFile(source), inputs));
}
