/** What a fine-tuning would train, and what it would take, before anything is loaded whole. */
import { existsSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { moduleNetwork } from "../../analyze/networks/module-network.ts";
import { type Inspected, inspect } from "../../analyze/report/inspect.ts";
import { quantized } from "../../analyze/what-if/what-if.ts";
import { OptionError } from "../../core/errors.ts";
import { count, plural } from "../../core/number-text.ts";
import { applyPolicy, type TrainingPolicy } from "../../finetune/policy.ts";
import { type LoadedTask, type LoadTaskOptions, loadTask } from "../../finetune/tasks/load-task.node.ts";
import { mapTypes, type TypeTree } from "../../nn/index.ts";
import { summarize } from "../../nn/summary.ts";
import { optimizerOf } from "../../train/optimizers/index.ts";
import { bytes } from "../inspect/units.ts";
import type { Output } from "../output.ts";
import { showLayers } from "../train/layers.ts";

/** What is planned. */
export interface PlannedRun {
  readonly task: LoadTaskOptions;
  readonly policy: TrainingPolicy;
  readonly optimizer: string;
  /** Bytes that a step may take, where that is bounded. */
  readonly memory?: number | undefined;
}

/** A planned run, its network as it would be trained. */
export interface Planned {
  readonly loaded: LoadedTask;
  readonly inspected: Inspected;
}

/** The types of a batch of so many samples. */
const batchOf = (inputs: TypeTree, samples: number): TypeTree =>
  mapTypes(inputs, ({ dtype, shape }) => ({ dtype, shape: [samples, ...shape.slice(1)] })) as TypeTree;

/** Whether a base is a folder with a config.json, which tells its layers without the weights. */
export const isConfigured = (base: string): boolean => existsSync(join(base, "config.json"));

/** Builds what would be trained, without the weights where a config tells what they are. */
export async function planned({ task, policy, optimizer, memory }: PlannedRun): Promise<Planned> {
  // The first values of magnitudes are norms of the weights.
  const loaded = await loadTask({ ...task, weights: policy.adapter?.dora === true });
  const { bits, ...withoutBits } = policy;
  await applyPolicy(loaded.model, withoutBits, loaded.fresh, task.seed);
  const { model } = loaded;
  const inputs = batchOf(loaded.inputs, (loaded.rows ?? 1) * Math.min(task.batchSize, loaded.samples.train));
  const network = moduleNetwork({ name: task.base, source: task.data, model, inputs });
  // As quantizeFrozen stores them.
  const matrices = network.parameters.filter(
    ({ trainable, isBuffer, shape }) => !trainable && !isBuffer && shape.length > 1,
  );
  const stored = bits === undefined ? network : quantized(network, bits, new Set(matrices));
  const inspected = inspect(stored, { optimizer: optimizerOf(optimizer as "adamw"), precision: "float32", memory });
  return { loaded, inspected };
}

/** Throws OptionError, with what would fit, for a run that needs more memory than the machine has. */
export function requireMemory({ inspected }: Planned, { task, policy }: PlannedRun, available = totalmem()): void {
  const needed = inspected.inspection.cost.trainingBytes;
  if (needed === null || needed <= available) return;
  const ways = [
    ...(task.batchSize > 1
      ? [`--batch-size ${Math.max(1, Math.floor((task.batchSize * available) / needed / 2))}`]
      : []),
    ...(task.batchSize > 1 ? ["--batch-size auto"] : []),
    ...(policy.lora === undefined ? ["--lora 8"] : []),
    ...(policy.bits === undefined ? ["--qlora 8"] : []),
    ...(task.length === undefined || task.length > 128 ? ["--length 128"] : []),
  ];
  throw new OptionError(
    `training would need ${bytes(needed)} of memory, and this machine has ${bytes(available)}; pass ${ways.join(" or ") || "a smaller model"}; --dry-run shows what takes how much`,
  );
}

/** Shows layers, parameters, memory, and a few samples as they are learned. */
export async function showDryRun(run: PlannedRun, output: Output): Promise<void> {
  const { loaded, inspected } = await planned(run);
  const { parameters, cost } = inspected.inspection;
  const { samples, classes, notes, preview, task } = loaded;
  output.line(`${task}: ${plural(samples.train, "sample")} to train on, ${count(samples.test)} to test on`);
  if (classes) output.prose(`Classes: ${classes.join(", ")}`);
  for (const note of notes) output.prose(note);
  output.line();
  showLayers(summarize(loaded.model, loaded.inputs), output);
  output.line();
  const byKind = new Map<string, { trainable: number; frozen: number }>();
  for (const { kind, parameters: all, trainable } of inspected.inspection.layers) {
    const own = byKind.get(kind) ?? { trainable: 0, frozen: 0 };
    byKind.set(kind, { trainable: own.trainable + trainable, frozen: own.frozen + all - trainable });
  }
  for (const [kind, own] of byKind)
    if (own.trainable + own.frozen > 0)
      output.line(`${kind}: ${count(own.trainable)} trained, ${count(own.frozen)} frozen`);
  output.line(
    `In all ${count(parameters.trainable)} of ${count(parameters.total)} parameters are trained (${((100 * parameters.trainable) / parameters.total).toFixed(2)} %).`,
  );
  if (cost.trainingBytes !== null)
    output.line(`A step on ${plural(run.task.batchSize, "sample")} takes ${bytes(cost.trainingBytes)} of memory.`);
  output.record("dry-run", {
    task,
    samples,
    trainable: parameters.trainable,
    parameters: parameters.total,
    trainingBytes: cost.trainingBytes,
    macs: cost.macs,
    preview,
  });
  if (preview.length > 0) output.line("\nWhat is learned:");
  for (const line of preview) output.line(line);
}
