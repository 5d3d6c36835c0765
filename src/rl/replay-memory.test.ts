/** The ring of transitions. */
import { expect, test } from "vitest";
import { keyOf, Random } from "../core/random.ts";
import type { Transition } from "./environment.ts";
import { ReplayMemory } from "./replay-memory.ts";

const transition = (state: number): Transition => ({
  state,
  action: 1,
  reward: -0.5,
  next: state + 1,
  done: state > 3,
});

/** Memory of a capacity after `count` transitions from states 0, 1, … */
function filled(capacity: number, count: number): ReplayMemory {
  const memory = new ReplayMemory(capacity);
  for (let state = 0; state < count; state++) memory.add(transition(state));
  return memory;
}

const statesIn = (memory: ReplayMemory) =>
  [...new Set(memory.sample(200, new Random(keyOf(0))).map(({ state }) => state))].sort();

test("gives what was added", () => {
  expect(filled(4, 1).sample(2, new Random(keyOf(0)))).toEqual([transition(0), transition(0)]);
});

test("forgets the oldest when it is full", () => {
  expect(statesIn(filled(3, 2))).toEqual([0, 1]);
  expect(statesIn(filled(3, 5))).toEqual([2, 3, 4]);
  expect([filled(3, 2).size, filled(3, 5).size]).toEqual([2, 3]);
});

test("draws each with equal chance", () => {
  const drawn = filled(4, 4).sample(4000, new Random(keyOf(1)));
  // Standard deviation of each count: sqrt(4000 * 1/4 * 3/4) = 27.
  for (const state of [0, 1, 2, 3])
    expect(Math.abs(drawn.filter((own) => own.state === state).length - 1000)).toBeLessThan(4 * 27);
});

test("goes on from what was saved, also in the middle of its ring", () => {
  const memory = filled(3, 5);
  const copy = new ReplayMemory(3, memory.save());
  expect(statesIn(copy)).toEqual([2, 3, 4]);
  copy.add(transition(5));
  expect(statesIn(copy)).toEqual([3, 4, 5]);
});

test("refuses an impossible capacity, and to draw from nothing", () => {
  expect(() => new ReplayMemory(0)).toThrow("capacity is 0; pass a whole number of transitions from 1");
  expect(() => new ReplayMemory(2).sample(1, new Random(keyOf(0)))).toThrow("it is empty; add transitions");
});
