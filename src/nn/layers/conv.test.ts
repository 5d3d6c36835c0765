/** Convolution layers against PyTorch's nn.Conv1d and nn.Conv2d. */
import { expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { checkLayer, expectSame, randomTensor } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { conv1d, conv2d } from "./conv.ts";

const recorded = fixture("conv");
const image = (...shape: number[]) => ({ dtype: "float32", shape }) as const;

test("one axis, strided, padded and dilated", () =>
  checkLayer(conv1d(3, 3, { stride: 2, padding: 1, dilation: 2 }), {
    expected: {
      outputShape: [2, 3, 4],
      parameters: 21,
      formula: "3·2·3 + 3",
      recorded: recorded("conv1d"),
      refuses: [[image(2, 2), /conv1d "": input \[2, 2\] has rank 2, expected 3: \[batch, channels, length\]/]],
    },
  }));

test("two axes with a stride each", () =>
  checkLayer(conv2d(4, 3, { stride: [1, 2], padding: 1 }), {
    expected: {
      outputShape: [2, 4, 5, 3],
      parameters: 76,
      formula: "3·3·2·4 + 4",
      recorded: recorded("conv2d"),
      refuses: [
        [image(2, 5, 6), /has rank 3, expected 4: \[batch, channels, height, width\]/],
        [image(2, 3, 5, 6), /its weight is \[4, 2, 3, 3\], this input needs \[4, 3, 3, 3\]/],
      ],
    },
  }));

test("padding of another width on each side", () => {
  const padding = [
    [1, 0],
    [2, 1],
  ] as const;
  return checkLayer(conv2d(3, [2, 3], { padding }), {
    expected: { outputShape: [2, 3, 4, 5], parameters: 39, recorded: recorded("asymmetric") },
  });
});

test("groups, without bias", () =>
  checkLayer(conv2d(6, 2, { groups: 2, bias: false }), {
    expected: { outputShape: [2, 6, 3, 2], parameters: 48, formula: "2·2·2·6", recorded: recorded("groups") },
  }));

test('padding "same" keeps the extents, of an even kernel too', () =>
  checkLayer(conv2d(2, [2, 3], { padding: "same" }), {
    expected: { outputShape: [2, 2, 4, 4], parameters: 14, recorded: recorded("same") },
  }));

test('padding "same" with a stride: inputs by the stride, rounded up, an odd element at the end', async () => {
  const options = { input: image(1, 2, 7, 8), expected: { outputShape: [1, 3, 4, 3], parameters: 57 } };
  await checkLayer(conv2d(3, 3, { padding: "same", stride: [2, 3] }), options);
  // Windows of rows begin at -1, 1, 3, 5 and of columns at 0, 3, 6: TensorFlow's "SAME" pads by (1, 1) and (0, 1).
  const padding = [
    [1, 1],
    [0, 1],
  ] as const;
  const [same, explicit] = [
    conv2d(3, 3, { padding: "same", stride: [2, 3] }),
    conv2d(3, 3, { padding, stride: [2, 3] }),
  ];
  await expectSame(same, explicit, randomTensor([1, 2, 7, 8], 4));
});

test("messages name the layer and say how to mend it", () => {
  expect(() => conv2d(4, 9).trace(image(1, 1, 8, 8))).toThrow(/conv2d "": .*use a smaller kernel or more padding/);
  expect(() => conv2d(4, 3, { groups: 2 }).trace(image(1, 3, 8, 8))).toThrow(/do not both divide into 2 groups/);
});

test("extents are whole numbers", () => {
  for (const make of [
    () => conv2d(0, 3),
    () => conv2d(4, 0),
    () => conv2d(4, [3, 3, 3]),
    () => conv2d(4, 3, { stride: 0 }).trace(image(1, 1, 8, 8)),
    () => conv2d(4, 3, { stride: 1.5 }).trace(image(1, 1, 8, 8)),
    () => conv2d(4, 3, { padding: -1 }).trace(image(1, 1, 8, 8)),
    () => conv2d(4, 3, { padding: [[1, 1]] }).trace(image(1, 1, 8, 8)),
  ])
    expect(make).toThrow(OptionError);
});
