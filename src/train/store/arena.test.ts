/** Arenas hold parameters side by side and split where one memory is full. */
import { expect, test } from "vitest";
import { allocateArenas } from "./arena.ts";

test("parameters beyond one memory go to the next, none is cut", () => {
  const list = [20, 20, 40].map((length, i) => [`p${i}`, { shape: [length] }] as const);
  // Two vectors of 64 elements of 4 bytes fit.
  const shards = allocateArenas(list, ["parameters", "gradients"], { limit: 512 });
  expect(shards.map(({ slots, length }) => [slots.map(({ path }) => path), length])).toEqual([
    [["p0", "p1"], 64],
    [["p2"], 48],
  ]);
  expect(() => allocateArenas(list, ["parameters", "gradients"], { limit: 256 })).toThrow(
    'parameter "p2" has 40 elements',
  );
});
