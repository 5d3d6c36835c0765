/** The context of a call: scopes of nodes, buffers, and the messages of what goes wrong. */
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../core/errors.ts";
import { constantOf, input as graphInput, nodesOf, type Value } from "../graph/ir.ts";
import { exp, mul, reshape } from "../ops/index.ts";
import { Context } from "./context.ts";
import { dense } from "./layers/dense.ts";
import { batchNorm } from "./layers/normalization.ts";
import { sequential } from "./layers/sequential.ts";
import { Module } from "./module.ts";

const input = { dtype: "float32", shape: [2, 4] } as const;

/** A layer whose body is a function. */
class Custom extends Module {
  override readonly kind = "dense";
  override readonly label = "mine";
  readonly inner = dense(4);
  readonly body: (x: Value, context: Context) => Value;
  constructor(body: (layer: Custom, x: Value, context: Context) => Value) {
    super();
    this.body = (x, context) => body(this, x, context);
  }
  protected call(x: Value, context: Context): Value {
    return this.body(x, context);
  }
}

test("every node carries the path of the layer that made it, also before and after a child", () => {
  const block = new Custom((layer, x, context) => exp(layer.inner.apply(mul(x, 2), context)));
  const { output } = sequential([block, dense(3)]).trace(input);
  const scopes = nodesOf([output])
    .filter(({ op }) => op.type !== "Constant")
    .map(({ op, scope }) => [op.type, scope?.path]);
  expect(scopes).toEqual([
    ["Mul", "layers.0"],
    ["Gemm", "layers.0.inner"],
    ["Exp", "layers.0"],
    ["Gemm", "layers.1"],
  ]);
});

test("two runs of one layer are two scopes of the same path", () => {
  const shared = dense(4);
  const { context } = sequential([shared, shared]).trace(input);
  const runs = context.records.filter(({ module }) => module === shared);
  expect(runs.map(({ scope, outputs: [output] }) => [scope.path, output?.producer?.scope === scope])).toEqual([
    ["layers.0", true],
    ["layers.0", true],
  ]);
  expect(runs[0]?.scope).not.toBe(runs[1]?.scope);
});

test("an error keeps its class and gains the layer's name, once", () => {
  const layer = new Custom((_, x) => reshape(x, [3, 3]));
  const trace = () => sequential([dense(4), sequential([layer])]).trace(input);
  expect(trace).toThrow(ShapeError);
  expect(trace).toThrow(/^custom "mine": reshape: \[2, 4\] has 8 elements/);
});

test("a layer without a name is called by its path", () => {
  expect(() => sequential([dense(4, { inFeatures: 5 })]).trace(input)).toThrow(
    /^dense "layers.0": input has 4 features/,
  );
});

test("a module that is no property of the model has no path", () => {
  expect(() => sequential([new Custom((_, x, context) => dense(2).apply(x, context))]).trace(input)).toThrow(
    "a Dense was called that is not a property of the model; assign it to one, so that its parameters have a path",
  );
});

test("a parameter keeps its shape from call to call", () => {
  const model = sequential([batchNorm()]);
  model.trace(input);
  expect(() => model.trace({ dtype: "float32", shape: [2, 5] })).toThrow(
    'batchNorm "layers.0": its weight is [4], this input needs [5]; feed inputs of the shape that the layer was built for',
  );
});

test("only buffers can be updated", () => {
  const layer = new Custom((self, x, context) => {
    const y = self.inner.apply(x, context);
    context.update(self.inner, "weight", y);
    return y;
  });
  expect(() => layer.trace(input)).toThrow('dense "inner" has no buffer "weight"');
});

test("buffers are updated while training only", () => {
  const model = sequential([batchNorm()]);
  expect(model.trace(input).context.updates.size).toBe(0);
  const { context } = model.trace(input, { training: true });
  expect([...context.updates.keys()].map(({ name }) => name)).toEqual(["running_mean", "running_var"]);
});

test("each random site of a call has a key of its own; without a key there is an error", () => {
  const model = sequential([]);
  const context = new Context(model, { key: graphInput("uint32", [2], "key") });
  const words = [context.randomKey(), context.randomKey()].map((key) => constantOf(key.producer?.inputs[1])?.data);
  expect(words[0]).not.toEqual(words[1]);
  expect(() => new Context(model).randomKey()).toThrow(OptionError);
});
