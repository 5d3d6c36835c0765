/** A task trained with differential privacy: its batches drawn by chance, its updates with noise, what an audit finds beside its results. */
import { OptionError } from "../../core/errors.ts";
import type { Key } from "../../core/random.ts";
import { type Batch, fromIterable } from "../../data/pipeline/dataset.ts";
import type { Loss } from "../../nn/index.ts";
import { auditMembership } from "../../privacy/audit.ts";
import { differentialPrivacy } from "../../privacy/index.ts";
import { clippingWay } from "../../train/engine/clipping-way.ts";
import { samplesOf } from "../../train/engine/objective.ts";
import { boundSteps, type Measured } from "../../train/engine/objectives.ts";
import { sampleLosses } from "../../train/sample-losses.ts";
import type { Task } from "../recipes/recipe.ts";
import type { RunSettings } from "../recipes/settings.ts";
import { measuredOf } from "./evaluation.ts";

/** Samples of the training data, and as many of the test, that an audit looks at. */
const audited = 2000;

/** A task made private, and what is to be said of that. */
export interface PrivateTask {
  readonly task: Task;
  readonly notes: readonly string[];
}

/**
 * The task with a budget of privacy. @param key draws samples and noise, a secret
 *
 * Throws OptionError for steps that take turns, for an epsilon that cannot be reached, for layers that mix samples or keep
 * statistics of them.
 */
export async function privateTask(
  task: Task,
  settings: RunSettings,
  { epsilon, key }: { readonly epsilon: number; readonly key: Key },
): Promise<PrivateTask> {
  const { delta, clip: limit, parts = 1 } = settings;
  if (task.steps)
    throw new OptionError(
      "--private is for one loss, and this recipe trains steps in turn, each of which would spend the budget; leave it out",
    );
  const { drawable } = task.train.source;
  const [step] = boundSteps<Batch>(task.model, measuredOf(task) as Measured<Batch>, "--private");
  let chosen: ReturnType<typeof clippingWay> = { way: "lengths" };
  for await (const batch of task.train.epoch(0)) {
    if (step) chosen = clippingWay(task.model, step.objective, batch);
    break;
  }
  const epochs = task.stages?.reduce((sum, stage) => sum + stage.epochs, 0) ?? settings.epochs;
  const rows = parts > 1 ? Math.ceil((drawable?.size ?? parts) / parts) : undefined;
  const privacy = differentialPrivacy<Batch>(task.train, {
    epsilon,
    epochs,
    key,
    clipping: { way: chosen.way, ...(limit !== undefined && { limit }), ...(rows !== undefined && { rows }) },
    ...(delta !== undefined && { delta }),
  });
  const { loss } = task;
  const measure: Task["measure"] = async (compile, results) => ({
    ...(await task.measure?.(compile, results)),
    epsilon,
    delta: privacy.delta,
    ...(typeof loss === "function" && (await audit(task, loss as Loss, privacy.delta, compile))),
  });
  const { transforms = [] } = task.training ?? {};
  const training = { ...task.training, transforms: [privacy.transform, ...transforms] };
  const room = privacy.sampleRate * (drawable?.samples ?? 0);
  return {
    task: { ...task, train: privacy.batches, training, measure },
    notes: [
      `updates draw each of ${drawable?.samples} samples with probability ${privacy.sampleRate.toPrecision(3)}, some ${Math.round(room)}, and add noise of ${privacy.noiseMultiplier.toPrecision(3)} times the norm that a sample has at most: epsilon ${epsilon} at a delta of ${privacy.delta} for all epochs`,
      ...(chosen.why === undefined ? [] : [`samples are computed one by one, since ${chosen.why}`]),
      "not covered: what the recipe computes of its data before training (vocabularies, means), the log's losses of training, and choices made by looking at validation data",
    ],
  };
}

/** What an attacker who knows the losses finds: a lower bound of epsilon, and how well members are told from others. */
async function audit(task: Task, loss: Loss, delta: number, compile: Parameters<NonNullable<Task["measure"]>>[0]) {
  const losses = async (data: Task["train"]) => {
    const batches: Batch[] = [];
    let count = 0;
    for await (const batch of data.epoch(0)) {
      batches.push(batch);
      count += samplesOf(batch);
      if (count >= audited) break;
    }
    const found = await sampleLosses<Batch>(
      task.model,
      fromIterable(() => batches),
      { loss, compile },
    );
    return found.subarray(0, audited);
  };
  const [members, others] = [await losses(task.train), await losses(task.test)];
  const count = Math.min(members.length, others.length);
  const { epsilon, area } = auditMembership(members.subarray(0, count), others.subarray(0, count), { delta });
  return { audit_epsilon: epsilon, audit_area: area };
}
