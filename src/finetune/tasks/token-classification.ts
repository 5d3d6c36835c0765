/** Tags of words, such as the names that they are part of, by a pretrained model of tokens with a new head. */
import { greatest } from "../../core/lists.ts";
import { Tensor } from "../../core/tensor.ts";
import { fromTensors, ignoredLabel, type TaggedSentence, type TaggedSentences } from "../../data/index.ts";
import { type AnyModule, crossEntropy } from "../../nn/index.ts";
import { accuracy, confusionMatrix, entityScores, marksSpans, predictor } from "../../train/index.ts";
import { partBatches, partsOf } from "./task.ts";
import { paddingOf, type TextTask, type TextTaskOptions, tokenInputs } from "./text-rows.ts";
import { withTokenHead } from "./token-head.ts";
import { wordLength, wordRows } from "./word-rows.ts";

/**
 * A task of tagged words: the first token of each word is to tell its tag, the others are not learned (Devlin et al. 2019, sec. 5.3). Of
 * tags that mark spans the test gives precision, recall and F1 of whole entities too. Throws DataError for too few sentences, OptionError for a
 * layer that there is not.
 */
export function tokenClassification(
  base: AnyModule,
  { sentences, classes }: TaggedSentences,
  options: TextTaskOptions,
): TextTask {
  const { tokenizer, batchSize } = options;
  const parts = partsOf(sentences.length, options, (place) => sentences[place]?.words.join(" "));
  const { length, cut, dropped } = wordLength(
    sentences.map(({ words }) => words),
    tokenizer,
    options.length,
  );
  const reader = { tokenizer, length, padding: paddingOf(tokenizer), gives: "tags" } as const;
  const { takesMask, inputs } = tokenInputs(base, length);
  const { model, at } = withTokenHead(base, classes.length, { ...options, inputs });
  const rowsOf = (own: readonly TaggedSentence[]) =>
    wordRows(
      own.map(({ words }) => words),
      reader,
    );
  const dataset = (places: readonly number[]) => {
    const own = places.map((place) => sentences[place] as TaggedSentence);
    const { x, mask, starts } = rowsOf(own);
    const labels = new Int32Array(own.length * length).fill(ignoredLabel);
    for (const [row, { tags }] of own.entries())
      for (const [word, start] of (starts[row] ?? []).entries())
        if (start >= 0) labels[row * length + start] = tags[word] as number;
    const y = new Tensor("int32", [own.length, length], labels);
    return fromTensors<{ x: Tensor; y: Tensor; mask?: Tensor }>(takesMask ? { x, y, mask } : { x, y });
  };
  const tested = parts.test.map((place) => sentences[place] as TaggedSentence);
  return {
    model,
    inputs,
    fresh: ["head"],
    reader,
    ...partBatches(dataset as never, parts, options),
    loss: crossEntropy({ ignoreIndex: ignoredLabel }) as never,
    metrics: [accuracy({ ignoreIndex: ignoredLabel }), confusionMatrix(classes.length, { ignoreIndex: ignoredLabel })],
    ...(marksSpans(classes) && {
      async measure(compile) {
        const run = predictor(model, { compile });
        const predicted: string[][] = [];
        for (let start = 0; start < tested.length; start += batchSize) {
          const { x, mask, starts } = rowsOf(tested.slice(start, start + batchSize));
          const scores = (await run((takesMask ? { x, mask } : { x }) as never)) as Tensor;
          for (const [row, own] of starts.entries())
            predicted.push(tagsOf(scores, row, own).map((tag) => (tag === undefined ? "O" : (classes[tag] as string))));
        }
        await run.release();
        const actual = tested.map(({ tags }) => tags.map((tag) => classes[tag] as string));
        const { precision, recall, f1 } = entityScores(actual, predicted);
        return { entity_precision: precision, entity_recall: recall, entity_f1: f1 };
      },
    }),
    classes,
    samples: { train: parts.train.length, test: parts.test.length },
    notes: [
      `features: ${at ?? "what the model gives"}, of the first token of each word`,
      ...(cut > 0 ? [`cut to ${length} tokens: ${cut} sentences, whose last words are not learned`] : []),
      ...(dropped > 0 ? [`words that the tokenizer has no token for, and that are not learned: ${dropped}`] : []),
    ],
    preview: parts.train.slice(0, 3).map((place) => {
      const { words, tags } = sentences[place] as TaggedSentence;
      return words.map((word, i) => `${word}/${classes[tags[i] as number]}`).join(" ");
    }),
  };
}

/** Places of the highest scores [N, T, C] at the first tokens of the words of a row; nothing for words that have none in it. */
export function tagsOf({ shape, data }: Tensor, row: number, starts: readonly number[]): (number | undefined)[] {
  const [, length = 1, classes = 1] = shape;
  return starts.map((start) => {
    if (start < 0) return undefined;
    const from = (row * length + start) * classes;
    const scores = Array.from(data.subarray(from, from + classes) as Float32Array);
    return scores.indexOf(greatest(scores));
  });
}
