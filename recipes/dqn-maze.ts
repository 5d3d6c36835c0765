/** Deep Q-learning in a maze (Mnih et al. 2015): the way to the goal from cells at which the agent never began, though it passed them. */
import {
  activation,
  type CompileOptions,
  conv2d,
  cosine,
  DataError,
  type Dialogue,
  defineRecipe,
  dense,
  encodePng,
  flatten,
  foldIn,
  fromTensors,
  huber,
  keyOf,
  limited,
  models,
  predict,
  Random,
  rl,
  sequential,
  tensor,
} from "../src/index.ts";

const discount = 0.99;

/** The maze of a seed: its goal, and the cells to begin at, a quarter of them kept for the test. */
function mazeOf(seed: number, size: number) {
  const key = keyOf(seed);
  const maze = rl.makeMaze({ size, key: foldIn(key, "maze") });
  const goal = size ** 2 - 1;
  const order = [...new Random(foldIn(key, "starts")).permutation(size ** 2)].filter((cell) => cell !== goal);
  const held = Math.ceil(order.length / 4);
  return { maze, goal, unseen: order.slice(0, held), starts: order.slice(held), distances: rl.distancesTo(maze, goal) };
}

const network = (size: number, dueling: boolean) => ({
  model: new models.QNetwork({
    // Stride 2 over a plan in which walls are as thick as cells: one place for each cell, with the walls around it.
    body: sequential([
      conv2d(16, 3, { stride: 2, initializer: "heNormal" }),
      activation("relu"),
      conv2d(16, 3, { padding: 1, initializer: "heNormal" }),
      activation("relu"),
      flatten(),
      dense(128, { activation: "relu", initializer: "heNormal" }),
    ]),
    actions: rl.directions.length,
    dueling,
  }),
  inputs: { x: { dtype: "float32", shape: [1, 3, 2 * size + 1, 2 * size + 1] } } as const,
});

/** The trained agent in its maze: values of all cells, and the walk from each. */
function agentOf(model: models.QNetwork, seed: number, size: number) {
  const { maze, goal, unseen, starts, distances } = mazeOf(seed, size);
  const environment = rl.mazeEnvironment(maze, { goal, starts });
  const trained = async (compile: CompileOptions) => {
    const cells = Array.from({ length: size ** 2 }, (_, cell) => cell);
    const values = await predict(model, { x: environment.observe(cells) }, compile);
    const walkFrom = (start: number) => rl.walk(maze, start, goal, (cell) => rl.bestOf(values, cell));
    const worthOf = (cell: number) => Number(values.data[4 * cell + rl.bestOf(values, cell)]);
    return { values, worthOf, walkFrom };
  };
  const drawWalk = ({ cells }: rl.Walk) =>
    encodePng(
      rl.drawMaze(maze, {
        lines: [{ cells, colour: [213, 94, 0] }],
        marks: [
          { cell: goal, colour: [0, 158, 115] },
          { cell: cells[0] ?? 0, colour: [0, 114, 178] },
        ],
      }),
    );
  return { maze, goal, unseen, starts, distances, environment, trained, drawWalk };
}

interface MazeSettings {
  readonly seed: number;
  readonly size: number;
  readonly dueling: boolean;
}

const open = ({ seed, size, dueling }: MazeSettings) => {
  const { model, inputs } = network(size, dueling);
  const agent = agentOf(model, seed, size);
  const dialogue: Dialogue = {
    what: "a cell to begin at: row,column, from 0,0 in the upper left",
    example: "0,0",
    async open(compile) {
      const { maze, goal, unseen, distances, trained, drawWalk } = agent;
      const { walkFrom, worthOf } = await trained(compile);
      return async (question) => {
        const [start, place] = cellOf(question, size);
        const own = walkFrom(start);
        const [steps, shortest] = [own.cells.length - 1, distances[start] ?? 0];
        const result = own.arrived ? `${steps} steps to the goal` : `goes round in circles after ${steps} steps`;
        const origin = start === goal ? "the goal" : unseen.includes(start) ? "never begun at" : "trained from";
        const frames = own.cells.map((_, i) => rl.mazeText(maze, goal, own.cells.slice(0, i + 1)));
        return {
          text: `${result}, the shortest way has ${shortest} (${origin})\n${frames.at(-1)}`,
          frames,
          fields: {
            start: place,
            arrived: own.arrived,
            steps,
            shortest,
            value: worthOf(start),
            path: own.cells.map((cell) => placeOf(cell, size)),
          },
          drawings: { "path.png": drawWalk(own) },
        };
      };
    },
  };
  return { model, inputs, dialogue, agent };
};

export default defineRecipe({
  name: "dqn-maze",
  summary:
    "An agent that learns the way through a maze by deep Q-learning, tested from cells where it never began, though it passed them",
  data: "a maze made from the seed; three quarters of its cells to begin at, a quarter to test from",
  defaults: { epochs: 15, batchSize: 64, learningRate: 0.001, optimizer: "adam", seed: 0 },
  options: {
    size: { description: "cells in a row and in a column of the maze, 2 to 64", default: 9 },
    double: {
      description: "double Q-learning: the network trained chooses, the target network values",
      default: false,
    },
    dueling: {
      description: "dueling heads: the value of the state and the advantages of the actions apart",
      default: false,
    },
  },
  next: ["sardonyx train dqn-maze --double --dueling          with less optimistic targets, and values apart"],
  open,
  async load({ batchSize, seed, epochs, size, double, dueling }, limit) {
    const { agent, ...opened } = open({ seed, size, dueling });
    const { model } = opened;
    const { maze, goal, unseen, starts, distances, environment, trained, drawWalk } = agent;
    const updates = Math.ceil(Math.min(limit ?? Number.POSITIVE_INFINITY, 500 * batchSize) / batchSize);
    const { train, callback } = rl.deepQLearning({
      environment,
      model,
      batchSize,
      updates,
      key: foldIn(keyOf(seed), "agent"),
      // From chance to a twentieth of it, over the first half.
      epsilon: cosine({ rate: 1, floor: 0.05, steps: (epochs * updates) / 2 }),
      settings: { discount, double },
    });
    /** What the best action is truly worth: -0.1 (1 - γ^d) / (1 - γ), d steps from the goal. */
    const truth = (cells: readonly number[]) => {
      const best = cells.map((cell) =>
        rl.directions.findIndex((_, i) => (distances[rl.stepFrom(maze, cell, i)] ?? 0) < (distances[cell] ?? 0)),
      );
      const worth = cells.map((cell) => (rl.stepReward * (1 - discount ** (distances[cell] ?? 0))) / (1 - discount));
      const rows = { x: environment.observe(cells), y: tensor(worth), action: tensor(best, { dtype: "int32" }) };
      return fromTensors(rows);
    };
    const held = limited(truth(unseen), limit);
    return {
      ...opened,
      train,
      validation: truth(starts).batch(250, { dropLast: false }),
      test: held.batch(250, { dropLast: false }),
      loss: huber(),
      callbacks: [callback],
      samples: { train: starts.length, test: held.length ?? 0 },
      async measure(compile) {
        const { walkFrom } = await trained(compile);
        const walks = unseen.map((start) => ({ ...walkFrom(start), shortest: distances[start] ?? 0 }));
        const arrived = walks.filter((own) => own.arrived).map(({ cells, shortest }) => (cells.length - 1) / shortest);
        return {
          solved: arrived.filter((ratio) => ratio <= 1.2).length / walks.length,
          arrived: arrived.length / walks.length,
          path_ratio: arrived.reduce((sum, ratio) => sum + ratio, 0) / arrived.length,
        };
      },
      async draw(compile) {
        const { walkFrom, values, worthOf } = await trained(compile);
        const all = Array.from({ length: size ** 2 }, (_, cell) => (cell === goal ? 0 : worthOf(cell)));
        const [low, high] = [Math.min(...all), Math.max(...all)];
        const farthest = unseen.reduce((best, cell) => ((distances[cell] ?? 0) > (distances[best] ?? 0) ? cell : best));
        const image = rl.drawMaze(maze, {
          floor: (cell) => rl.heat(((all[cell] ?? 0) - low) / (high - low || 1)),
          arrows: (cell) => (cell === goal ? undefined : rl.bestOf(values, cell)),
          marks: [{ cell: goal, colour: [0, 158, 115] }],
        });
        return { "path.png": drawWalk(walkFrom(farthest)), "values.png": encodePng(image) };
      },
    };
  },
});

const placeOf = (cell: number, size: number) => [Math.floor(cell / size), cell % size] as const;

/** The cell that `row,column` names. Throws DataError for anything else. */
function cellOf(question: string, size: number): [cell: number, place: readonly [number, number]] {
  const found = /^\s*(\d+)\s*,\s*(\d+)\s*$/.exec(question);
  const [row, column] = [Number(found?.[1]), Number(found?.[2])];
  if (!(row < size && column < size))
    throw new DataError(`"${question}" is no cell of this maze; pass row,column from 0,0 to ${size - 1},${size - 1}`);
  return [row * size + column, [row, column]];
}
