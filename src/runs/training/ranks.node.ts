/** One run of several processes: rank 0 makes the plan and alone writes; all make sure that they train the same. */
import { createHash } from "node:crypto";
import type { Tensor } from "../../core/tensor.ts";
import { type Communicator, requireSame } from "../../distributed/communicator.ts";
import type { AnyModule } from "../../nn/module.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../train/checkpoint.ts";
import { compileOptions } from "../folder/checkpoint-file.node.ts";
import { versions } from "../recipes/package.node.ts";
import type { Task } from "../recipes/recipe.ts";
import type { Trainable } from "../recipes/recipes.node.ts";
import type { Plan } from "./plan.node.ts";

/** Whether this process writes and prints: rank 0, or one that is alone. */
export const leads = ({ communicator }: Pick<Plan, "communicator">): boolean => (communicator?.rank ?? 0) === 0;

/** The plan that rank 0 makes, on each rank. */
export async function planOfRanks<R extends Trainable>(
  communicator: Communicator,
  make: () => Promise<Plan<R>>,
  own: Pick<Plan<R>, "recipe" | "named">,
): Promise<Plan<R>> {
  const version = Object.entries(versions()).map((pair) => pair.join(" "));
  await requireSame(communicator, { version: version.join(", ") }, "install the same on each machine");
  if (communicator.rank === 0) {
    const made = await make();
    const plan = { ...made, record: { ...made.record, processes: communicator.size }, communicator };
    const { folder, record, resumed, choosesParts } = plan;
    await communicator.broadcast(encode(JSON.stringify({ folder, record, resumed, choosesParts })));
    await communicator.broadcast(plan.progress ? encodeCheckpoint(plan.progress) : new Uint8Array());
    return plan;
  }
  const text = new TextDecoder().decode(await communicator.broadcast(new Uint8Array()));
  // Of the same version of this program.
  const { folder, record, resumed, choosesParts } = JSON.parse(text) as Plan<R>;
  const progress = await communicator.broadcast(new Uint8Array());
  return {
    ...own,
    folder,
    claimed: { path: folder, release: () => undefined, isNew: false, notes: [] },
    record,
    compile: compileOptions(record.settings),
    ...(progress.length > 0 && { progress: decodeCheckpoint(progress) }),
    resumed,
    notes: [],
    choosesParts,
    communicator,
  };
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Whether a model has running statistics of its batches. */
export const normalizesBatches = (model: AnyModule): boolean =>
  [...model.parameters()].some(([path, { isBuffer, frozen }]) => isBuffer && !frozen && path.endsWith("running_mean"));

/** Throws RankError where a rank has another model or other data than rank 0. */
export async function requireSameTask({ communicator }: Plan, { model, train }: Task): Promise<void> {
  if (!communicator) return;
  communicator.doing("reading the first batch");
  let first: readonly (readonly [string, Tensor])[] = [];
  for await (const batch of train.epoch(0)) {
    first = Object.entries(batch);
    break;
  }
  const values = Array.from(model.parameters(), ([path, { value }]) => [path, value] as const);
  const own = {
    model: digestOf(values.filter((pair): pair is readonly [string, Tensor] => pair[1] !== undefined)),
    "number of batches": String(train.length ?? "unknown"),
    "first batch": digestOf(first),
  };
  await requireSame(communicator, own, "give every rank the same program, options and data");
}

/** The first digits of the SHA-256 of tensors, names and shapes. */
function digestOf(tensors: readonly (readonly [string, Tensor])[]): string {
  const hash = createHash("sha256");
  for (const [name, { dtype, shape, data }] of tensors) {
    hash.update(`${name} ${dtype} [${shape}]`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex").slice(0, 12);
}
