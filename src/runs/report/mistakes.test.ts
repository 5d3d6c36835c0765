/** Mistakes with their inputs as a person sees them. */
import { decode } from "fast-png";
import { expect, test } from "vitest";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { mistakesOf } from "./mistakes.ts";

const outputs = (kind: "classes" | "numbers", input: Tensor) => ({
  kind,
  samples: [],
  rows: undefined,
  worst: [{ sample: 4, actual: 0, predicted: 1, confidence: 0.9, loss: 2, input }],
});
const pixelsOf = (image = "") => [
  ...decode(Uint8Array.from(atob(image.split(",")[1] ?? ""), (c) => c.charCodeAt(0))).data,
];

test("classes by their names, an image as a PNG", () => {
  const format = { image: { height: 1, width: 2, channels: 1 } } as const;
  const [mistake] = mistakesOf(outputs("classes", tensor([[[0, 1]]])), { classes: ["cat", "dog"], format });
  expect(mistake).toMatchObject({ sample: 4, actual: "cat", predicted: "dog", confidence: 0.9, loss: 2 });
  expect(pixelsOf(mistake?.image)).toEqual([0, 255]);
});

test("an image that was standardized is spread over all greys, a large one loses pixels", () => {
  const format = { image: { height: 1, width: 256, channels: 1 } } as const;
  const wide = tensor([[Array.from({ length: 256 }, (_, i) => i / 127 - 1)]]);
  const pixels = pixelsOf(mistakesOf(outputs("classes", wide), { format })[0]?.image);
  expect([pixels.length, pixels[0], pixels.at(-1)]).toEqual([128, 0, 254]);
});

test("a number in six digits; an input of another kind is not shown", () => {
  const [mistake] = mistakesOf(outputs("numbers", tensor([1, 2])), {});
  expect(mistake).toEqual({ sample: 4, actual: "0", predicted: "1", loss: 2 });
});
