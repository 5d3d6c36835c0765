/** Mazes of square cells between walls: made from a key, walked, measured. */
import { matching, share } from "../core/option-types.ts";
import { optionsOf, required } from "../core/options.ts";
import { type Key, keyType, Random } from "../core/random.ts";

/** The four ways out of a cell, in the order of the actions. */
export const directions = ["north", "east", "south", "west"] as const;

/** Rows and columns of a step in each direction. */
const offsets = [
  [-1, 0],
  [0, 1],
  [1, 0],
  [0, -1],
] as const;

/** Cells are numbered row by row from the upper left. */
export interface Maze {
  /** Cells in a row, and in a column. */
  readonly size: number;
  /** Of each cell, bit d is set where nothing stands in the way in direction d. */
  readonly open: Uint8Array;
}

/** The cell beside another, walls or not; undefined outside the maze. */
function beside({ size }: Pick<Maze, "size">, cell: number, direction: number): number | undefined {
  const [down = 0, right = 0] = offsets[direction] ?? [];
  const [row, column] = [Math.floor(cell / size) + down, (cell % size) + right];
  return row >= 0 && row < size && column >= 0 && column < size ? row * size + column : undefined;
}

/** Whether nothing stands in the way from a cell in a direction, a place in `directions`. */
export const isOpen = ({ open }: Maze, cell: number, direction: number): boolean =>
  (((open[cell] ?? 0) >> direction) & 1) === 1;

/** The cell to which a step in a direction leads: the same cell where a wall stands in the way. */
export const stepFrom = (maze: Maze, cell: number, direction: number): number =>
  isOpen(maze, cell, direction) ? (beside(maze, cell, direction) ?? cell) : cell;

/** Options of `makeMaze`. */
export interface MazeOptions {
  /** Cells in a row, and in a column; from 2 to 64. */
  readonly size: number;
  /** Share of the walls left by the search that are taken away again, which makes loops; default 0.1. */
  readonly loops?: number;
  /** Decides which walls stand. */
  readonly key: Key;
}

const checkOptions = optionsOf<MazeOptions>("makeMaze", {
  size: required(
    matching(
      "a whole number of cells from 2 to 64",
      (size) => Number.isInteger(size) && 2 <= Number(size) && Number(size) <= 64,
    ),
  ),
  loops: share,
  key: required(keyType),
});

/**
 * A maze dug by depth-first search with backtracking, in which every cell is reached from every other; then some walls are
 * taken away, so that several ways lead to a cell and the shortest is to be found. Throws OptionError.
 * @example makeMaze({ size: 9, key: keyOf(0) })
 */
export function makeMaze(options: MazeOptions): Maze {
  const { size, loops = 0.1, key } = checkOptions(options);
  const random = new Random(key);
  const maze: Maze = { size, open: new Uint8Array(size * size) };
  const dig = (cell: number, direction: number, to: number) => {
    maze.open[cell] = (maze.open[cell] ?? 0) | (1 << direction);
    maze.open[to] = (maze.open[to] ?? 0) | (1 << ((direction + 2) % 4));
  };
  const trail = [0];
  for (let cell = trail.at(-1); cell !== undefined; cell = trail.at(-1)) {
    const here = cell;
    const fresh = offsets.flatMap((_, direction) => {
      const to = beside(maze, here, direction);
      return to !== undefined && to !== 0 && maze.open[to] === 0 ? [{ direction, to }] : [];
    });
    const chosen = fresh[random.integer(Math.max(1, fresh.length))];
    if (!chosen) trail.pop();
    else {
      dig(here, chosen.direction, chosen.to);
      trail.push(chosen.to);
    }
  }
  // Each wall is seen once, from the cell above or left of it.
  for (let cell = 0; cell < size * size; cell++)
    for (const direction of [1, 2]) {
      const to = beside(maze, cell, direction);
      if (to !== undefined && !isOpen(maze, cell, direction) && random.uniform() < loops) dig(cell, direction, to);
    }
  return maze;
}

/** Steps of the shortest path from each cell to `goal`, by breadth-first search. */
export function distancesTo(maze: Maze, goal: number): Int32Array {
  const distances = new Int32Array(maze.size ** 2).fill(-1);
  distances[goal] = 0;
  const queue = [goal];
  // The queue grows while it is read.
  for (const cell of queue)
    for (const direction of offsets.keys()) {
      const to = stepFrom(maze, cell, direction);
      if ((distances[to] ?? 0) >= 0) continue;
      distances[to] = (distances[cell] ?? 0) + 1;
      queue.push(to);
    }
  return distances;
}

/** A walk, with the cell that it began at. */
export interface Walk {
  /** The cells in the order of the steps. */
  readonly cells: readonly number[];
  /** Whether the last cell is the goal. */
  readonly arrived: boolean;
}

/** The walk that takes direction `choose(cell)` in each cell, to the goal or to a cell where it has been: there it goes round. */
export function walk(maze: Maze, start: number, goal: number, choose: (cell: number) => number): Walk {
  const cells = [start];
  const seen = new Set(cells);
  for (let cell = start; cell !== goal; ) {
    cell = stepFrom(maze, cell, choose(cell));
    if (seen.has(cell)) return { cells, arrived: false };
    seen.add(cell);
    cells.push(cell);
  }
  return { cells, arrived: true };
}
