/** Mazes for people: as coloured images with walks and values in them, and as text. */
import { functionOf, listOf, objectOf } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import { Tensor } from "../core/tensor.ts";
import { isOpen, type Maze } from "./maze.ts";
import { planOf } from "./maze-environment.ts";

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** Options of `drawMaze`. */
export interface MazeImageOptions {
  /** Floor of each cell; default white. */
  readonly floor?: (cell: number) => Colour;
  /** Cells walked through, drawn as lines, later ones above; default none. */
  readonly lines?: readonly { readonly cells: readonly number[]; readonly colour: Colour }[];
  /** Cells with a square in their middle; default none. */
  readonly marks?: readonly { readonly cell: number; readonly colour: Colour }[];
  /** A stroke from each cell's middle in a direction; default none. */
  readonly arrows?: (cell: number) => number | undefined;
}

const checkOptions = optionsOf<MazeImageOptions>("drawMaze", {
  floor: functionOf("(cell) => [red, green, blue]"),
  lines: listOf(objectOf("{ cells, colour }"), "{ cells, colour }"),
  marks: listOf(objectOf("{ cell, colour }"), "{ cell, colour }"),
  arrows: functionOf("(cell) => direction"),
});

/** Pixels of a cell with its wall, and of the wall. */
const [pitch, wall] = [28, 4];
const dark: Colour = [31, 41, 55];
const white: Colour = [255, 255, 255];

/** A maze from above as an image, uint8 [3, height, width]. */
export function drawMaze(maze: Maze, options: MazeImageOptions = {}): Tensor<"uint8"> {
  const { floor = () => white, lines = [], marks = [], arrows } = checkOptions(options);
  const { size } = maze;
  const side = size * pitch + wall;
  const data = new Uint8Array(3 * side ** 2);
  const fill = (top: number, left: number, height: number, width: number, colour: Colour) => {
    for (const [channel, value] of colour.entries())
      for (let row = top; row < top + height; row++) {
        const at = channel * side ** 2 + row * side + left;
        data.fill(value, at, at + width);
      }
  };
  const corner = (cell: number) => [wall + Math.floor(cell / size) * pitch, wall + (cell % size) * pitch] as const;
  /** A straight band between the middles of two places, in cells. */
  const band = (from: readonly [number, number], to: readonly [number, number], thick: number, colour: Colour) => {
    const middle = (pitch - wall - thick) / 2;
    const [top, left] = [Math.min(from[0], to[0]), Math.min(from[1], to[1])];
    const [high, wide] = [Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])];
    fill(
      Math.round(top + middle),
      Math.round(left + middle),
      Math.round(high) + thick,
      Math.round(wide) + thick,
      colour,
    );
  };
  fill(0, 0, side, side, dark);
  for (let cell = 0; cell < size ** 2; cell++) {
    const [top, left] = corner(cell);
    // Open sides: the floor goes on to the next cell.
    fill(top, left, pitch - (isOpen(maze, cell, 2) ? 0 : wall), pitch - wall, floor(cell));
    fill(top, left, pitch - wall, pitch - (isOpen(maze, cell, 1) ? 0 : wall), floor(cell));
  }
  for (let cell = 0; cell < size ** 2 && arrows; cell++) {
    const direction = arrows(cell);
    if (direction === undefined) continue;
    const [top, left] = corner(cell);
    const reach = 8 * (direction === 0 || direction === 3 ? -1 : 1);
    band([top, left], direction % 2 === 0 ? [top + reach, left] : [top, left + reach], 2, dark);
    band([top, left], [top, left], 6, dark);
  }
  for (const { cells, colour } of lines)
    for (const [i, cell] of cells.entries()) band(corner(cells[i - 1] ?? cell), corner(cell), 4, colour);
  for (const { cell, colour } of marks) band(corner(cell), corner(cell), 12, colour);
  return new Tensor("uint8", [3, side, side], data);
}

/** Pale violet through green to yellow with rising shares in [0, 1]: brighter is higher, and dark lines show on all. */
export function heat(share: number): Colour {
  const place = Math.min(1, Math.max(0, share)) * (shades.length - 1);
  const below = Math.min(shades.length - 2, Math.floor(place));
  const mix = (channel: 0 | 1 | 2) => {
    const [low, high] = [shades[below]?.[channel] ?? 0, shades[below + 1]?.[channel] ?? 0];
    return Math.round(low + (place - below) * (high - low));
  };
  return [mix(0), mix(1), mix(2)];
}

const shades: readonly Colour[] = [
  [150, 110, 180],
  [125, 150, 205],
  [115, 195, 190],
  [160, 225, 150],
  [253, 240, 120],
];

/** Lines of text, two characters a place: walls `██`, the way `··`, `S` where it began, `@` where it is, `G` the goal. */
export function mazeText(maze: Maze, goal: number, cells: readonly number[]): string {
  const side = 2 * maze.size + 1;
  const places: string[] = Array.from(planOf(maze), (full) => (full ? "██" : "  "));
  const at = (cell: number): [number, number] => [2 * Math.floor(cell / maze.size) + 1, 2 * (cell % maze.size) + 1];
  for (const [i, cell] of cells.entries()) {
    const [row, column] = at(cell);
    const [lastRow, lastColumn] = at(cells[i - 1] ?? cell);
    places[((row + lastRow) / 2) * side + (column + lastColumn) / 2] = "··";
    places[row * side + column] = "··";
  }
  const mark = (cell: number | undefined, sign: string) => {
    if (cell === undefined) return;
    const [row, column] = at(cell);
    places[row * side + column] = sign;
  };
  mark(cells[0], "S ");
  mark(goal, "G ");
  mark(cells.at(-1), cells.at(-1) === goal ? "@G" : "@ ");
  return Array.from({ length: side }, (_, row) => places.slice(row * side, (row + 1) * side).join("")).join("\n");
}
