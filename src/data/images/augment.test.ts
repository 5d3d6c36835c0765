/** Augmentation against values derived by hand: turns by transposition, flips by reversal, crops by copying. */
import { describe, expect, it } from "vitest";
import { DTypeError, OptionError, ShapeError } from "../../core/errors.ts";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor, tensor } from "../../core/tensor.ts";
import { fromTensors } from "../pipeline/dataset.ts";
import { augment, crop, flip, type ImageTransform, noise, rotate, scale } from "./augment.ts";

const random = (seed = 1) => new Random(keyOf(seed));

/** One image of one channel. */
const image = (rows: number[][]) => tensor([[rows]]);
const pixels = (t: Tensor) => (t.toArray() as number[][][][])[0]?.[0] as number[][];
const counting = (count: number, channels: number, height: number, width: number) =>
  new Tensor(
    "float32",
    [count, channels, height, width],
    Float32Array.from({ length: count * channels * height * width }, (_, i) => i + 1),
  );

const closeTo = (actual: Tensor, expected: Tensor) => {
  expect(actual.shape).toEqual(expected.shape);
  // Interpolating at grid points that cos 90° = 6e-17 misses costs no more than rounding to float32.
  actual.data.forEach((value, i) => void expect(value as number).toBeCloseTo(expected.data[i] as number, 4));
};

describe("rotate", () => {
  it("by 90 degrees is transposing and reversing the rows: counter-clockwise", () => {
    closeTo(
      rotate([90, 90])(
        image([
          [1, 2, 3],
          [4, 5, 6],
          [7, 8, 9],
        ]),
        random(),
      ),
      image([
        [3, 6, 9],
        [2, 5, 8],
        [1, 4, 7],
      ]),
    );
  });

  it("by 0 and 360 degrees is the identity, by 180 both flips", () => {
    const x = counting(2, 3, 4, 4);
    closeTo(rotate([0, 0])(x, random()), x);
    closeTo(rotate([360, 360])(x, random()), x);
    closeTo(rotate([180, 180])(x, random()), flip("vertical", 1)(flip("horizontal", 1)(x, random()), random()));
  });

  it("by 45 degrees mixes bilinearly, and brings 0 in from outside", () => {
    const turned = pixels(
      rotate([45, 45])(
        image([
          [0, 0, 0],
          [0, 8, 0],
          [0, 0, 0],
        ]),
        random(),
      ),
    );
    expect(turned[1]?.[1]).toBeCloseTo(8, 5);
    // A corner of the output is read at (0, √2) from the centre, an edge's middle at (√½, √½).
    expect(turned[0]?.[0]).toBeCloseTo(0, 5);
    expect(turned[0]?.[1]).toBeCloseTo(8 * (1 - Math.SQRT1_2) ** 2, 5);
  });

  it("draws an angle for each image", () => {
    const one = counting(1, 1, 5, 5).data;
    const both = new Tensor(
      "float32",
      [2, 1, 5, 5],
      Float32Array.of(...(one as Float32Array), ...(one as Float32Array)),
    );
    const [first, second] = rotate([-90, 90])(both, random()).toArray() as number[][][][];
    expect(first).not.toEqual(second);
  });
});

describe("scale", () => {
  it("by 1 is the identity; by 2 shows the middle, by 1/2 reads twice as far from the centre", () => {
    const x = counting(1, 2, 3, 3);
    closeTo(scale([1, 1])(x, random()), x);
    // Centre 5, halfway towards each neighbour: (1+2+4+5)/4 = 3 at the corner.
    expect(pixels(scale([2, 2])(x, random()))).toEqual([
      [3, 3.5, 4],
      [4.5, 5, 5.5],
      [6, 6.5, 7],
    ]);
    expect(pixels(scale([0.5, 0.5])(x, random()))).toEqual([
      [0, 0, 0],
      [0, 5, 0],
      [0, 0, 0],
    ]);
  });
});

describe("crop", () => {
  it("without choice copies: the whole image, or its padded frame", () => {
    const x = counting(2, 2, 3, 4);
    expect(crop({})(x, random())).toEqual(x);
    const framed = crop({ size: [3, 3], padding: 1 })(image([[7]]), random());
    expect(pixels(framed)).toEqual([
      [0, 0, 0],
      [0, 7, 0],
      [0, 0, 0],
    ]);
  });

  it("gives windows of the padded image, at every place and no other", () => {
    const x = image([
      [1, 2],
      [3, 4],
    ]);
    const windows = new Set<string>();
    const source = random();
    for (let i = 0; i < 300; i++) windows.add(JSON.stringify(pixels(crop({ padding: 1 })(x, source))));
    // The 4x4 padded image has 3x3 windows of 2x2.
    const padded = [
      [0, 0, 0, 0],
      [0, 1, 2, 0],
      [0, 3, 4, 0],
      [0, 0, 0, 0],
    ];
    const expected = [0, 1, 2].flatMap((r) =>
      [0, 1, 2].map((c) => JSON.stringify([r, r + 1].map((row) => padded[row]?.slice(c, c + 2)))),
    );
    expect(windows).toEqual(new Set(expected));
  });

  it("keeps channels and images apart", () => {
    const x = counting(3, 2, 5, 4);
    const cut = crop({ size: [2, 3] })(x, random());
    expect(cut.shape).toEqual([3, 2, 2, 3]);
    for (const [n, planes] of (cut.toArray() as number[][][][]).entries()) {
      const corner = planes[0]?.[0]?.[0] as number; // pixels count up: rows by 4, channels by 20, images by 40
      expect(planes).toEqual([0, 20].map((c) => [0, 4].map((r) => [0, 1, 2].map((i) => corner + c + r + i))));
      expect(Math.floor((corner - 1) / 40)).toBe(n);
    }
  });

  it("reports a window larger than the images", () => {
    expect(() => crop({ size: [5, 5] })(counting(1, 1, 3, 3), random())).toThrow(ShapeError);
    expect(() => crop({ size: [5, 5] })(counting(1, 1, 3, 3), random())).toThrow(
      "the window is 5x5, the padded images are 3x3",
    );
  });
});

describe("flip", () => {
  const x = counting(2, 2, 2, 3);
  it("mirrors rows or columns; twice is the identity", () => {
    expect(pixels(flip("horizontal", 1)(x, random()))).toEqual([
      [3, 2, 1],
      [6, 5, 4],
    ]);
    expect(pixels(flip("vertical", 1)(x, random()))).toEqual([
      [4, 5, 6],
      [1, 2, 3],
    ]);
    for (const direction of ["horizontal", "vertical"] as const) {
      const twice = flip(direction, 1)(flip(direction, 1)(x, random()), random());
      expect(twice).toEqual(x);
      expect(flip(direction, 0)(x, random())).toEqual(x);
    }
  });

  it("takes about half of the images by default", () => {
    const many = counting(400, 1, 1, 2);
    const flipped = flip("horizontal")(many, random()).data.filter((value, i) => i % 2 === 0 && value !== i + 1).length;
    // Binomial(400, 1/2): 200 ± 5 deviations of 10.
    expect(Math.abs(flipped - 200)).toBeLessThan(50);
  });
});

it("noise has the deviation asked for, and mean 0", () => {
  const added = [
    ...noise(0.5)(new Tensor("float32", [1, 1, 100, 100], new Float32Array(10_000)), random()).data,
  ] as number[];
  const mean = added.reduce((a, b) => a + b) / added.length;
  const deviation = Math.sqrt(added.reduce((a, b) => a + (b - mean) ** 2, 0) / added.length);
  expect(Math.abs(mean)).toBeLessThan(5 * 0.005); // 5 standard errors
  expect(Math.abs(deviation - 0.5)).toBeLessThan(5 * 0.0036);
});

const each: [string, ImageTransform][] = [
  ["rotate", rotate([-30, 30])],
  ["scale", scale([0.8, 1.2])],
  ["crop", crop({ padding: 2 })],
  ["flip", flip("horizontal")],
  ["noise", noise(0.1)],
];

it.each(each)(
  "%s: the same Random gives the same images, another gives others, and the input stays",
  (_, transform) => {
    const x = counting(4, 1, 6, 6);
    const first = transform(x, random(1));
    expect(transform(x, random(1))).toEqual(first);
    expect(transform(x, random(2))).not.toEqual(first);
    expect(x).toEqual(counting(4, 1, 6, 6));
  },
);

it.each(each)("%s: reports images of another dtype or rank", (name, transform) => {
  expect(() => transform(new Tensor("uint8", [1, 1, 2, 2], new Uint8Array(4)), random())).toThrow(DTypeError);
  expect(() => transform(tensor([[1]]), random())).toThrow(
    `${name}(): the images have shape [1, 1], expected [N, C, H, W]; augment after batch()`,
  );
});

it("reports options that make no sense", () => {
  expect(() => rotate([10, -10])).toThrow(OptionError);
  expect(() => scale([0, 1])).toThrow(OptionError);
  expect(() => crop({ padding: -1 })).toThrow(OptionError);
  expect(() => flip("horizontal", 2)).toThrow(OptionError);
  expect(() => noise(-1)).toThrow(OptionError);
});

it("composes in a dataset, the same in an epoch read again or from its middle", async () => {
  const data = fromTensors({ x: counting(10, 1, 4, 4), y: tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) })
    .shuffle(keyOf(1))
    .batch(3)
    .map(augment(...each.map(([, transform]) => transform)), keyOf(2));
  const read = async (epoch: number, skip = 0) => {
    const batches = [];
    for await (const batch of data.epoch(epoch, { skip })) batches.push(batch);
    return batches;
  };
  const whole = await read(1);
  expect(await read(1)).toEqual(whole);
  expect(await read(1, 2)).toEqual(whole.slice(2));
  expect(await read(2)).not.toEqual(whole);
});

it("crop puts zeros or the nearest pixels around an image", () => {
  const image = new Tensor("float32", [1, 1, 2, 2], Float32Array.from([1, 2, 3, 4]));
  const whole = { size: [6, 6], padding: 2 } as const;
  const rows = (images: Tensor) => (images.toArray() as number[][][][])[0]?.[0];
  const random = () => new Random(keyOf(0));
  expect(rows(crop(whole)(image, random()))?.[2]).toEqual([0, 0, 1, 2, 0, 0]);
  expect(rows(crop({ ...whole, fill: "nearest" })(image, random()))).toEqual([
    ...[0, 1, 2].map(() => [1, 1, 1, 2, 2, 2]),
    ...[0, 1, 2].map(() => [3, 3, 3, 4, 4, 4]),
  ]);
});
