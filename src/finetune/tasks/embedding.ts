/** Vectors of texts that are alike where texts belong together, learned from pairs by a pretrained model. */
import { OptionError } from "../../core/errors.ts";
import { Tensor } from "../../core/tensor.ts";
import { fromTensors, type TextPair } from "../../data/index.ts";
import type { Value } from "../../graph/ir.ts";
import { type AnyModule, contrastive, cosineSimilarities } from "../../nn/index.ts";
import { add, cast, concat, constant, equal, mul, reshape, sub } from "../../ops/index.ts";
import { inBatchAccuracy, type Objective, predictor, retrievalAccuracy } from "../../train/index.ts";
import { textVectors, type VectorPooling } from "../heads/text-vectors.ts";
import { partBatches, partsOf } from "./task.ts";
import {
  lengthOf,
  paddingOf,
  type TextReader,
  type TextTask,
  type TextTaskOptions,
  textRows,
  tokenInputs,
} from "./text-rows.ts";

/** How texts are read and made vectors. */
export interface TextEmbeddingOptions extends TextTaskOptions {
  /** How the states of tokens become one vector; default their mean. */
  readonly pooling?: VectorPooling | undefined;
}

/** Cosines are divided by 0.05 before the softmax: the scale of Sentence-BERT's MultipleNegativesRankingLoss. */
const scale = 20;

type Rows = { readonly x: Value; readonly mask: Value };

/** What a batch of pairs holds; of triplets the negatives too, of data with repeated texts the groups. */
type PairValues = Rows & {
  readonly positive: Value;
  readonly positiveMask: Value;
  readonly negative?: Value;
  readonly negativeMask?: Value;
  readonly group?: Value;
  readonly negativeGroup?: Value;
};

/** Of each pair a number that all pairs share which a chain of equal anchors or positives connects; the same of each negative. */
function groupsOf(pairs: readonly TextPair[]) {
  const parent = pairs.map((_, i) => i);
  const rootOf = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at] as number;
    return at;
  };
  const first = new Map<string, number>();
  for (const [i, { anchor, positive }] of pairs.entries())
    for (const name of [`a ${anchor}`, `p ${positive}`]) {
      const known = first.get(name);
      if (known === undefined) first.set(name, i);
      else parent[rootOf(i)] = rootOf(known);
    }
  const own = pairs.map((_, i) => rootOf(i));
  const negatives = pairs.map(({ negative = "" }, i) => {
    const known = first.get(`p ${negative}`);
    return known === undefined ? -1 - i : rootOf(known);
  });
  const areAlone = new Set(own).size === own.length && negatives.every((group) => group < 0);
  return { own, negatives, areAlone };
}

/** Scores [N, M], those far down that compare a row with another column of its own group. */
function withoutOwnGroup(scores: Value, { group, negativeGroup }: PairValues): Value {
  const [rows = 1, columns = 1] = scores.shape;
  if (!group) return scores;
  const others = negativeGroup ? concat([group, negativeGroup], 0) : group;
  const same = cast(equal(reshape(group, [rows, 1]), reshape(others, [1, columns])), "float32");
  const own = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) own[row * columns + row] = 1;
  return add(scores, mul(sub(same, constant(new Tensor("float32", [rows, columns], own))), -1e4));
}

/**
 * A task of pairs of texts: the vectors of a pair are to be more alike than those of the anchor with the other positives of the batch, and
 * with all negatives where there are any. Texts of the same meaning by the data, equal anchors or positives, are not compared. Throws
 * DataError for too few, OptionError for a layer that there is not and for batches of one pair.
 */
export function textEmbedding(base: AnyModule, pairs: readonly TextPair[], options: TextEmbeddingOptions): TextTask {
  const { tokenizer, at, pooling, batchSize } = options;
  if (batchSize < 2)
    throw new OptionError(
      `a batch of ${batchSize} pair has no other text to compare with; pass a batch size from 2, better 16 or more`,
    );
  const groups = groupsOf(pairs);
  const parts = partsOf(pairs.length, options, (place) => groups.own[place]);
  const hasNegatives = pairs[0]?.negative !== undefined;
  const texts = pairs.flatMap(({ anchor, positive, negative }) => [
    anchor,
    positive,
    ...(negative === undefined ? [] : [negative]),
  ]);
  const { length, cut } = lengthOf(texts, tokenizer, options.length);
  const reader = { tokenizer, length, padding: paddingOf(tokenizer), gives: "vector" } as const;
  const { takesMask, inputs } = tokenInputs(base, length);
  base.trace(inputs as never);
  const model = textVectors(base, { ...(at !== undefined && { at }), ...(pooling && { pooling }) });
  const dataset = (places: readonly number[]) => {
    const rowsOf = (textOf: (pair: TextPair) => string) =>
      textRows(
        places.map((place) => textOf(pairs[place] as TextPair)),
        reader,
      );
    const [anchors, positives] = [rowsOf(({ anchor }) => anchor), rowsOf(({ positive }) => positive)];
    const negatives = hasNegatives ? rowsOf(({ negative = "" }) => negative) : undefined;
    const numbers = (list: readonly number[]) =>
      new Tensor(
        "int32",
        [places.length],
        Int32Array.from(places, (place) => list[place] as number),
      );
    return fromTensors<Record<string, Tensor>>({
      ...anchors,
      positive: positives.x,
      positiveMask: positives.mask,
      ...(negatives && { negative: negatives.x, negativeMask: negatives.mask }),
      ...(!groups.areAlone && { group: numbers(groups.own) }),
      ...(!groups.areAlone && negatives && { negativeGroup: numbers(groups.negatives) }),
    });
  };
  const objective: Objective<never> = (context, batch) => {
    const values = batch as unknown as PairValues;
    const { x, mask, positive, positiveMask, negative, negativeMask } = values;
    const columns = [model.apply({ x: positive, mask: positiveMask }, context)];
    if (negative && negativeMask) columns.push(model.apply({ x: negative, mask: negativeMask }, context));
    const right = columns.length > 1 ? concat(columns, 0) : (columns[0] as Value);
    const cosines = cosineSimilarities(model.apply({ x, mask }, context), right);
    const scores = withoutOwnGroup(mul(cosines, scale), values);
    return { loss: contrastive(scores), outputs: scores };
  };
  model.trace({ x: inputs.x, mask: inputs.x });
  const testPairs = parts.test.map((place) => pairs[place] as TextPair);
  return {
    model,
    inputs: { x: inputs.x, mask: inputs.x },
    fresh: [],
    reader,
    ...partBatches(dataset as never, parts, { ...options, dropLast: true }),
    objective,
    metrics: [inBatchAccuracy("positive")],
    async measure(compile) {
      const vectors = predictor(model, { compile });
      const of = (own: readonly string[]) => vectorsOf(vectors as never, own, reader, batchSize);
      const [anchors, positives] = [
        await of(testPairs.map(({ anchor }) => anchor)),
        await of(testPairs.map(({ positive }) => positive)),
      ];
      await vectors.release();
      const own = parts.test.map((place) => groups.own[place]);
      return { retrieval_accuracy: retrievalAccuracy(anchors, positives, (i, j) => own[i] === own[j]) };
    },
    rows: hasNegatives ? 3 : 2,
    samples: { train: parts.train.length, test: parts.test.length },
    notes: [
      `vectors: ${pooling ?? "mean"} of the states of tokens, of length 1`,
      `each anchor is compared with ${Math.min(batchSize, parts.train.length) * (hasNegatives ? 2 : 1)} texts`,
      ...(takesMask ? [] : ["the model takes no mask: what fills short texts up is left out of their mean alone"]),
      ...(cut > 0 ? [`cut to ${length} tokens: ${cut} texts`] : []),
    ],
    preview: parts.train.slice(0, 3).map((place) => {
      const { anchor, positive, negative } = pairs[place] as TextPair;
      const shown = (text: string) => tokenizer.decode(tokenizer.encodeWithSpecial(text).slice(0, length));
      return `${shown(anchor)} = ${shown(positive)}${negative === undefined ? "" : `, not ${shown(negative)}`}`;
    }),
  };
}

/** Vectors of texts, [N, W], so many rows at a time; of none [0, 0]. `run` is a predictor of token ids and their mask. */
export async function vectorsOf(
  run: (rows: { readonly x: Tensor; readonly mask: Tensor }) => Promise<Tensor>,
  texts: readonly string[],
  reader: TextReader,
  batchSize: number,
): Promise<Tensor<"float32">> {
  const found: Tensor[] = [];
  for (let start = 0; start < texts.length; start += batchSize)
    found.push(await run(textRows(texts.slice(start, start + batchSize), reader)));
  const width = found[0]?.shape[1] ?? 0;
  const data = new Float32Array(texts.length * width);
  for (const [i, { data: own }] of found.entries()) data.set(own as Float32Array, i * batchSize * width);
  return new Tensor("float32", [texts.length, width], data);
}
