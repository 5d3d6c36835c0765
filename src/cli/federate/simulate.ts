/** `sardonyx federate simulate`: the clients of a recipe in one process, to the bits that they reach on a network. */
import { join, resolve } from "node:path";
import type { Batch, Dataset } from "../../data/pipeline/dataset.ts";
import { describeModel, readValues } from "../../federated/model-description.ts";
import type { RoundRecord } from "../../federated/rounds.ts";
import { simulate } from "../../federated/simulate.ts";
import { measuredOf } from "../../runs/training/evaluation.ts";
import { Interrupted } from "../../runs/training/interrupted.ts";
import type { Trained } from "../../train/engine/trainer.ts";
import { encryptOut } from "../encryption.ts";
import { onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { finish, showPromise, showRound } from "./serve.ts";
import { type LoadedFederation, requireSplit } from "./task.ts";

/** Simulates the rounds, tells each, and saves what was learned. Throws OptionError for a recipe that does not split its data. */
export async function simulateRounds(
  loaded: LoadedFederation,
  given: {
    readonly out: string | undefined;
    readonly encryptTo: string | undefined;
    readonly delta: number | undefined;
  },
  output: Output,
): Promise<void> {
  const { task, settings, compile, choices, federation } = loaded;
  const { clients, training = {} } = requireSplit(loaded);
  const folder = resolve(given.out ?? join("runs", `federation-${choices["recipe"]}`));
  await encryptOut(folder, given.encryptTo);
  const interruption = onInterrupt(() => output.warn("\nStopping; nothing is saved."));
  const told: RoundRecord[] = [];
  showPromise(loaded, given.delta, output);
  try {
    const { rounds } = await simulate<Batch>(task.model, {
      ...({
        ...measuredOf(task),
        ...(task.steps === undefined && { optimizer: loaded.optimizer((rate) => rate) }),
      } as Trained<Batch>),
      rounds: settings.epochs,
      clients: { ...clients, data: (client) => clients.data(client) as Dataset<Batch> },
      federation,
      validation: task.validation,
      callbacks: [
        {
          name: "rounds",
          onBatch() {
            if (interruption.signal.aborted)
              throw new Interrupted("the simulation", { cause: interruption.signal.reason });
          },
          onEpoch({ epoch }, results) {
            const record = told[epoch - 1];
            if (!record) return;
            const held = Object.entries(results).filter(([name]) => name.startsWith("validation_"));
            showRound(record, Object.fromEntries(held), output);
          },
        },
      ],
      onRound: (record) => told.push(record),
      training: { seed: settings.seed, ...training, compile },
    });
    const values = readValues(task.model, describeModel(task.model));
    await finish(loaded, { values, history: rounds }, { folder, delta: given.delta }, output);
  } finally {
    interruption.release();
  }
}
