/** Images as PNG files, read back by a decoder. */
import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import { Tensor, tensor } from "../core/tensor.ts";
import { encodePng, tileImages } from "./png.ts";

describe("encodePng", () => {
  test("bytes as they are, grey", () => {
    const { width, height, channels, data } = decode(
      encodePng(
        tensor(
          [
            [0, 7, 255],
            [1, 2, 3],
          ],
          { dtype: "uint8" },
        ),
      ),
    );
    expect([width, height, channels, [...data]]).toEqual([3, 2, 1, [0, 7, 255, 1, 2, 3]]);
  });

  test("floats from 0 to 1, the rest cut off; channels one after the other become pixels", () => {
    const image = new Tensor("float32", [3, 1, 2], Float32Array.of(0, 1, 0.5, -3, 2, 0.2));
    const { channels, data } = decode(encodePng(image));
    expect([channels, [...data]]).toEqual([3, [0, 128, 255, 255, 0, 51]]);
  });

  test.each([
    [tensor([1, 2]), "an image is [height, width] or [1 or 3, height, width], got [2]"],
    [new Tensor("float32", [2, 1, 1], new Float32Array(2)), "got [2, 1, 1]"],
    [tensor([[1]], { dtype: "int32" }), "got int32; cast it"],
  ])("refuses %o", (image, message) => {
    expect(() => encodePng(image)).toThrow(message);
  });
});

test("tileImages: row by row, a grey line between and around", () => {
  const images = new Tensor("uint8", [3, 1, 1, 2], Uint8Array.of(1, 2, 3, 4, 5, 6));
  const { shape, data } = tileImages(images, 2);
  expect(shape).toEqual([1, 5, 7]);
  const grey = Array(7).fill(128);
  expect([...data]).toEqual([...grey, 128, 1, 2, 128, 3, 4, 128, ...grey, 128, 5, 6, 128, 128, 128, 128, ...grey]);
});
