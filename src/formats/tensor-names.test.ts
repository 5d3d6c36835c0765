/** Parameters find their tensors under the names that checkpoints have. */
import { expect, test } from "vitest";
import { matchNames } from "./tensor-names.ts";

const matched = (paths: readonly string[], names: readonly string[]) => {
  const { names: found, missing, beyond } = matchNames(paths, names);
  return { found: Object.fromEntries(found), missing, beyond };
};

test("by their own names", () =>
  expect(matched(["a.weight", "b.weight"], ["b.weight", "a.weight", "c"])).toEqual({
    found: { "a.weight": "a.weight", "b.weight": "b.weight" },
    missing: [],
    beyond: ["c"],
  }));

test("saved with a head, loaded without", () =>
  expect(
    matched(["embeddings.weight", "layer.0.bias"], ["bert.embeddings.weight", "bert.layer.0.bias", "cls.bias"]),
  ).toEqual({
    found: { "embeddings.weight": "bert.embeddings.weight", "layer.0.bias": "bert.layer.0.bias" },
    missing: [],
    beyond: ["cls.bias"],
  }));

test("saved without a head, loaded with one: the head is missing", () =>
  expect(
    matched(["transformer.wte.weight", "transformer.h.0.bias", "score.weight"], ["wte.weight", "h.0.bias"]),
  ).toEqual({
    found: { "transformer.wte.weight": "wte.weight", "transformer.h.0.bias": "h.0.bias" },
    missing: ["score.weight"],
    beyond: [],
  }));

test("TensorFlow's names of a normalization, also without the prefix", () =>
  expect(
    matched(
      ["bert.LayerNorm.weight", "bert.LayerNorm.bias", "bert.dense.weight"],
      ["LayerNorm.gamma", "LayerNorm.beta", "dense.weight"],
    ).missing,
  ).toEqual([]));

test("a tensor of a parameter's own name is no other's", () =>
  expect(matched(["x.a.weight", "a.weight"], ["a.weight"])).toEqual({
    found: { "a.weight": "a.weight" },
    missing: ["x.a.weight"],
    beyond: [],
  }));
