/** Places of images in squares, by hand. */
import { expect, test } from "vitest";
import { boxInImage, boxInSquare, paddedPlace } from "./padding.ts";

test("an image lies in the middle, its longer side fills the square", () => {
  expect(paddedPlace({ width: 200, height: 100 }, 50)).toEqual({
    ...{ left: 0, top: 12, width: 50, height: 25 },
    ...{ across: 0.25, down: 0.25 },
  });
  expect(paddedPlace({ width: 3, height: 10 }, 20)).toMatchObject({ left: 7, top: 0, width: 6, height: 20, down: 2 });
  // A line keeps a pixel.
  expect(paddedPlace({ width: 1000, height: 1 }, 10)).toMatchObject({ height: 1, top: 4 });
});

test("boxes go there and back, and end at the edges of the image", () => {
  const size = { width: 200, height: 100 };
  const place = paddedPlace(size, 50);
  expect(boxInSquare([40, 20, 80, 100], place)).toEqual([10, 17, 20, 37]);
  expect(boxInImage([10, 17, 20, 37], place, size)).toEqual([40, 20, 80, 100]);
  expect(boxInImage([-5, 0, 60, 50], place, size)).toEqual([0, 0, 200, 100]);
});
