/** Whether products of packed weights in whole numbers pay on this machine. */
import { DataError } from "../../../core/errors.ts";
import type { Tensor } from "../../../core/tensor.ts";
import type { Batch, Dataset } from "../../../data/pipeline/dataset.ts";
import { FileSession } from "../../graph/file-session.ts";
import { encodeWeighted, type WeightedGraph } from "../../graph/weighted-graph.ts";
import { interleaved } from "../../measure/interleaved.ts";

/** A file with its graph. */
export interface GraphFile {
  readonly graph: WeightedGraph;
  readonly bytes: Uint8Array;
}

/** How much faster whole numbers must be to be worth a file that computes less exactly. */
const worthwhile = 0.95;

/**
 * Runs both files on the first batch in turns. Whole numbers are better where they take less than 0.95 of the time and the outputs move no further from
 * those of plain products than rounding the weights moved those from the float32 model.
 * @param float the model before its weights were rounded
 */
export async function compareLevels(
  float: WeightedGraph,
  plain: GraphFile,
  whole: GraphFile,
  data: Dataset<Batch>,
): Promise<{ readonly isBetter: boolean; readonly note: string }> {
  const batch = await firstOf(data);
  const sessions = await Promise.all([
    FileSession.open(encodeWeighted(float), float),
    FileSession.open(plain.bytes, plain.graph),
    FileSession.open(whole.bytes, whole.graph),
  ]);
  try {
    const [exact, rounded, coarse] = (await Promise.all(sessions.map((session) => session.outputs(batch)))) as [
      readonly Tensor[],
      readonly Tensor[],
      readonly Tensor[],
    ];
    const moved = distance(rounded, exact);
    const further = distance(coarse, rounded);
    const [, ...both] = sessions;
    const [own = 1, other = 1] = await interleaved(both.map((session) => () => session.outputs(batch)));
    const isBetter = other < worthwhile * own && further <= moved;
    const ratio = `products in int8 take ${(other / own).toFixed(2)} of the time of float32 on this machine`;
    const change = `and move the outputs by ${(100 * further).toPrecision(2)} % where rounding the weights moved them by ${(100 * moved).toPrecision(2)} %`;
    return { isBetter, note: `${ratio} ${change}: accuracy level ${isBetter ? 4 : 0}` };
  } finally {
    for (const session of sessions) await session.release();
  }
}

async function firstOf(data: Dataset<Batch>): Promise<Batch> {
  for await (const batch of data.epoch(0)) return batch;
  throw new DataError("the data has no sample; give some like those that the model will see");
}

/** ‖a - b‖ / ‖b‖ over all outputs. */
function distance(a: readonly Tensor[], b: readonly Tensor[]): number {
  let [difference, norm] = [0, 0];
  for (const [i, { data }] of b.entries())
    for (const [k, x] of (data as Float32Array).entries()) {
      const other = Number(a[i]?.data[k] ?? 0);
      difference += (other - Number(x)) ** 2;
      norm += Number(x) ** 2;
    }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}
