/** The store follows what is put into parameters, and keeps what is remembered of those that leave. */
import { expect, test } from "vitest";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { ParameterStore, type Stored } from "./parameter-store.ts";
import { parametersName } from "./shard.ts";

const stored = (...values: number[]): Stored => ({ shape: [values.length], value: tensor(values) });

test("a value is a view of the vector, and one put in its place is taken up", () => {
  const [a, b] = [stored(1, 2, 3), stored(4, 5)];
  const store = new ParameterStore([]);
  store.layOut([
    ["a", a],
    ["b", b],
  ]);
  const vector = store.shards[0]?.vector(parametersName) as Float32Array;
  expect(Array.from(vector.subarray(16, 18))).toEqual([4, 5]);
  vector[16] = 7;
  expect(b.value?.toArray()).toEqual([7, 5]);
  b.value = tensor([8, 9]);
  store.sync();
  expect(Array.from(vector.subarray(16, 18))).toEqual([8, 9]);
  vector[17] = 10;
  expect(b.value.toArray()).toEqual([8, 10]);
});

test("half floats are converted, not reinterpreted", () => {
  const a: Stored = { shape: [2], value: tensor([1, -2.5], { dtype: "float16" }) };
  const store = new ParameterStore([]);
  store.layOut([["a", a]]);
  expect(a.value?.toArray()).toEqual([1, -2.5]);
});

test("what is remembered of a parameter that leaves comes back with it", () => {
  const [a, b] = [stored(1, 2), stored(3)];
  const parked = new Map<string, Tensor>();
  const store = new ParameterStore(["velocity"], parked);
  const both = [
    ["a", a],
    ["b", b],
  ] as const;
  expect(store.layOut(both)).toBe(true);
  expect(store.layOut(both)).toBe(false);
  const remember = (path: string, values: number[]) => {
    for (const shard of store.shards)
      for (const slot of shard.slots) if (slot.path === path) shard.view("velocity", slot).data.set(values);
  };
  remember("a", [0.5, 0.25]);
  remember("b", [0.125]);
  const before = a.value;
  expect(store.layOut([["b", b]])).toBe(true);
  expect(a.value).not.toBe(before);
  expect(a.value?.toArray()).toEqual([1, 2]);
  expect(parked.get("velocity/a")?.toArray()).toEqual([0.5, 0.25]);
  expect(Object.keys(store.memories())).toEqual(["velocity/b"]);
  expect(store.memories()["velocity/b"]?.toArray()).toEqual([0.125]);
  remember("b", [0.75]);
  store.layOut(both);
  expect(store.memories()["velocity/a"]?.toArray()).toEqual([0.5, 0.25]);
  expect(store.memories()["velocity/b"]?.toArray()).toEqual([0.75]);
  expect(parked.size).toBe(0);
});

test("what was saved is taken up when its parameter comes", () => {
  const saved = new Map([["velocity/a", tensor([0.5])]]);
  const store = new ParameterStore(["velocity"], saved);
  store.layOut([["a", stored(1)]]);
  expect(store.memories()["velocity/a"]?.toArray()).toEqual([0.5]);
});

test("a value of another shape is refused", () => {
  const a = stored(1, 2);
  const store = new ParameterStore([]);
  store.layOut([["a", a]]);
  a.value = tensor([1]);
  expect(() => store.sync()).toThrow('the parameter "a" is [2], and a value of [1] was put into it');
});
