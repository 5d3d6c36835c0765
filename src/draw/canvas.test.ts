/** Drawing, pixel by pixel. */
import { expect, it } from "vitest";
import { tensor } from "../core/tensor.ts";
import { Canvas, type Color } from "./canvas.ts";

const white: Color = [255, 255, 255];

/** The green channel as text. */
const shown = ({ image: { data, shape } }: Canvas): string[] => {
  const [, height = 0, width = 0] = shape;
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => ((data[(height + y) * width + x] ?? 0) > 127 ? "#" : ".")).join(""),
  );
};

it("writes letters and digits, leaves out what the font lacks", () => {
  const canvas = new Canvas(5, 15);
  canvas.text(0, 0, "a7€1", white);
  expect(shown(canvas)).toEqual([
    ".#..###......#.",
    "#.#...#.....##.",
    "###..#.......#.",
    "#.#..#.......#.",
    "#.#..#......###",
  ]);
});

it("frames, enlarged grey images, what lies outside is cut off", () => {
  const canvas = new Canvas(4, 6, [10, 20, 30]);
  expect([...canvas.image.data.filter((_, i) => i % 24 === 0)]).toEqual([10, 20, 30]);
  canvas.frame(-1, 0, 2, 3, white);
  canvas.draw(4, 1, tensor([[1], [0.2]]), 2);
  expect(shown(canvas)).toEqual(["###...", "..#.##", "..#.##", "###..."]);
});

it("images in colour keep their channels", () => {
  const canvas = new Canvas(1, 2);
  canvas.draw(0, 0, tensor([[[1, 0]], [[0, 0.2]], [[0, 0.4]]]));
  expect([...canvas.image.data]).toEqual([255, 0, 0, 51, 0, 102]);
});
