/** A maze to be learned: every step costs the same until the goal is reached. */
import { count, listOf } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { Tensor } from "../core/tensor.ts";
import type { Environment } from "./environment.ts";
import { isOpen, type Maze, stepFrom } from "./maze.ts";

/** Reward of each step; small, so that values of long ways are of the size that networks begin with. */
export const stepReward = -0.1;

/** Options of `mazeEnvironment`. */
export interface MazeEnvironmentOptions {
  /** The cell where an episode ends. */
  readonly goal: number;
  /** Cells in which episodes begin. */
  readonly starts: readonly number[];
}

const checkOptions = optionsOf<MazeEnvironmentOptions>("mazeEnvironment", {
  goal: required(count(0)),
  starts: required(listOf(count(0), "cells")),
});

/** States are cells, actions the four directions; a step against a wall costs as much and leads nowhere. */
export function mazeEnvironment(maze: Maze, options: MazeEnvironmentOptions): Environment {
  const { goal, starts } = checkOptions(options);
  const side = 2 * maze.size + 1;
  const plan = planOf(maze);
  return {
    actions: 4,
    starts,
    // Short, so that agents which go round in circles do not fill the memory with them; values come from the steps of others.
    patience: 2 * maze.size,
    step(state, action) {
      const next = stepFrom(maze, state, action);
      return { state, action, reward: stepReward, next, done: next === goal };
    },
    observe(states) {
      const data = new Float32Array(states.length * 3 * side ** 2);
      for (const [i, state] of states.entries()) {
        const at = 3 * i * side ** 2;
        data.set(plan, at);
        data[at + side ** 2 + placeOf(maze, state)] = 1;
        data[at + 2 * side ** 2 + placeOf(maze, goal)] = 1;
      }
      return new Tensor("float32", [states.length, 3, side, side], data);
    },
  };
}

/** Where the middle of a cell is in the plan. */
const placeOf = ({ size }: Maze, cell: number): number =>
  (2 * Math.floor(cell / size) + 1) * (2 * size + 1) + 2 * (cell % size) + 1;

/** The maze with walls as thick as cells: [2 size + 1, 2 size + 1], 1 where a wall is, row by row. */
export function planOf(maze: Maze): Float32Array {
  const side = 2 * maze.size + 1;
  const plan = new Float32Array(side ** 2).fill(1);
  for (let cell = 0; cell < maze.size ** 2; cell++) {
    const place = placeOf(maze, cell);
    plan[place] = 0;
    if (isOpen(maze, cell, 1)) plan[place + 1] = 0;
    if (isOpen(maze, cell, 2)) plan[place + side] = 0;
  }
  return plan;
}
