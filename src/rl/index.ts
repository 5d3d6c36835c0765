/** Reinforcement learning: environments, memory, deep Q-learning, and mazes to try it on. */
export {
  bestOf,
  type DeepQLearning,
  type DeepQLearningOptions,
  type DeepQLearningSettings,
  deepQLearning,
  type Transitions,
} from "./deep-q-learning.ts";
export type { Environment, Transition } from "./environment.ts";
export {
  directions,
  distancesTo,
  isOpen,
  type Maze,
  type MazeOptions,
  makeMaze,
  stepFrom,
  type Walk,
  walk,
} from "./maze.ts";
export { type MazeEnvironmentOptions, mazeEnvironment, planOf, stepReward } from "./maze-environment.ts";
export { type Colour, drawMaze, heat, type MazeImageOptions, mazeText } from "./maze-image.ts";
export { ReplayMemory, type SavedMemory } from "./replay-memory.ts";
