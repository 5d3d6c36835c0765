/** Small data and a small network with running statistics, for tests of federations. */
import { keyOf, Random } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { type Dataset, fromTensors, type Labelled } from "../../data/pipeline/dataset.ts";
import { batchNorm, crossEntropy, dense, dropout, sequential } from "../../nn/index.ts";
import { sgd } from "../../train/optimizers/sgd.ts";
import type { Partition } from "../partition.ts";
import type { SimulatedClients } from "../simulate.ts";

/** Classes of the blobs. */
export const blobClasses = 4;

/** Points [N, 2] around the corners of a square, the class of each in turn. */
export function blobs(count: number, seed = 1) {
  const random = new Random(keyOf(seed));
  const y = Array.from({ length: count }, (_, i) => i % blobClasses);
  const x = y.map((label) => [(label & 1) * 2 - 1 + 0.5 * random.normal(), (label & 2) - 1 + 0.5 * random.normal()]);
  return fromTensors<Labelled>({ x: tensor(x), y: tensor(y, { dtype: "int32" }) });
}

/** A network of the points, initialized; with `drops` its steps draw numbers. */
export function blobNetwork({ drops = false } = {}) {
  const model = sequential([dense(8, { activation: "relu" }), batchNorm(), ...(drops ? [dropout(0.2)] : []), dense(4)]);
  model.initialize(keyOf(3), { dtype: "float32", shape: [1, 2] });
  return model;
}

/** How it is trained. */
export const blobTraining = { loss: crossEntropy(), optimizer: sgd({ learningRate: 0.1 }) };

/** Clients of a partition, in batches of at most so many. */
export const clientsOf = (data: Dataset<Labelled>, parts: Partition, size = 8): SimulatedClients<Labelled> => ({
  count: parts.length,
  samples: (client) => parts[client]?.length ?? 0,
  data: (client) => {
    const own = parts[client] ?? new Uint32Array();
    return data.select(own).shuffle(keyOf(client)).batch(Math.min(size, own.length));
  },
});
