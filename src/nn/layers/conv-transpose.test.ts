/** Transposed convolution layers against PyTorch's nn.ConvTranspose1d and nn.ConvTranspose2d. */
import { test } from "vitest";
import { checkLayer, expectSame, randomTensor } from "../testing/check-layer.ts";
import { fixture } from "../testing/fixture.node.ts";
import { convTranspose1d, convTranspose2d } from "./conv-transpose.ts";

const recorded = fixture("conv-transpose");

test("one axis, dilated", () =>
  checkLayer(convTranspose1d(3, 3, { dilation: 2 }), {
    expected: { outputShape: [2, 3, 8], parameters: 21, formula: "3·2·3 + 3", recorded: recorded("convTranspose1d") },
  }));

test("two axes, with stride, padding and output padding", () =>
  checkLayer(convTranspose2d(2, 3, { stride: 2, padding: 1, outputPadding: 1 }), {
    expected: {
      outputShape: [2, 2, 6, 8],
      parameters: 56,
      formula: "3·3·3·2 + 2",
      recorded: recorded("convTranspose2d"),
      refuses: [[{ dtype: "float32", shape: [3, 4] }, /convTranspose2d "": input \[3, 4\] has rank 2, expected 4/]],
    },
  }));

test('padding "same": inputs times the stride', async () => {
  const type = { dtype: "float32", shape: [1, 2, 3, 4] } as const;
  // A kernel of 4 at stride 3 reaches one element too far, cut at the end; one of 2 lacks one, added there.
  const cases = [
    [
      4,
      {
        padding: [
          [0, 1],
          [0, 1],
        ],
      },
    ],
    [
      5,
      {
        padding: [
          [1, 1],
          [1, 1],
        ],
      },
    ],
    [2, { outputPadding: 1 }],
  ] as const;
  for (const [kernel, options] of cases) {
    const parameters = 2 * kernel * kernel + 1;
    const same = () => convTranspose2d(1, kernel, { stride: 3, padding: "same" });
    await checkLayer(same(), { input: type, expected: { outputShape: [1, 1, 9, 12], parameters } });
    await expectSame(same(), convTranspose2d(1, kernel, { stride: 3, ...options }), randomTensor(type.shape, 4));
  }
});
