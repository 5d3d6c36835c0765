/** Mazes: that they are whole, that walks keep to them, that breadth-first search finds the shortest. */
import { expect, test } from "vitest";
import { keyOf } from "../core/random.ts";
import { directions, distancesTo, isOpen, type Maze, makeMaze, stepFrom, walk } from "./maze.ts";

/** Walls taken away between cells. */
const passages = ({ open }: Maze): number =>
  open.reduce((sum, sides) => sum + directions.filter((_, d) => (sides >> d) & 1).length, 0) / 2;

test.each([2, 5, 12])("a maze of %i x %i without loops is a tree over all cells", (size) => {
  const maze = makeMaze({ size, loops: 0, key: keyOf(1) });
  expect(Math.min(...distancesTo(maze, 0))).toBe(0);
  expect(passages(maze)).toBe(size ** 2 - 1);
});

test("loops take walls away and shorten some ways; the same key gives the same maze", () => {
  const [tree, loops] = [0, 0.2].map((share) => makeMaze({ size: 9, loops: share, key: keyOf(3) })) as [Maze, Maze];
  expect(passages(loops)).toBeGreaterThan(passages(tree));
  const sum = (maze: Maze) => distancesTo(maze, 80).reduce((total, distance) => total + distance, 0);
  expect(sum(loops)).toBeLessThan(sum(tree));
  expect(makeMaze({ size: 9, loops: 0.2, key: keyOf(3) })).toEqual(loops);
  expect(makeMaze({ size: 9, loops: 0.2, key: keyOf(4) })).not.toEqual(loops);
});

test("sides are open both ways, and none leads out", () => {
  const maze = makeMaze({ size: 6, key: keyOf(2) });
  for (let cell = 0; cell < 36; cell++)
    for (const direction of directions.keys()) {
      const to = stepFrom(maze, cell, direction);
      expect(to).toBeLessThan(36);
      if (isOpen(maze, cell, direction)) expect(stepFrom(maze, to, (direction + 2) % 4)).toBe(cell);
      else expect(to).toBe(cell);
    }
});

// By hand: a ring of four cells, 0 1 over 2 3.
const ring: Maze = { size: 2, open: Uint8Array.of(0b0110, 0b1100, 0b0011, 0b1001) };

test("distances and walks in a ring, by hand", () => {
  expect([...distancesTo(ring, 3)]).toEqual([2, 1, 1, 0]);
  expect(walk(ring, 0, 3, (cell) => (cell === 0 ? 1 : 2))).toEqual({ cells: [0, 1, 3], arrived: true });
  expect(walk(ring, 0, 3, (cell) => (cell === 0 ? 1 : 3))).toEqual({ cells: [0, 1], arrived: false });
  expect(walk(ring, 0, 3, () => 0)).toEqual({ cells: [0], arrived: false });
  expect(walk(ring, 3, 3, () => 0)).toEqual({ cells: [3], arrived: true });
});

test.each([
  [{ size: 1 }, "makeMaze: size is 1; pass a whole number of cells from 2 to 64"],
  [{ size: 2.5 }, "makeMaze: size is 2.5; pass a whole number of cells from 2 to 64"],
  [{ size: 3, loops: 2 }, "makeMaze: loops is 2; pass a number in [0, 1]"],
])("refuses %o", (options, message) => {
  expect(() => makeMaze({ ...options, key: keyOf(0) })).toThrow(message);
});
