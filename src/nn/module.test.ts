/** Modules: paths, sharing, freezing by pattern, initial values by key. */
import { describe, expect, test } from "vitest";
import { OptionError, ShapeError } from "../core/errors.ts";
import { matchesPath } from "../core/path-pattern.ts";
import { keyOf } from "../core/random.ts";
import { sameTensor, type Tensor } from "../core/tensor.ts";
import { nodesOf, type Value } from "../graph/ir.ts";
import { add, mul } from "../ops/index.ts";
import type { Context } from "./context.ts";
import type { TypeTree } from "./inputs.ts";
import { dense } from "./layers/dense.ts";
import { batchNorm } from "./layers/normalization.ts";
import { sequential } from "./layers/sequential.ts";
import { Module } from "./module.ts";
import { l2, regularized } from "./regularizers.ts";

const input = { dtype: "float32", shape: [2, 4] } as const;

/** Children as a property, in an array and in an object; the first is used twice. */
class Block extends Module {
  readonly shared = regularized(dense(4), l2(1));
  readonly list = [dense(4), [dense(4)]] as const;
  readonly byName = { head: dense(2) };
  protected call(x: Value, context: Context): Value {
    const [first, [second]] = this.list;
    const twice = this.shared.apply(this.shared.apply(x, context), context);
    return this.byName.head.apply(second.apply(add(twice, first.apply(x, context)), context), context);
  }
}

type JoinedInputs = { readonly x: Value; readonly other: Value; readonly mask?: Value };

/** Adds another input, and a mask when there is one. */
class Joined extends Module<JoinedInputs> {
  override readonly inputs = { x: "required", other: "required", mask: "optional" } as const;
  protected call({ x, other, mask }: JoinedInputs, _: Context): Value {
    return add(x, mask ? mul(other, mask) : other);
  }
}

describe("inputs by name", () => {
  test("become graph inputs of a trace", () => {
    const { inputs, output } = new Joined().trace({ x: input, other: input });
    expect(nodesOf([output]).map(({ op, inputs: operands }) => [op.type, operands])).toEqual([["Add", inputs]]);
    expect(inputs.map(({ name }) => name)).toEqual(["x", "other"]);
    const masked = new Joined().trace({ x: input, other: input, mask: input });
    expect(nodesOf([masked.output]).map(({ op, scope }) => [op.type, scope?.path])).toEqual([
      ["Mul", "model"],
      ["Add", "model"],
    ]);
  });

  test("an unknown one is refused with the nearest name, a missing one with all that there are", () => {
    const trace = (types: TypeTree) => () => new Joined().trace(types);
    expect(trace({ x: input, other: input, masks: input })).toThrow(OptionError);
    expect(trace({ x: input, other: input, masks: input })).toThrow('unknown input "masks"; did you mean "mask"?');
    // A tensor alone is x.
    expect(trace(input)).toThrow(
      /^lacks its input "other", got a tensor .*; pass \{ x, other, mask \}, of which mask may be left out$/,
    );
    expect(trace({ other: input })).toThrow('lacks its input "x", got { other }');
    expect(trace([input, input])).toThrow("takes its inputs by name, x, other, mask, got a list of 2");
  });

  test("a module of one tensor takes no others", () => {
    expect(dense(3).trace({ x: input }).output.shape).toEqual([2, 3]);
    expect(() => dense(3).trace({ x: input, mask: input })).toThrow(ShapeError);
    expect(() => dense(3).trace({ x: input, mask: input })).toThrow(
      'dense "": takes one tensor, got { x, mask }; pass one, or say what it takes by name: readonly inputs = {',
    );
  });
});

type Pair = { readonly image: Value; readonly others: readonly Value[] };

/** Any tree of tensors: sums of each and the last alone. */
class Forked extends Module<Pair, { readonly sums: readonly Value[]; readonly last: Value | undefined }> {
  override readonly inputs = "tree";
  protected call({ image, others }: Pair) {
    return { sums: others.map((other) => add(image, other)), last: others.at(-1) };
  }
}

test("a tree of inputs and outputs keeps its nesting; leaves are named by their place", () => {
  const { inputs, output, context } = new Forked().trace({ image: input, others: [input, input] });
  expect(inputs.map(({ name }) => name)).toEqual(["image", "others.0", "others.1"]);
  expect(output.sums.map(({ producer }) => producer?.inputs)).toEqual([
    [inputs[0], inputs[1]],
    [inputs[0], inputs[2]],
  ]);
  expect(output.last).toBe(inputs[2]);
  expect(context.records[0]?.outputs).toEqual([...output.sums, output.last]);
});

test("a parameter's path is the way to it", () => {
  const model = new Block();
  expect(model.parameters().size).toBe(0);
  model.trace(input);
  expect([...model.parameters().keys()]).toEqual([
    "shared.weight",
    "shared.bias",
    "list.0.weight",
    "list.0.bias",
    "list.1.0.weight",
    "list.1.0.bias",
    "byName.head.weight",
    "byName.head.bias",
  ]);
});

test("a module used twice has one set of parameters, bound once and penalized once", () => {
  const bound: string[] = [];
  const model = new Block();
  const { context } = model.trace(input);
  expect(context.penalties).toHaveLength(1);
  expect(context.values.size).toBe(8);
  expect(context.records.filter(({ path }) => path === "shared")).toHaveLength(2);
  model.trace(input, {
    bind: (parameter, path) => {
      bound.push(path);
      const value = context.values.get(parameter);
      if (!value) throw new Error(`${path} was not traced`);
      return value;
    },
  });
  expect(new Set(bound).size).toBe(bound.length);
});

test("a module in two places stands under its first path", () => {
  const layer = dense(4);
  const model = sequential([layer, dense(4), layer]);
  model.trace(input);
  expect([...model.parameters().keys()].filter((path) => path.endsWith("weight"))).toEqual([
    "layers.0.weight",
    "layers.1.weight",
  ]);
});

describe("freezing by pattern", () => {
  const trainable = (model: Module) =>
    [...model.parameters()].filter(([, parameter]) => parameter.trainable).map(([path]) => path);
  const build = () => {
    const model = sequential([dense(3), batchNorm(), dense(2)]);
    model.trace(input);
    return model;
  };
  test("a path takes everything below it, and nothing that only begins alike", () => {
    expect(matchesPath("layers.1.weight", "layers.1")).toBe(true);
    expect(matchesPath("layers.10.weight", "layers.1")).toBe(false);
    expect(matchesPath("layers.1x", "layers.1")).toBe(false);
    const model = build();
    expect(model.freeze("layers.0")).toBe(2);
    expect(trainable(model)).toEqual(["layers.1.weight", "layers.1.bias", "layers.2.weight", "layers.2.bias"]);
  });
  test("a star takes any run of characters", () => {
    const model = build();
    expect(model.freeze("*.bias")).toBe(3);
    expect(trainable(model)).toEqual(["layers.0.weight", "layers.1.weight", "layers.2.weight"]);
    expect(model.unfreeze()).toBe(6);
    expect(trainable(model)).toHaveLength(6);
  });
  test("a regular expression, a global one too", () => {
    const model = build();
    expect(model.freeze(/^layers\.[02]\./g)).toBe(4);
    expect(trainable(model)).toEqual(["layers.1.weight", "layers.1.bias"]);
  });
  test("a pattern that matches nothing is an error with the nearest path", () => {
    expect(() => build().freeze("layer.0.weight")).toThrow('did you mean "layers.0.weight"?');
    expect(() => build().freeze(/^head/)).toThrow(OptionError);
  });
  test("before the first trace it waits for the parameters, and the last word holds", () => {
    const model = sequential([dense(3), batchNorm(), dense(2)]);
    expect(model.freeze()).toBe(0);
    expect(model.unfreeze("layers.2")).toBe(0);
    model.trace(input);
    expect(trainable(model)).toEqual(["layers.2.weight", "layers.2.bias"]);
    // A layer that was frozen alone stays so in a model.
    const layer = dense(3);
    layer.freeze("weight");
    const around = sequential([layer]);
    around.trace(input);
    expect(trainable(around)).toEqual(["layers.0.bias"]);
  });
  test("a new head on a model that was traced waits, too", () => {
    const backbone = sequential([dense(3), batchNorm()]);
    backbone.trace(input);
    const model = sequential([backbone, dense(2)]);
    expect(model.freeze()).toBe(4);
    expect(model.unfreeze("layers.1")).toBe(0);
    model.trace(input);
    expect(trainable(model)).toEqual(["layers.1.weight", "layers.1.bias"]);
    expect(() => model.freeze("layers.2")).toThrow('unknown parameter "layers.2"');
    // Of what was traced alone everything is known.
    expect(() => sequential([backbone]).freeze("layers.1")).toThrow(OptionError);
  });
  test("a pattern that matches nothing of the first trace is an error of the trace, once", () => {
    const model = sequential([dense(3)]);
    expect(model.freeze("layer.0.weight")).toBe(0);
    expect(() => model.trace(input)).toThrow('did you mean "layers.0.weight"?');
    expect(model.trace(input).output.shape).toEqual([2, 3]);
    const outer = sequential([dense(3)]);
    outer.layers[0]?.freeze("wight");
    expect(() => outer.trace(input)).toThrow('did you mean "weight"?');
  });
});

describe("initial values", () => {
  const values = (seed: number, model: Module = new Block()): Tensor[] => {
    model.trace(input);
    model.initialize(keyOf(seed));
    return [...model.parameters().values()].map(({ value }) => value as Tensor);
  };
  const same = (a: readonly Tensor[], b: readonly Tensor[]) => a.map((value, i) => sameTensor(value, b[i] as Tensor));

  test("depend on the key and the path only", () => {
    expect(same(values(1), values(1))).not.toContain(false);
    const weights = [0, 2, 4, 6].map((i) => same(values(1), values(2))[i]);
    expect(weights).not.toContain(true);
    const [first, , second] = values(1);
    expect(sameTensor(first as Tensor, second as Tensor)).toBe(false);
  });
  test("stay when there are some already", () => {
    const model = new Block();
    const before = values(1, model);
    expect(same(before, values(2, model))).not.toContain(false);
  });
});

test("a trace allocates no weights", () => {
  const model = sequential([dense(1_000_000)]);
  model.trace({ dtype: "float32", shape: [1, 1_000_000] });
  expect([...model.parameters().values()].map(({ value }) => value)).toEqual([undefined, undefined]);
});
