/** What is inside transformers: attention by hand and of every family, rollout, the logit lens and contributions that sum to the score. */
import { describe, expect, test } from "vitest";
import { keyOf } from "../../core/random.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import type { Value } from "../../graph/ir.ts";
import {
  bertArchitectures,
  gpt2Architectures,
  llamaArchitectures,
  qwen2Architectures,
  T5ForConditionalGeneration,
} from "../../models/index.ts";
import { type AnyModule, type Context, type Dense, dense, embedding, lambda, Module } from "../../nn/index.ts";
import { expectClose } from "../../nn/testing/check-layer.ts";
import * as ops from "../../ops/index.ts";
import { activations, predict } from "../../train/predict.ts";
import { attentionMaps } from "./attention-maps.ts";
import { attentionRollout } from "./attention-rollout.ts";
import { logitContributions } from "./logit-contributions.ts";
import { logitLens } from "./logit-lens.ts";

const sizes = { vocabulary: 31, width: 16, layers: 3, heads: 4, feedForward: 24, positions: 12 };
const ids = tensor([[3, 7, 7, 1, 30]], { dtype: "int32" });
const mask = tensor([[1, 1, 1, 1, 0]], { dtype: "int32" });

/** Weights that are not small, and biases that are not 0, so that every part counts. */
function filled<M extends AnyModule>(model: M, types: object): M {
  model.initialize(keyOf(1), types as never);
  for (const [path, { value }] of model.parameters())
    for (const [i, own] of (value?.data ?? []).entries())
      (value?.data as Float32Array)[i] = 8 * Number(own) + (path.includes("bias") ? Math.sin(i) : 0);
  return model;
}
const type = { dtype: "int32", shape: [1, 5] };
const decoders = {
  gpt2: filled(gpt2Architectures.GPT2LMHeadModel({ sizes }), type),
  llama: filled(llamaArchitectures.LlamaForCausalLM({ sizes }), type),
  qwen2: filled(qwen2Architectures.Qwen2ForCausalLM({ sizes }, { tied: true }), type),
};

describe("attention", () => {
  test("of two tokens is that by hand", async () => {
    // Keys and queries are the vectors: products [[1, 0], [0, 1]], shares e / (e + 1) and 1 / (e + 1).
    const own = lambda((x: Value) => ops.matmul(ops.softmax(ops.matmul(x, x, { transB: true })), x));
    const [map, ...more] = await attentionMaps(
      own,
      tensor([
        [
          [1, 0],
          [0, 1],
        ],
      ]),
    );
    const share = Math.E / (Math.E + 1);
    expectClose(
      map?.weights,
      tensor([
        [
          [share, 1 - share],
          [1 - share, share],
        ],
      ]),
      "shares",
    );
    expect(more).toEqual([]);
  });

  test.each(Object.entries(decoders))(
    "of %s: every layer, causal, and each query's shares sum to 1",
    async (_, model) => {
      const maps = await attentionMaps(model, ids);
      expect(maps.map(({ weights }) => weights.shape)).toEqual([
        [4, 5, 5],
        [4, 5, 5],
        [4, 5, 5],
      ]);
      expect(maps[1]?.path).toMatch(/^(transformer\.h|model\.layers)\.1\.(attn|self_attn)$/);
      for (const { weights } of maps)
        for (let query = 0; query < 20; query++) {
          const row = weights.toNumbers().slice(5 * query, 5 * query + 5);
          expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
          expect(row.slice((query % 5) + 1).every((own) => own === 0)).toBe(true);
        }
    },
  );

  test("of an encoder leaves masked tokens out; a translator has that of both sides", async () => {
    const both = { x: type, mask: type };
    const bert = filled(bertArchitectures.BertForSequenceClassification({ sizes }), both);
    const [first] = await attentionMaps(bert, { x: ids, mask });
    expect(first?.path).toBe("bert.encoder.layer.0.attention.self");
    expect(first?.weights.toNumbers().filter((_, i) => i % 5 === 4)).toEqual(Array(20).fill(0));
    const { positions: _, ...endless } = sizes;
    const t5 = filled(new T5ForConditionalGeneration({ sizes: endless }), { x: type, decoder: type });
    const maps = await attentionMaps(t5, { x: ids, decoder: tensor([[0, 5]], { dtype: "int32" }) });
    expect(maps.map(({ weights }) => weights.shape.slice(1).join()).sort()).toEqual(
      ["2,2", "2,5", "5,5"].flatMap((own) => [own, own, own]),
    );
    expect(() => attentionRollout(maps)).toThrow(
      /attends as \[4, .*, the first layer among . tokens; pass the maps of one/,
    );
    expect(attentionRollout(maps.filter(({ path }) => path.startsWith("encoder"))).shape).toEqual([5, 5]);
    expect(() => attentionRollout([])).toThrow("there are no maps");
  });

  test("that is not there is an error with a way on; a softmax at the end is none", async () => {
    const none = lambda((x: Value) =>
      ops.softmax(
        ops.matmul(
          x,
          ops.constant(
            tensor([
              [1, 2],
              [3, 4],
            ]),
          ),
        ),
      ),
    );
    await expect(attentionMaps(none, tensor([[[1, 2]]]))).rejects.toThrow(
      "attentionMaps: no attention was found, a softmax over products of queries and keys; ask for tokenAttributions",
    );
  });
});

test("rollout adds what goes past each layer, and multiplies the layers", () => {
  // Heads' means [[1, 0], [1/2, 1/2]] twice: (A + I) / 2 = [[1, 0], [1/4, 3/4]], squared [[1, 0], [7/16, 9/16]].
  const heads = tensor([
    [
      [1, 0],
      [1, 0],
    ],
    [
      [1, 0],
      [0, 1],
    ],
  ]);
  const map = { path: "h.0", weights: heads as Tensor<"float32"> };
  expectClose(
    attentionRollout([map, map]),
    tensor([
      [1, 0],
      [7 / 16, 9 / 16],
    ]),
    "rollout",
  );
});

describe("the logit lens", () => {
  test.each(Object.entries(decoders))(
    "of %s ends with what the model says, and reads each block by its head",
    async (name, model) => {
      const layers = await logitLens(model, ids, { position: 2 });
      const scores = (await predict(model, ids as never)) as Tensor;
      const softmaxOf = (row: readonly number[]) => {
        const powers = row.map((own) => Math.exp(own - Math.max(...row)));
        return powers.map((own) => own / powers.reduce((a, b) => a + b));
      };
      const said = softmaxOf(scores.toNumbers().slice(2 * 31, 3 * 31));
      expectClose(layers.at(-1)?.probabilities, tensor(said), "the last block");
      expect(layers.map(({ path }) => path.split(".").at(-1))).toEqual(["embedding", "0", "1", "2"]);
      // Of the states behind the first block, the norm and the head by themselves.
      const own = name === "gpt2" ? ["transformer.h.0", "transformer.ln_f"] : ["model.layers.0", "model.norm"];
      const { [own[0] as string]: states } = await activations(model, ids as never, own.slice(0, 1));
      const head = new HeadAlone(model, own[1] as string);
      const read = (await predict(head, states as Tensor)) as Tensor;
      expectClose(
        layers[1]?.probabilities,
        tensor(softmaxOf(read.toNumbers().slice(2 * 31, 3 * 31))),
        "the first block",
      );
    },
  );

  test("of a model without blocks, and of a list or a place that there is not, is refused", async () => {
    const flat = lambda((x: Value) =>
      ops.gather(
        ops.constant(
          tensor([
            [1, 2],
            [2, 3],
          ]),
        ),
        x,
        0,
      ),
    );
    const tokens = tensor([[1, 0]], { dtype: "int32" });
    await expect(logitLens(flat, tokens)).rejects.toThrow("the model has no list of blocks from states");
    const { gpt2 } = decoders;
    await expect(logitLens(gpt2, ids, { blocks: "layers" })).rejects.toThrow(
      "blocks: there is no list of blocks layers; pass one of transformer.h",
    );
    await expect(logitLens(gpt2, ids, { position: 5 })).rejects.toThrow(
      "position: there is no place 5 in 5; pass 0 to 4",
    );
  });
});

/** The norm and the head of a model by themselves. */
class HeadAlone extends Module<Value> {
  readonly model: AnyModule;
  readonly norm: string;
  constructor(model: AnyModule, norm: string) {
    super();
    [this.model, this.norm] = [model, norm];
  }
  protected call(x: Value, context: Context): Value {
    const layers = [this.norm, "lm_head"].map((path) =>
      Array.from(this.model.modules()).flatMap(([module, own]) =>
        own === path ? [module as unknown as Module<Value>] : [],
      ),
    );
    return layers.flat().reduce((value, layer) => layer.apply(value, context), x);
  }
}

/** Adds a row to every state. */
class AddRow extends Module<Value> {
  readonly layer: Dense = dense(1);
  readonly row: readonly number[];
  constructor(row: readonly number[]) {
    super();
    this.row = row;
  }
  protected call(x: Value): Value {
    return ops.add(x, ops.constant(tensor([...this.row])));
  }
}

/** Vectors of tokens, two rows added, and scores of two tokens. */
class TwoBlocks extends Module<Value> {
  readonly vectors = embedding(2, 2);
  readonly h = [new AddRow([1, 0]), new AddRow([0, -1])];
  readonly square: boolean;
  constructor(square = false) {
    super();
    this.square = square;
  }
  protected call(x: Value, context: Context): Value {
    const states = this.h.reduce((value, block) => block.apply(value, context), this.vectors.apply(x, context));
    const scores = ops.matmul(
      states,
      ops.constant(
        tensor([
          [1, 2],
          [10, -1],
        ]),
      ),
    );
    return this.square ? ops.square(scores) : ops.add(scores, ops.constant(tensor([0.5, 0])));
  }
}

describe("contributions to a logit", () => {
  const twoBlocks = (square?: boolean) => {
    const model = new TwoBlocks(square);
    model.trace({ dtype: "int32", shape: [1, 1] });
    for (const own of model.vectors.own.values())
      own.value = tensor([
        [3, 1],
        [2, 2],
      ]);
    return model;
  };

  test("of a model without a norm are those by hand", async () => {
    // Token 1 enters as (2, 2). Scores of token 0: 2 + 20, then 1, then -10, and a bias of 1/2.
    const found = await logitContributions(twoBlocks(), tensor([[1]], { dtype: "int32" }), { token: 0 });
    expect(found).toMatchObject({ token: 0, score: 13.5, notes: [] });
    expect(found.contributions).toEqual([
      { path: "embedding", value: 22 },
      { path: "h.0", value: 1 },
      { path: "h.1", value: -10 },
      { path: "bias", value: 0.5 },
    ]);
  });

  test.each(Object.entries(decoders))(
    "of %s sum to the score, of the likeliest token where none is named",
    async (_, model) => {
      const scores = (await predict(model, ids as never)) as Tensor;
      const last = scores.toNumbers().slice(4 * 31);
      const found = await logitContributions(model, ids);
      expect(found.token).toBe(last.indexOf(Math.max(...last)));
      expect(found.score).toBeCloseTo(Math.max(...last), 4);
      expect(Math.abs(found.completeness.error)).toBeLessThan(1e-4 * Math.abs(found.score));
      const named = await logitContributions(model, ids, { token: 4, position: 1 });
      expect(named.score).toBeCloseTo(scores.toNumbers()[31 + 4] ?? Number.NaN, 4);
    },
  );

  test("of a head that is not linear do not add up, and a note says so; a token that there is not is refused", async () => {
    const squared = await logitContributions(twoBlocks(true), tensor([[1]], { dtype: "int32" }), { token: 0 });
    expect(squared.notes[0]).toMatch(/where the score changes by 169\.0; the head is not linear/);
    await expect(logitContributions(decoders.gpt2, ids, { token: 31 })).rejects.toThrow(
      "token: there is no token 31 among 31; pass 0 to 30",
    );
  });
});
