/** Mazes as images and text. */
import { expect, test } from "vitest";
import type { Maze } from "./maze.ts";
import { mazeEnvironment } from "./maze-environment.ts";
import { drawMaze, heat, mazeText } from "./maze-image.ts";

// By hand: a corner, from cell 0 to the right, then down; cell 2 is reached from cell 3.
const corner: Maze = { size: 2, open: Uint8Array.of(0b0010, 0b1100, 0b0010, 0b1001) };

test("a walk as text", () => {
  expect(mazeText(corner, 3, [0, 1]).split("\n")).toEqual([
    "██████████",
    "██S ··@ ██",
    "██████  ██",
    "██    G ██",
    "██████████",
  ]);
  expect(mazeText(corner, 3, [0, 1, 3]).split("\n")[3]).toBe("██    @G██");
});

test("what the model sees: walls, the agent, the goal", () => {
  const { observe } = mazeEnvironment(corner, { goal: 3, starts: [0] });
  const { shape, data } = observe([0, 2]);
  expect(shape).toEqual([2, 3, 5, 5]);
  const plane = (sample: number, channel: number) => [...data.slice(25 * (3 * sample + channel)).slice(0, 25)];
  // By hand, from the text above.
  const walls = [1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1];
  expect([plane(0, 0), plane(1, 0)]).toEqual([walls, walls]);
  expect([plane(0, 1).indexOf(1), plane(1, 1).indexOf(1), plane(0, 2).indexOf(1)]).toEqual([6, 16, 18]);
});

test("steps cost the same, against a wall too, and end at the goal", () => {
  const { step } = mazeEnvironment(corner, { goal: 3, starts: [0] });
  expect(step(0, 1)).toEqual({ state: 0, action: 1, reward: -0.1, next: 1, done: false });
  expect(step(0, 2)).toEqual({ state: 0, action: 2, reward: -0.1, next: 0, done: false });
  expect(step(1, 2)).toEqual({ state: 1, action: 2, reward: -0.1, next: 3, done: true });
});

test("an image has walls where they are, and floors and marks in their colours", () => {
  const { shape, data } = drawMaze(corner, {
    floor: (cell) => [200, cell, 0],
    marks: [{ cell: 3, colour: [0, 255, 0] }],
  });
  expect(shape).toEqual([3, 60, 60]);
  const at = (row: number, column: number) => [0, 1, 2].map((channel) => data[channel * 3600 + row * 60 + column]);
  expect(at(0, 0)).toEqual([31, 41, 55]);
  expect(at(10, 10)).toEqual([200, 0, 0]);
  expect(at(10, 30)).toEqual([200, 0, 0]); // open towards cell 1
  expect(at(30, 10)).toEqual([31, 41, 55]); // a wall below cell 0
  expect(at(44, 44)).toEqual([0, 255, 0]);
});

test("colours of values rise in brightness", () => {
  const brightness = [0, 0.3, 0.6, 1].map((share) => heat(share).reduce((sum, part) => sum + part));
  expect(brightness).toEqual([...brightness].sort((a, b) => a - b));
  expect(heat(7)).toEqual(heat(1));
});
