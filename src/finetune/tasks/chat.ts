/** Instruction tuning: a language model learns the assistant's answers of conversations. */
import { OptionError } from "../../core/errors.ts";
import { greatest } from "../../core/lists.ts";
import {
  type Batch,
  type ChatTemplate,
  type Conversation,
  chatExamples,
  type Dataset,
  fromTensors,
  ignoredLabel,
  packExamples,
  padExamples,
  previewExamples,
  type Tokenizer,
} from "../../data/index.ts";
import { type AnyModule, crossEntropy, type TensorModule, withSegments } from "../../nn/index.ts";
import { accuracy, perplexity } from "../../train/index.ts";
import { type BatchSettings, type FinetuneTask, partBatches, partsOf } from "./task.ts";
import { paddingOf } from "./text-rows.ts";

/** How conversations are learned. */
export interface ChatTuningOptions extends BatchSettings {
  /** The model's tokenizer. */
  readonly tokenizer: Tokenizer;
  /** By which conversations become texts. */
  readonly template: ChatTemplate;
  /** What is learned: the assistant's answers, the last of them, or all tokens; default answers. */
  readonly learned?: "answers" | "last" | "all" | undefined;
  /** Tokens of an example at most; longer ones are left out, and counted. */
  readonly length: number;
  /** Several short examples share a row, without attention across them; default false: each is padded. */
  readonly packs?: boolean | undefined;
}

/** The task; `deployed` is the model itself, where packed rows are trained on. */
export interface ChatTask extends FinetuneTask {
  /** The language model. */
  readonly base: AnyModule;
}

/** A task of conversations. Throws DataError where nothing is left to learn, and for a template that fails. */
export function chatTuning(
  base: AnyModule,
  conversations: readonly Conversation[],
  options: ChatTuningOptions,
): ChatTask {
  const { tokenizer, template, learned = "answers", length, packs = false } = options;
  const made = chatExamples(conversations, {
    tokenizer,
    template,
    learned,
    length,
    tooLong: "drop",
    unlearned: "drop",
  });
  const parts = partsOf(made.examples.length, options);
  const padding = paddingOf(tokenizer);
  const takesMask = typeof base.inputs === "object" && "mask" in base.inputs;
  if (packs && base.inputs !== "tensor" && !(typeof base.inputs === "object" && "x" in base.inputs))
    throw new OptionError("rows of several examples need a model of token ids x; train without packing: packs: false");
  const examplesOf = (places: readonly number[]) =>
    places.map((place) => made.examples[place] as (typeof made.examples)[number]);
  const longest = greatest(made.examples.map(({ ids }) => ids.length));
  const rows = (places: readonly number[]): Dataset<Batch> => {
    if (packs) {
      const { x, y, segments } = packExamples(examplesOf(places), { length, padding }).all.tensors;
      return fromTensors({ x, y, segments }) as unknown as Dataset<Batch>;
    }
    const { x, y, mask } = padExamples(examplesOf(places), longest, padding);
    return fromTensors<Record<string, typeof x>>(takesMask ? { x, y, mask } : { x, y }) as unknown as Dataset<Batch>;
  };
  const model = packs ? withSegments(base as TensorModule) : base;
  const type = { dtype: "int32", shape: [1, packs ? length : longest] } as const;
  const inputs = packs ? { x: type, segments: type } : type;
  model.trace(inputs);
  return {
    model,
    base,
    inputs,
    fresh: [],
    ...partBatches(rows as never, parts, options),
    loss: crossEntropy({ ignoreIndex: ignoredLabel }) as never,
    metrics: [accuracy({ ignoreIndex: ignoredLabel }), perplexity({ ignoreIndex: ignoredLabel })],
    samples: { train: parts.train.length, test: parts.test.length },
    notes: [
      `${made.learnedTokens} of ${made.tokens} tokens are learned`,
      ...(made.tooLong.length > 0 ? [`left out as longer than ${length} tokens: ${made.tooLong.length}`] : []),
      ...(made.unlearned.length > 0 ? [`left out since nothing in them is learned: ${made.unlearned.length}`] : []),
    ],
    preview: previewExamples(examplesOf(parts.train.slice(0, 3)), tokenizer),
  };
}
