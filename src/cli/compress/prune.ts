/** Pruning a model before it is quantized or written: what is planned, what is cut, and training afterwards. */
import { type ChannelPlan, planChannels } from "../../compress/prune/channels/plan.ts";
import { cutChannels } from "../../compress/prune/channels/prune.ts";
import { keepZeros } from "../../compress/prune/weights/keep-zeros.ts";
import { planPruning, pruneWeights, type WeightPlan } from "../../compress/prune/weights/plan.ts";
import { OptionError } from "../../core/errors.ts";
import { plural } from "../../core/number-text.ts";
import type { AnyModule } from "../../nn/index.ts";
import { fit } from "../../train/fit.ts";
import { optimizers } from "../../train/optimizers/index.ts";
import { amount, longCount, share } from "../inspect/units.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";
import type { Subject } from "./subject.ts";

/** How a model is pruned. */
export interface Pruning {
  /** Share of the multiply-adds that stays, by cutting channels. */
  readonly macs?: number | undefined;
  /** What stays of a layer's channels is a multiple of this, or of the first of several that does. */
  readonly multiple: number | readonly number[];
  /** Share of the weights that is to be zero. */
  readonly sparsity?: number | undefined;
  /** Paths of parameters that stay. */
  readonly keep?: readonly string[] | undefined;
  /** Passes over the training data afterwards. */
  readonly epochs: number;
  readonly learningRate: number;
}

/** Batches of the training data by whose loss channels are scored. */
const scored = 16;

/** Shows what pruning would take, and cuts nothing. */
export async function showPlan(subject: Subject, pruning: Pruning, output: Output): Promise<void> {
  if (pruning.macs !== undefined) return showChannels(await channelPlan(subject, pruning), output);
  showWeights(await planPruning(subject.model, weightOptions(pruning)), output);
}

/** The pruned model, trained on; the subject's own, whose weights are changed, where only weights were pruned. */
export async function pruned(
  subject: Subject,
  pruning: Pruning,
  output: Output,
): Promise<{ readonly model: AnyModule; readonly notes: readonly string[] }> {
  if (pruning.macs !== undefined) {
    const plan = await channelPlan(subject, pruning);
    showChannels(plan, output);
    const { model, notes } = cutChannels(subject.model, plan, subject.inputs ? { inputs: subject.inputs } : {});
    await tunedOn(model, subject, pruning, output);
    return { model, notes };
  }
  showWeights(await pruneWeights(subject.model, weightOptions(pruning)), output);
  await tunedOn(subject.model, subject, pruning, output);
  return { model: subject.model, notes: [] };
}

const weightOptions = ({ sparsity, keep }: Pruning) => ({
  ...(sparsity !== undefined && { sparsity }),
  ...(keep && keep.length > 0 && { exclude: keep }),
});

async function channelPlan(
  { model, inputs, train, loss }: Subject,
  { macs, multiple, keep }: Pruning,
): Promise<ChannelPlan> {
  // What the loss changes by says more than how large weights are, and needs the data.
  const byLoss = train && loss ? ({ score: "taylor", data: train.take(scored), loss } as const) : {};
  return planChannels(model, {
    keep: { macs: macs ?? 1 },
    multiple,
    ...byLoss,
    ...(inputs && { inputs }),
    ...(keep && keep.length > 0 && { exclude: keep }),
  });
}

async function tunedOn(model: AnyModule, subject: Subject, pruning: Pruning, output: Output): Promise<void> {
  const { epochs, learningRate, sparsity } = pruning;
  if (epochs === 0) return;
  const { train, loss } = subject;
  if (!train || !loss)
    throw new OptionError("--epochs trains on, which takes data and a loss: this model has none; pass --epochs 0");
  output.warn(`Training on for ${plural(epochs, "epoch")} …`);
  await fit(model, train, {
    loss,
    optimizer: optimizers.adam({ learningRate }),
    epochs,
    ...(sparsity !== undefined && { training: { transforms: [keepZeros()] } }),
  });
}

function showChannels({ groups, uncut, macs, parameters }: ChannelPlan, output: Output): void {
  output.record("plan", {
    groups: groups.map(({ cut: _, ...own }) => own),
    uncut,
    macs,
    parameters,
  });
  showTable(
    [
      { head: "Layers" },
      { head: "Channels", align: "right" },
      { head: "Stay", align: "right" },
      { head: "Parameters", align: "right" },
      { head: "Multiply-adds", align: "right" },
    ],
    [
      ...groups.map(({ weights, channels, parameters: own, macs: cost }) => [
        weights.length > 1 ? `${weights[0]} and ${weights.length - 1} more` : (weights[0] ?? ""),
        longCount(channels.before),
        longCount(channels.after),
        share(own.after, own.before),
        share(cost.after, cost.before),
      ]),
      [
        "all",
        "",
        "",
        share(parameters.after, parameters.before),
        `${share(macs.after, macs.before)} of ${amount(macs.before)}`,
      ],
    ],
    output,
  );
  output.line();
  const [first] = uncut;
  if (first) output.prose(`Whole: ${uncut.length} layers, such as ${first.weight}: ${first.reason}.`);
}

function showWeights({ weights, sparsity, parameters, effective }: WeightPlan, output: Output): void {
  output.record("plan", { weights, sparsity, parameters, effective });
  showTable(
    [{ head: "Weight" }, { head: "Elements", align: "right" }, { head: "Zero", align: "right" }],
    weights.map(({ path, elements, zeros }) => [path, longCount(elements), share(zeros, elements)]),
    output,
  );
  output.line();
  output.prose(`${share(effective, parameters)} of ${longCount(parameters)} parameters are not 0.`);
}
