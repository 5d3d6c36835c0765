/** The weights of Keras's files, datasets of HDF5, as stored tensors. */
import { type ArrayOf, arrayTypes, type DType, dtypes } from "../../core/dtype.ts";
import { FileError } from "../../core/errors.ts";
import { bfloat16ToFloat32, float16ToFloat32 } from "../../core/half.ts";
import { append } from "../../core/lists.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Hdf5Dataset, Hdf5Group } from "../../storage/hdf5/hdf5.ts";
import type { StoredWeight } from "../tfjs/manifest.ts";

/** No model has more layers and weights than this. */
const maxObjects = 1 << 16;

/** A dataset as a stored tensor. Narrow floats are computed with as float32. */
export function storedDataset(name: string, dataset: Hdf5Dataset): StoredWeight {
  const { shape } = dataset;
  // Keras writes what HDF5 has no name for as bytes, and says in an attribute what they are.
  const own = dataset.type.name === "opaque" ? String(dataset.attribute("dtype") ?? "opaque") : dataset.type.name;
  const known = dtypes.find((dtype) => dtype === own);
  const isHalf = own === "bfloat16" || own === "float16";
  const dtype: DType | undefined = isHalf ? "float32" : known;
  return {
    name,
    shape,
    type: { name: own, bits: 8 * dataset.type.bytes },
    dtype,
    read() {
      if (!dtype) return undefined;
      const { buffer } = dataset.read();
      return new Tensor(dtype, shape, isHalf ? halves(own, buffer) : new arrayTypes[dtype](buffer));
    },
  };
}

const halves = (name: string, buffer: ArrayBuffer): ArrayOf =>
  (name === "bfloat16" ? bfloat16ToFloat32 : float16ToFloat32)(new Uint16Array(buffer));

/**
 * The weights of an HDF5 file of Keras 2: a group for each layer, whose attribute names its weights, `dense/kernel:0`. They get the
 * names that TensorFlow.js's converter gives them, `dense/kernel`. Throws FileError for a weight that is named and not there.
 */
export function weightsOfLayers(root: Hdf5Group): ReadonlyMap<string, StoredWeight> {
  const weights = new Map<string, StoredWeight>();
  for (const layer of namesIn(root, "layer_names")) {
    const group = root.member(layer);
    if (group?.kind !== "group")
      throw new FileError(`keras: the layer "${layer}" has no group of weights; save it again`);
    for (const written of namesIn(group, "weight_names")) {
      const dataset = memberAt(group, written);
      if (dataset?.kind !== "dataset")
        throw new FileError(`keras: the weight "${written}" of layer "${layer}" is not there; save it again`);
      const plain = written.replace(/:\d+$/, "");
      const name = plain.startsWith(`${layer}/`) ? plain : `${layer}/${plain}`;
      weights.set(name, storedDataset(name, dataset));
      if (weights.size > maxObjects) throw new FileError(`keras: the file names more than ${maxObjects} weights`);
    }
  }
  return weights;
}

/** The names of an attribute, which Keras divides among several where they are too long for one: `weight_names0`, `weight_names1`. */
function namesIn(group: Hdf5Group, attribute: string): readonly string[] {
  const whole = group.attribute(attribute);
  if (whole) return whole.map(String);
  const parts: string[] = [];
  for (let i = 0; i < maxObjects; i++) {
    const part = group.attribute(`${attribute}${i}`);
    if (!part) break;
    append(parts, part.map(String));
  }
  return parts;
}

/** What lies at a path below a group. */
function memberAt(group: Hdf5Group, path: string): Hdf5Group | Hdf5Dataset | undefined {
  let found: Hdf5Group | Hdf5Dataset | undefined = group;
  for (const name of path.split("/").filter(Boolean)) found = found?.kind === "group" ? found.member(name) : undefined;
  return found;
}

/**
 * The weights of a model.weights.h5 of Keras 3, by their places: `layers/lstm/cell/vars/0`. Keras before 2.14 called `layers`
 * `_layer_checkpoint_dependencies`, and names of private attributes begin with an underscore. States of random generators and of the
 * optimizer are left out.
 */
export function weightsOfPlaces(root: Hdf5Group): ReadonlyMap<string, StoredWeight> {
  const weights = new Map<string, StoredWeight>();
  let count = 0;
  const visit = (group: Hdf5Group, path: readonly string[]) => {
    for (const name of group.names) {
      if (++count > maxObjects || path.length > 256)
        throw new FileError(`keras: the file has more than ${maxObjects} weights`);
      const own = name === "_layer_checkpoint_dependencies" ? "layers" : name.replace(/^_/, "");
      if (own === "seed_generator" || (path.length === 0 && own !== "layers")) continue;
      const member = group.member(name);
      const place = [...path, own];
      if (member?.kind === "group") visit(member, place);
      else if (member) weights.set(place.join("/"), storedDataset(place.join("/"), member));
    }
  };
  visit(root, []);
  return weights;
}
