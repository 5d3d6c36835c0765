/** mergekit's configs: what is read of them, what is refused by name, and that the methods merge as mergekit's documents say. */
import { describe, expect, test } from "vitest";
import { FileError, SardonyxError } from "../../core/errors.ts";
import { tensor } from "../../core/tensor.ts";
import { mergeTensors } from "./index.ts";
import { readMergekit } from "./mergekit.ts";

/** The merged vector of a plan, of vectors that stand for its models. */
function merged(text: string, vectors: Readonly<Record<string, readonly number[]>>): readonly number[] {
  const { models, base, method } = readMergekit(text);
  const of = (name: string) => ({ w: tensor([...(vectors[name] ?? [])]) });
  return mergeTensors(models.map(of), method, base === undefined ? {} : { base: of(base) })["w"]?.toNumbers() ?? [];
}
const vectors = { base: [1, 1], a: [3, 0], b: [2, 5] };
const listed = (parameters: string) => `
models:
  - model: base
  - model: a
    parameters: { ${parameters} }
  - model: b
    parameters: { ${parameters} }
base_model: base
`;

// By hand: the differences from the base are [2, −1] and [1, 4].
describe("methods", () => {
  test.each([
    [
      "linear",
      "merge_method: linear\nmodels:\n - {model: a, parameters: {weight: 3}}\n - {model: b, parameters: {weight: 1}}",
      [2.75, 1.25],
    ],
    [
      "linear that is not normalized",
      "merge_method: linear\nparameters: {normalize: false, weight: 2}\nmodels: [{model: a}, {model: b}]",
      [10, 10],
    ],
    ["slerp", "merge_method: slerp\nbase_model: a\nparameters: {t: 0}\nmodels: [{model: a}, {model: b}]", [3, 0]],
    [
      "slerp, whose base alone is first",
      "merge_method: slerp\nbase_model: b\nparameters: {t: 0}\nmodels: [{model: a}]",
      [2, 5],
    ],
    ["task_arithmetic", `merge_method: task_arithmetic${listed("weight: 0.5")}`, [2.5, 2.5]],
    ["its lambda", `merge_method: task_arithmetic${listed("weight: 1")}parameters: {lambda: 0.5}`, [2.5, 2.5]],
    ["its normalize", `merge_method: task_arithmetic${listed("weight: 2")}parameters: {normalize: true}`, [2.5, 2.5]],
    ["ties", `merge_method: ties${listed("weight: 1, density: 1")}`, [2.5, 5]],
    ["ties, half of each", `merge_method: ties${listed("weight: 1, density: 0.5")}`, [3, 5]],
    ["dare_linear that keeps all", `merge_method: dare_linear${listed("weight: 1, density: 1")}`, [4, 4]],
    ["dare_ties that keeps all", `merge_method: dare_ties${listed("weight: 1")}parameters: {int8_mask: true}`, [4, 5]],
  ])("%s", (_, text, expected) => expect(merged(text, vectors)).toEqual(expected));

  test("models and types as they stand there", () => {
    const text = `merge_method: ties${listed("weight: 1, density: 0.5")}dtype: bfloat16\nparameters:\n  int8_mask: true\n`;
    expect(readMergekit(text)).toMatchObject({
      models: ["a", "b"],
      base: "base",
      dtype: "bfloat16",
      notes: [expect.stringContaining("int8_mask")],
    });
  });

  test("the seed decides what is dropped", () => {
    const text = `merge_method: dare_linear${listed("weight: 1, density: 0.5")}`;
    const of = (seed: number) => readMergekit(text, seed).method.settings["key"];
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });
});

describe("what is refused", () => {
  test.each([
    ["no YAML", "merge_method: [", "no valid YAML"],
    ["two fields of one name", "merge_method: ties\nmerge_method: slerp", "no valid YAML: Map keys must be unique"],
    ["a list", "- 1", "it is no config of mergekit's"],
    ["nothing", "", "it is no config of mergekit's"],
    ["slices", "merge_method: slerp\nslices: []", "slices puts layers of several models on one another"],
    ["a field", "merge_method: linear\ntokenizer_source: union", 'unknown field of the config: "tokenizer_source"'],
    ["a method", "merge_method: model_stock\nmodels: []", 'unknown merge_method "model_stock"'],
    ["no method", "models: []", "merge_method is missing"],
    ["no models", "merge_method: linear", "models is missing"],
    ["no base", "merge_method: ties\nmodels: [{model: a}]", "ties needs base_model"],
    [
      "a base that is not read",
      "merge_method: linear\nbase_model: a\nparameters: {weight: 1}\nmodels: [{model: a}]",
      "linear reads no base_model",
    ],
    ["the base alone", "merge_method: ties\nbase_model: a\nmodels: [{model: a}]", "no model but the base"],
    ["a model without a name", "merge_method: linear\nmodels: [{}]", "models[0]: model is missing"],
    ["a model that is text", "merge_method: linear\nmodels: [a]", 'models[0] is "a"'],
    ["no weight", "merge_method: linear\nmodels: [{model: a}]", "the model a: weight is missing"],
    [
      "weights by layer",
      "merge_method: linear\nmodels: [{model: a, parameters: {weight: [0, 1]}}]",
      "weight differs from layer to layer",
    ],
    [
      "weights by filter",
      "merge_method: slerp\nbase_model: a\nparameters: {t: [{filter: mlp, value: 1}]}\nmodels: [{model: b}]",
      "t differs from layer to layer",
    ],
    [
      "a parameter",
      "merge_method: slerp\nbase_model: a\nparameters: {tt: 1}\nmodels: [{model: b}]",
      'unknown field of parameters: "tt"; did you mean "t"?',
    ],
    [
      "a parameter of another method",
      `merge_method: task_arithmetic${listed("weight: 1, density: 1")}`,
      'models[1].parameters: "density"',
    ],
    ["a density", `merge_method: ties${listed("weight: 1, density: 2")}`, "ties: "],
    ["a type", `merge_method: ties${listed("weight: 1")}dtype: int8`, 'dtype is "int8"'],
    [
      "a flag",
      `merge_method: ties${listed("weight: 1")}parameters: {normalize: 1}`,
      "normalize is 1; pass true or false",
    ],
    [
      "aliases without end",
      `merge_method: linear\na: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]`,
      "Excessive alias",
    ],
  ])("%s", (_, text, message) => {
    const act = () => readMergekit(text);
    expect(act).toThrow(message);
    expect(act).toThrow(SardonyxError);
  });
});

test("a config that nests, repeats or grows without end is refused", () => {
  for (const text of ["[".repeat(100_000), "- ".repeat(30_000), "x".repeat(3_000_000)])
    expect(() => readMergekit(text)).toThrow(FileError);
});
