/** What a run trains on, in the three ways of saying it: a loss, an objective, or steps in turn. */
import { OptionError } from "../../core/errors.ts";
import { count, functionOf, having, listOf, matching, objectOf } from "../../core/option-types.ts";
import { type OptionTypes, optionsOf } from "../../core/options.ts";
import { isPlainObject } from "../../core/tree.ts";
import type { Batch } from "../../data/pipeline/dataset.ts";
import type { AnyModule } from "../../nn/module.ts";
import { ModuleGroup } from "../../nn/module-group.ts";
import type { Metric } from "../metrics/metric.ts";
import { type Optimizer, optimizerType } from "../optimizers/optimizer.ts";
import {
  type BoundObjective,
  boundObjective,
  type LossSpec,
  lossObjective,
  type Objective,
  type Sharing,
} from "./objective.ts";
import { type ParameterPattern, patternType } from "./parameter-groups.ts";

/** A loss of the model's outputs. */
export interface LossChoice {
  /** Compares the only output with `y`; or a loss for each output, by its path in what the model gives. */
  readonly loss: LossSpec;
  /** In place of `loss`, see `ObjectiveChoice`. */
  readonly objective?: undefined;
}

/** A loss of whatever is computed from a batch. */
export interface ObjectiveChoice<B extends Batch> {
  /** Computes the loss of a batch, in place of `loss`. */
  readonly objective: Objective<B>;
  /** In place of `objective`, see `LossChoice`. */
  readonly loss?: undefined;
}

/** What is minimized, and measured beside it. */
export type Measured<B extends Batch> = (LossChoice | ObjectiveChoice<B>) & {
  /** Measured beside the loss; default nothing. */
  readonly metrics?: readonly Metric[];
};

/** One of several steps that take turns: what it minimizes, by which optimizer, and which parameters it trains. */
export type AlternatingStep<B extends Batch> = Measured<B> & {
  /** Trains what the step trains. */
  readonly optimizer: Optimizer;
  /** Which parameters it trains; default all. */
  readonly trains?: ParameterPattern;
  /** Batches before it is the next one's turn; default 1. */
  readonly times?: number;
};

/**
 * Steps that take turns, by name and in this order, as of adversarial networks.
 * @example
 * steps: {
 *   critic: { objective: criticLoss, optimizer: adam(), trains: "critic", times: 5 },
 *   generator: { objective: generatorLoss, optimizer: adam(), trains: "generator" },
 * }
 */
export interface Alternating<B extends Batch> {
  /** The steps by name. */
  readonly steps: Readonly<Record<string, AlternatingStep<B>>>;
  /** Each step has its own. */
  readonly loss?: undefined;
  /** Each step has its own. */
  readonly objective?: undefined;
}

interface TrainedStep {
  readonly loss?: LossSpec | undefined;
  readonly objective?: Objective<never> | undefined;
  readonly metrics?: readonly Metric[];
  readonly optimizer?: Optimizer;
}

/** What is trained, whichever way it is said. */
export interface TrainedOptions extends TrainedStep {
  readonly steps?: Alternating<never>["steps"] | undefined;
}

const trainedStep: OptionTypes<TrainedStep> = {
  loss: matching(
    "a loss such as crossEntropy(), or a loss for each output by its name",
    (value) => typeof value === "function" || isPlainObject(value),
  ),
  objective: functionOf("(context, batch) => ({ loss })"),
  metrics: listOf(having<Metric>("update", "a metric such as accuracy()"), "metrics: [accuracy()]"),
  optimizer: optimizerType,
};

/** What is trained: `boundSteps` says whether it is whole. */
export const trainedTypes: OptionTypes<TrainedOptions> = {
  ...trainedStep,
  steps: objectOf("an objective and an optimizer for each step, by the steps' names"),
};

type StepOptions = TrainedStep & Pick<AlternatingStep<never>, "trains" | "times">;

const stepTypes: OptionTypes<StepOptions> = { ...trainedStep, trains: patternType, times: count() };

/** A step with its objective, and what optimizes it; its name is empty where it is the only one. */
export interface BoundStep {
  readonly name: string;
  readonly objective: BoundObjective;
}

/** A model, or models by name that an objective applies. Throws OptionError for anything else. */
export function modelOf(model: AnyModule | Readonly<Record<string, AnyModule>>): AnyModule {
  if (typeof model !== "object" || model === null)
    throw new OptionError(
      `the model is ${model === undefined ? "undefined" : `a ${typeof model}`}; pass a Module, or modules by name`,
    );
  return "apply" in model && typeof model.apply === "function"
    ? (model as AnyModule)
    : new ModuleGroup(model as Readonly<Record<string, AnyModule>>);
}

/** An objective with its metrics. Throws OptionError where there is neither a loss nor an objective, or both. */
function bindObjective<B extends Batch>(
  model: AnyModule,
  choice: Measured<B>,
  where: string,
  sharing: Sharing,
): BoundObjective {
  const { loss, objective, metrics = [] } = choice;
  if (loss !== undefined && objective !== undefined)
    throw new OptionError(`${where} has a loss and an objective; pass the one or the other`);
  if (objective !== undefined) return boundObjective(objective, metrics, sharing);
  if (loss === undefined)
    throw new OptionError(`${where} needs a loss or an objective; pass { loss: crossEntropy(), … }`);
  if (model instanceof ModuleGroup)
    throw new OptionError(
      `${where}: several modules need an objective, which says how they are applied; pass { objective: (context, batch) => ({ loss }) }`,
    );
  return lossObjective(model, loss, metrics, sharing);
}

/** The steps of a run with their objectives. Throws OptionError for a step that is not whole. */
export function boundSteps<B extends Batch>(
  model: AnyModule,
  choice: Measured<B> | Alternating<B>,
  where: string,
): readonly BoundStep[] {
  if (!("steps" in choice) || choice.steps === undefined)
    return [{ name: "", objective: bindObjective(model, choice as Measured<B>, where, { isShared: false }) }];
  const entries = Object.entries(choice.steps);
  if (entries.length === 0) throw new OptionError(`${where} has no steps; pass one at least`);
  return entries.map(([name, step]) => {
    optionsOf<StepOptions>(`steps.${name}`, stepTypes)(step);
    return { name, objective: bindObjective(model, step, `steps.${name}`, { isShared: entries.length > 1 }) };
  });
}

/** The name of a step's result in the results of an epoch: `critic_loss`. */
export const resultName = (step: string, name: string): string => (step === "" ? name : `${step}_${name}`);
