/** Direct preference optimization: a language model learns which of two answers is the better one (Rafailov et al. 2023). */
import { OptionError } from "../core/errors.ts";
import { greatest } from "../core/lists.ts";
import { positive } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import type { Tensor } from "../core/tensor.ts";
import {
  type ChatTemplate,
  chatExamples,
  ignoredLabel,
  type Preference,
  padExamples,
  type Tokenizer,
} from "../data/index.ts";
import type { Value } from "../graph/ir.ts";
import type { Module } from "../nn/index.ts";
import {
  cast,
  equal,
  gatherElements,
  greater,
  logSoftmax,
  maximum,
  mul,
  not,
  reduceMean,
  reduceSum,
  reshape,
  scalar,
  softplus,
  sub,
} from "../ops/index.ts";
import type { Objective } from "../train/index.ts";

/** Pairs of answers as rows of one width: token ids and the tokens to be predicted, int32 [N, T]. */
export type PreferenceRows = {
  /** Prompts with the better answers. */
  readonly chosen: Tensor<"int32">;
  /** The token after each of an answer; elsewhere `ignoredLabel`. */
  readonly chosenLabels: Tensor<"int32">;
  /** Prompts with the worse answers. */
  readonly rejected: Tensor<"int32">;
  /** As for the better ones. */
  readonly rejectedLabels: Tensor<"int32">;
};

/** How preferences become rows. */
export interface PreferenceRowsOptions {
  /** The model's tokenizer. */
  readonly tokenizer: Tokenizer;
  /** The model's chat template. */
  readonly template: ChatTemplate;
  /** The id that fills rows up; default 0. */
  readonly padding?: number;
}

/**
 * Preferences as rows for `fromTensors`, in which the answers alone are counted. Throws DataError for conversations that the template refuses.
 * @example fromTensors(preferenceRows(preferences, { tokenizer, template })).batch(4)
 */
export function preferenceRows(
  preferences: readonly Preference[],
  { tokenizer, template, padding = 0 }: PreferenceRowsOptions,
): PreferenceRows {
  const examples = (["chosen", "rejected"] as const).map((side) => {
    const conversations = preferences.map(({ prompt, tools, ...answers }) => ({
      messages: [...prompt, ...answers[side]],
      ...(tools && { tools }),
    }));
    return chatExamples(conversations, { tokenizer, template, learned: "last" }).examples;
  });
  const width = greatest(examples.flat().map(({ ids }) => ids.length));
  const [chosen, rejected] = examples.map((own) => padExamples(own, width, padding)) as [
    ReturnType<typeof padExamples>,
    ReturnType<typeof padExamples>,
  ];
  return { chosen: chosen.x, chosenLabels: chosen.y, rejected: rejected.x, rejectedLabels: rejected.y };
}

/** Options of `preferenceObjective`. */
export interface PreferenceOptions {
  /** How firmly the model is held to the reference; default 0.1. */
  readonly beta?: number;
}

const checkOptions = optionsOf<PreferenceOptions>("preferenceObjective", { beta: positive });

/** Log-probabilities of the labelled tokens of each row, summed: logits [N, T, V] → [N]. */
function answerScore(logits: Value, labels: Value): Value {
  const [batch = 1, time = 1] = labels.shape;
  const counted = cast(not(equal(labels, scalar(ignoredLabel, labels.dtype))), "float32");
  const indices = reshape(maximum(labels, scalar(0, labels.dtype)), [batch, time, 1]);
  const scores = reshape(gatherElements(logSoftmax(logits), indices, 2), [batch, time]);
  return reduceSum(mul(scores, counted), [1]);
}

/**
 * -log σ(β (log π(c)/ρ(c) - log π(r)/ρ(r))) for the better answer c and the worse r, with the model π and a reference ρ that stays as it is,
 * such as a second copy of the model before the training (Rafailov et al. 2023, eq. 7). Also gives how often the better answer gained more
 * (`preferred`) and by how much (`margin`). Both models take token ids [N, T] and give logits [N, T, V].
 * @example
 * await fit(model, fromTensors(rows).batch(4), { objective: preferenceObjective(model, reference), optimizer: adamw({ learningRate: 1e-5 }) });
 */
export function preferenceObjective(
  model: Module<never, Value> | Module,
  reference: Module<never, Value> | Module,
  options: PreferenceOptions = {},
): Objective<PreferenceRows> {
  const { beta = 0.1 } = checkOptions(options);
  if (model === reference)
    throw new OptionError("preferenceObjective: the reference is the model itself; load a second copy of it");
  const apply = (own: typeof model, x: Value, context: Parameters<Objective<PreferenceRows>>[0]) =>
    (own as Module).apply(x, context);
  return (context, { chosen, chosenLabels, rejected, rejectedLabels }) => {
    const gain = (x: Value, labels: Value) => {
      const own = answerScore(apply(model, x, context), labels);
      return sub(
        own,
        context.frozen(() => answerScore(apply(reference, x, context), labels)),
      );
    };
    const margin = mul(sub(gain(chosen, chosenLabels), gain(rejected, rejectedLabels)), beta);
    return {
      // -log σ(m) = log(1 + e^-m)
      loss: reduceMean(softplus(mul(margin, -1))),
      figures: {
        preferred: reduceMean(cast(greater(margin, 0), "float32")),
        margin: reduceMean(margin),
      },
    };
  };
}
