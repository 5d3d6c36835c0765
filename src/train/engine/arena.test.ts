/** Arenas hold parameters side by side and split where one memory is full. */
import { expect, test } from "vitest";
import { tensor } from "../core/tensor.ts";
import { zerosInit } from "../nn/initializers.ts";
import { Parameter } from "../nn/parameter.ts";
import { adopt, allocateShards } from "./arena.ts";

const parameter = (length: number) => new Parameter("w", { shape: [length], initializer: zerosInit }, false);

test("an adopted parameter is a view of its vector", () => {
  const [a, b] = [parameter(3), parameter(2)];
  b.value = tensor([4, 5]);
  const [shard, ...others] = allocateShards(
    [
      ["a", a],
      ["b", b],
    ],
    ["parameters", "gradients"],
  );
  if (!shard) throw new Error("one shard");
  expect(others).toEqual([]);
  adopt(shard, "parameters");
  expect(Array.from(shard.vector("parameters").subarray(16, 18))).toEqual([4, 5]);
  shard.vector("parameters")[16] = 7;
  expect(b.value.toArray()).toEqual([7, 5]);
});

test("parameters beyond one memory go to the next, none is cut", () => {
  const list = [20, 20, 40].map((length, i) => [`p${i}`, parameter(length)] as const);
  // Two vectors of 64 elements of 4 bytes fit.
  const shards = allocateShards(list, ["parameters", "gradients"], 512);
  expect(shards.map(({ slots, length }) => [slots.map(({ path }) => path), length])).toEqual([
    [["p0", "p1"], 64],
    [["p2"], 48],
  ]);
  expect(() => allocateShards(list, ["parameters", "gradients"], 256)).toThrow('parameter "p2" has 40 elements');
});
