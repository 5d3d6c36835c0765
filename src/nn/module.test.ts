/** Modules: paths, sharing, freezing by pattern, initial values by key. */
import { describe, expect, test } from "vitest";
import { OptionError } from "../core/errors.ts";
import { keyOf } from "../core/random.ts";
import { sameTensor, type Tensor } from "../core/tensor.ts";
import { nodesOf, type Value } from "../graph/ir.ts";
import { add, mul } from "../ops/index.ts";
import type { Context } from "./context.ts";
import { dense } from "./layers/dense.ts";
import { batchNorm } from "./layers/normalization.ts";
import { sequential } from "./layers/sequential.ts";
import { Module, matchesPath } from "./module.ts";
import { l2 } from "./regularizers.ts";

const input = { dtype: "float32", shape: [2, 4] } as const;

/** Children as a property, in an array and in an object; the first is used twice. */
class Block extends Module {
  readonly kind = "container";
  readonly shared = dense(4, { regularizer: l2(1) });
  readonly list = [dense(4), [dense(4)]] as const;
  readonly byName = { head: dense(2) };
  protected call(x: Value, context: Context): Value {
    const [first, [second]] = this.list;
    const twice = this.shared.apply(this.shared.apply(x, context), context);
    return this.byName.head.apply(second.apply(add(twice, first.apply(x, context)), context), context);
  }
}

/** Adds another input, and a mask when there is one. */
class Joined extends Module<{ other: Value; mask?: Value }> {
  readonly kind = "container";
  protected call(x: Value, _: Context, { other, mask }: { other: Value; mask?: Value }): Value {
    return add(x, mask ? mul(other, mask) : other);
  }
}

test("extra inputs come by name, and become graph inputs of a trace", () => {
  const { x, extra, y } = new Joined().trace(input, { extra: { other: input } });
  expect(nodesOf([y]).map(({ op, inputs }) => [op.type, inputs])).toEqual([["Add", [x, extra["other"]]]]);
  expect(extra["other"]?.name).toBe("other");
  const masked = new Joined().trace(input, { extra: { other: input, mask: input } });
  expect(nodesOf([masked.y]).map(({ op, scope }) => [op.type, scope?.path])).toEqual([
    ["Mul", "model"],
    ["Add", "model"],
  ]);
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
    expect(() => dense(3).freeze("weight")).toThrow("the model has none yet; trace it first");
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
