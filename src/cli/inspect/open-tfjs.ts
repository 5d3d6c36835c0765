/** Networks from Keras's files and from TensorFlow.js models, with what their shapes need of the files of weights beside them. */
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Network } from "../../analyze/networks/network.ts";
import { kerasNetwork, tfjsNetwork } from "../../analyze/networks/tfjs-network.ts";
import type { ByteSource } from "../../core/byte-source.ts";
import { openBeside } from "../../storage/file-source.node.ts";
import { ShapeChooser, type ShapeOptions } from "./shapes.ts";

/** The network of a parsed model.json. Files of weights that are not beside it need not be. */
export function openTfjs(path: string, document: unknown, shapes: ShapeOptions): Network {
  const chooser = new ShapeChooser(shapes);
  const names: string[] = [];
  const beside: { close(): void }[] = [];
  const folder = dirname(resolve(path));
  try {
    const network = tfjsNetwork(basename(folder), document, {
      open(location) {
        if (!existsSync(join(folder, location))) return undefined;
        const source = openBeside(folder, location);
        beside.push(source);
        return source;
      },
      shapeOf(declared) {
        names.push(declared.name);
        return chooser.settle(declared, names.length === 1);
      },
    });
    chooser.finish(names);
    return network;
  } finally {
    for (const source of beside) source.close();
  }
}

/** The network of a `.keras` archive or of an HDF5 file of Keras. */
export function openKeras(path: string, file: ByteSource, shapes: ShapeOptions): Network {
  const chooser = new ShapeChooser(shapes);
  const names: string[] = [];
  const network = kerasNetwork(basename(path), file, (declared) => {
    names.push(declared.name);
    return chooser.settle(declared, names.length === 1);
  });
  chooser.finish(names);
  return network;
}
