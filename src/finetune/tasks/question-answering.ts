/** Answers that stand in a text, by a pretrained model of tokens with a head for their first and last tokens. */
import { Tensor } from "../../core/tensor.ts";
import { fromTensors, type QuestionAnswer, type TextSpan } from "../../data/index.ts";
import type { Value } from "../../graph/ir.ts";
import { type AnyModule, crossEntropy, onOutput } from "../../nn/index.ts";
import { transpose } from "../../ops/index.ts";
import { accuracy, answerScores, predictor } from "../../train/index.ts";
import { answerPlaces, bestAnswer, type QuestionWindow, questionRows, questionWindows } from "./question-rows.ts";
import { partBatches, partsOf } from "./task.ts";
import { paddingOf, type TextTask, type TextTaskOptions, tokenInputs } from "./text-rows.ts";
import { withTokenHead } from "./token-head.ts";

/** Whether a model tells segments apart: a question from the text. */
function takesTypes(base: AnyModule): boolean {
  const isNamed = typeof base.inputs === "object" && "types" in base.inputs;
  const [table] = [...base.parameters()].filter(([path]) => path.endsWith("token_type_embeddings.weight"));
  return isNamed && (table?.[1].shape[0] ?? 0) > 1;
}

const spanOf = ({ text, start }: TextSpan) => ({ start, end: start + text.length });

/**
 * A task of questions (Devlin et al. 2019, sec. 4.2): of each row the first and the last token of the answer are learned, and its first token where
 * the answer does not stand in it. The test gives the exact matches and the F1 of words, as SQuAD measures them. Throws DataError for too few
 * questions, OptionError for a layer that there is not and for questions that leave no room for a text.
 */
export function questionAnswering(
  base: AnyModule,
  questions: readonly QuestionAnswer[],
  options: TextTaskOptions,
): TextTask {
  const { tokenizer, batchSize } = options;
  const parts = partsOf(questions.length, options, (place) => questions[place]?.context);
  const most = questions.map((own) => questionWindows(own, options));
  const length = most.flat().reduce((longest, { ids }) => Math.max(longest, ids.length), 1);
  const reader = { tokenizer, length, padding: paddingOf(tokenizer), gives: "answer" } as const;
  const { inputs: own } = tokenInputs(base, length);
  const inputs = { ...own, ...(takesTypes(base) && { types: own.x }) };
  const { model, at } = withTokenHead(base, 2, { ...options, inputs });
  const taken = (windows: readonly QuestionWindow[]) => {
    const rows = questionRows(windows, reader);
    return Object.fromEntries(Object.entries(rows).filter(([name]) => name in inputs)) as Record<string, Tensor>;
  };
  const dataset = (places: readonly number[]) => {
    const windows = places.flatMap((place) => most[place] as QuestionWindow[]);
    const labels = places.flatMap((place) => {
      const { answers } = questions[place] as QuestionAnswer;
      return (most[place] as QuestionWindow[]).flatMap((window) => [...answerPlaces(window, spanOf(answers[0]))]);
    });
    const y = new Tensor("int32", [windows.length, 2], Int32Array.from(labels));
    return fromTensors<Record<string, Tensor>>({ ...taken(windows), y });
  };
  const windows = most.reduce((sum, { length: count }) => sum + count, 0);
  return {
    model,
    inputs,
    fresh: ["head"],
    reader,
    ...partBatches(dataset as never, parts, options),
    // Scores of the places [N, T, 2] as those of two choices among T.
    loss: onOutput((scores: Value) => transpose(scores, [0, 2, 1]), crossEntropy()) as never,
    metrics: [accuracy()],
    async measure(compile) {
      const run = predictor(model, { compile });
      const asked = parts.test.flatMap((place) => most[place] as QuestionWindow[]);
      const data = new Float32Array(asked.length * length * 2);
      for (let start = 0; start < asked.length; start += batchSize) {
        const scores = (await run(taken(asked.slice(start, start + batchSize)) as never)) as Tensor;
        data.set(scores.data as Float32Array, start * length * 2);
      }
      await run.release();
      const scores = new Tensor("float32", [asked.length, length, 2], data);
      let [row, exact, f1] = [0, 0, 0];
      for (const place of parts.test) {
        const { context, answers } = questions[place] as QuestionAnswer;
        const own = most[place] as QuestionWindow[];
        const { text } = bestAnswer(scores, row, own, context);
        const found = answerScores(
          text,
          answers.map((answer) => answer.text),
        );
        row += own.length;
        exact += found.exact;
        f1 += found.f1;
      }
      return { exact_match: exact / parts.test.length, f1: f1 / parts.test.length };
    },
    samples: { train: parts.train.length, test: parts.test.length },
    notes: [
      `features: ${at ?? "what the model gives"}, of each token`,
      ...(windows > questions.length
        ? [
            `texts longer than ${length} tokens with their question are read in windows: ${windows} of ${questions.length} questions`,
          ]
        : []),
    ],
    preview: parts.train.slice(0, 3).map((place) => {
      const { question, answers } = questions[place] as QuestionAnswer;
      return `${question} ${answers[0].text}`;
    }),
  };
}
