/** In how many parts a batch has to be computed to fit into memory. */
import { OptionError } from "../../core/errors.ts";
import { greatest } from "../../core/lists.ts";
import { size } from "../../core/shape.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import { gatherRecord } from "../../data/pipeline/rows.ts";
import { bytesOf } from "../../graph/ir.ts";
import type { AnyModule } from "../../nn/module.ts";
import { ParameterInputs } from "../../nn/parameter-inputs.ts";
import { deriveStep } from "../../transform/derive-step.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { keyInput, traceBatch } from "./gradient-step.ts";
import { type BoundObjective, samplesOf } from "./objective.ts";
import { type AlternatingStep, boundSteps } from "./objectives.ts";
import { budgetOf } from "./step-memory.ts";
import type { Trained } from "./trainer.ts";

/** In how many parts a batch is computed, and what that takes. */
export interface BatchParts {
  readonly parts: number;
  /** Samples of a part. */
  readonly samples: number;
  /** Bytes of a step, as estimated. */
  readonly bytes: number;
}

/** A budget that every step meets. */
const boundless = Number.MAX_SAFE_INTEGER;

/**
 * The fewest equal parts of a batch with which a step takes at most so many bytes: with nothing computed again, since parts take no more work;
 * where even single samples do not fit so, with what is computed again for it. Throws OptionError where those do not fit either.
 */
export function partsWithin<B extends Batch>(
  model: AnyModule,
  trained: Trained<B>,
  batch: B,
  memory: number,
): BatchParts {
  const rows = samplesOf(batch);
  const steps = "steps" in trained && trained.steps !== undefined ? trained.steps : undefined;
  const objectives = boundSteps(model, trained, "training").map(({ name, objective }) => {
    const { optimizer } = (steps?.[name] as AlternatingStep<B> | undefined) ?? (trained as { optimizer: Optimizer });
    return { objective, slots: optimizer.slots.length };
  });
  const bytesOfParts = (parts: number, budget: number): number => {
    const part = gatherRecord(batch, [...new Array(rows / parts).keys()]);
    return greatest(
      objectives.map(({ objective, slots }) => estimated(model, objective, part, slots + (parts > 1 ? 1 : 0), budget)),
    );
  };
  const divisors = Array.from({ length: rows }, (_, i) => i + 1).filter((parts) => rows % parts === 0);
  for (const parts of divisors) {
    const bytes = bytesOfParts(parts, boundless);
    if (bytes <= memory) return { parts, samples: rows / parts, bytes };
  }
  for (const parts of divisors) {
    try {
      return { parts, samples: rows / parts, bytes: bytesOfParts(parts, memory) };
    } catch (error) {
      if (!(error instanceof OptionError) || parts === rows) throw error;
    }
  }
  throw new OptionError("training: a batch has no sample; check the dataset");
}

/** Bytes of a step within a budget; all parameters that are not frozen are trained. Throws OptionError where it does not fit. */
function estimated(model: AnyModule, objective: BoundObjective, batch: Batch, slots: number, memory: number): number {
  const inputs = new ParameterInputs();
  const { context, loss, statistics } = traceBatch(model, objective, batch, {
    training: true,
    key: keyInput(),
    bind: inputs.bind,
  });
  const wrt = [...context.values].flatMap(([parameter, value]) => (parameter.trainable ? [value] : []));
  const trainable = wrt.reduce((sum, { shape }) => sum + size(shape), 0);
  const weights = inputs.values.reduce((sum, value) => sum + bytesOf(value), 0);
  const forward = [loss, ...statistics, ...[...context.updates].map(([, value]) => value)];
  const budget = budgetOf({ memory }, { weights, trainable, remembered: 4 * slots * trainable });
  return deriveStep(forward, { wrt, budget }).memory?.bytes ?? 0;
}
