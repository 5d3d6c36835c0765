/** Asking a model: by name or by one tensor, with the parameters as they are, compiled once a type of inputs. */
import { expect, test } from "vitest";
import { keyOf } from "../core/random.ts";
import { Tensor, tensor } from "../core/tensor.ts";
import type { Value } from "../graph/ir.ts";
import { type Context, dense, lambda, Module, sequential } from "../nn/index.ts";
import { add, mul } from "../ops/index.ts";
import { activations, predict, predictor } from "./predict.ts";

/** One output w x, and a gate of it where there is one. */
class Gated extends Module<
  { readonly x: Value; readonly gate?: Value },
  { readonly plain: Value; readonly gated: Value }
> {
  override readonly inputs = { x: "required", gate: "optional" } as const;
  readonly inner = dense(1, { bias: false, initializer: "ones" });
  protected call({ x, gate }: { readonly x: Value; readonly gate?: Value }, context: Context) {
    const plain = this.inner.apply(x, context);
    return { plain, gated: gate ? mul(plain, gate) : plain };
  }
}

function gated(): Gated {
  const model = new Gated();
  model.trace({ dtype: "float32", shape: [1, 2] });
  model.initialize(keyOf(0));
  return model;
}

test("a predictor reads the parameters anew, a snapshot does not", async () => {
  const model = dense(1, { bias: false });
  const x = tensor([[2, 3]]);
  const ask = predictor(model);
  await expect(ask(x)).rejects.toThrow('parameter "weight" has no value');
  const weight = model.parameters().get("weight");
  if (!weight) throw new Error("no weight");
  weight.value = tensor([[1, 1]]);
  const fixed = predictor(model, { snapshot: true });
  expect([(await ask(x)).item(), (await fixed(x)).item()]).toEqual([5, 5]);
  weight.value = tensor([[1, 10]]);
  expect([(await ask(x)).item(), (await fixed(x)).item()]).toEqual([32, 5]);
  (weight.value.data as Float32Array)[0] = 0;
  expect((await ask(x)).item()).toBe(30);
  await ask.release();
  expect((await ask(x)).item()).toBe(30);
});

test("a layer that is replaced, or a field, counts from the next call on, but in a snapshot", async () => {
  class Scaled extends Module {
    factor = 1;
    head: Module = dense(1, { bias: false, initializer: "ones" });
    protected call(x: Value, context: Context) {
      return mul(this.head.apply(x, context), this.factor);
    }
  }
  const model = new Scaled();
  const x = tensor([[2, 3]]);
  model.initialize(keyOf(0), x);
  const ask = predictor(model);
  const fixed = predictor(model, { snapshot: true });
  expect([(await ask(x)).item(), (await fixed(x)).item()]).toEqual([5, 5]);
  model.factor = 10;
  expect([(await ask(x)).item(), (await predict(model, x)).item()]).toEqual([50, 50]);
  model.head = dense(2, { bias: false, initializer: "ones" });
  model.initialize(keyOf(0), x);
  expect([(await ask(x)).toArray(), (await predict(model, x)).toArray()]).toEqual([[[50, 50]], [[50, 50]]]);
  expect((await fixed(x)).item()).toBe(5);
});

test("inputs and outputs by name; others are refused with what there is", async () => {
  const model = gated();
  const x = tensor([[1, 2]]);
  const { plain, gated: out } = await predict(model, { x, gate: tensor([[10]]) });
  expect([plain.item(), out.item()]).toEqual([3, 30]);
  expect((await predict(model, x)).gated.item()).toBe(3);
  const wrong = predict as (model: Gated, inputs: unknown, options?: unknown) => Promise<unknown>;
  await expect(wrong(model, { x, gat: x })).rejects.toThrow('unknown input "gat"; did you mean "gate"?');
  await expect(wrong(model, { gate: x })).rejects.toThrow('lacks its input "x"');
  await expect(wrong(model, { x: [1, 2] })).rejects.toThrow('the input "x.0" is a number; pass a tensor');
  expect(() => wrong(model, x, { extra: { gate: x } })).toThrow('unknown option of predict: "extra"');
  expect(() => predictor(model, { sessions: 0 })).toThrow("sessions is 0; pass a whole number from 1");
});

test("predict compiles once for a type of inputs", async () => {
  const model = sequential([dense(64, { activation: "relu" }), dense(3)]);
  const x = new Tensor("float32", [8, 32], new Float32Array(256).fill(0.5));
  model.trace(x);
  model.initialize(keyOf(0));
  let traced = 0;
  const { apply } = model;
  model.apply = (...given) => {
    traced++;
    return apply.call(model, ...given);
  };
  for (let i = 0; i < 5; i++) await predict(model, x);
  expect(traced).toBe(1);
  await predict(model, new Tensor("float32", [1, 32], new Float32Array(32)));
  expect(traced).toBe(2);
});

test("so many graphs are kept, and those under way end before theirs goes", async () => {
  const model = dense(1, { bias: false, initializer: "ones" });
  model.trace({ dtype: "float32", shape: [1, 2] });
  model.initialize(keyOf(0));
  const ask = predictor(model, { sessions: 1 });
  const sizes = [1, 2, 3, 1, 2];
  const answers = await Promise.all(
    sizes.map((n) => ask(new Tensor("float32", [n, 2], new Float32Array(2 * n).fill(n)))),
  );
  expect(answers.map((answer) => answer.toNumbers())).toEqual(sizes.map((n) => new Array(n).fill(2 * n)));
});

test("activations are those of the layers named, also of one that runs twice and one of several outputs", async () => {
  class Twice extends Module {
    readonly shared = dense(1, { bias: false, initializer: "ones" });
    readonly two = new Gated();
    protected call(x: Value, context: Context): Value {
      const first = this.shared.apply(x, context);
      const second = this.shared.apply(add(x, 1), context);
      const { plain } = this.two.apply(x, context);
      return add(add(first, second), plain);
    }
  }
  const model = new Twice();
  model.trace({ dtype: "float32", shape: [1, 2] });
  model.initialize(keyOf(0));
  const found = await activations(model, tensor([[1, 2]]), ["shared", "two", ""]);
  expect(Object.entries(found).map(([path, value]) => [path, value.item()])).toEqual([
    ["shared", 3],
    ["shared#2", 5],
    ["two.0", 3],
    ["two.1", 3],
    ["", 11],
  ]);
  await expect(activations(model, tensor([[1, 2]]), ["shard"])).rejects.toThrow(
    'unknown layer "shard"; did you mean "shared"?',
  );
});

test("activations are compiled once for each type of inputs, and follow the parameters", async () => {
  let traced = 0;
  const model = sequential([
    dense(1, { bias: false, initializer: "ones" }),
    lambda((x: Value) => {
      traced++;
      return add(x, 1);
    }),
  ]);
  const x = tensor([[1, 2]]);
  model.initialize(keyOf(0), x);
  traced = 0;
  const observed = async (given: Tensor) => (await activations(model, given, ["layers.0"]))["layers.0"]?.toNumbers();
  expect([await observed(x), await observed(x)]).toEqual([[3], [3]]);
  for (const parameter of model.parameters().values()) parameter.value = tensor([[10, 1]]);
  expect(await observed(x)).toEqual([12]);
  expect(traced).toBe(1);
  expect(await observed(tensor([1, 2, 3, 4], { shape: [2, 2] }))).toEqual([12, 34]);
  expect(traced).toBe(2);
});
