/** Every operator on a graphics card, with its gradients: what the recordings say, whatever it is lowered to there. */
import { describe, expect, test } from "vitest";
import { hasSoftwareGpu } from "../../test/software-gpu.ts";
import { gradients } from "../autodiff/gradients.ts";
import { size } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { input } from "../graph/ir.ts";
import { compile } from "../jit/compile.ts";
import { caseFamilies, keyOfCase } from "./all.cases.ts";
import { conv, mul, ones, reduceSum } from "./index.ts";
import { distance, farthest, numbersOf, type Run, recordingsOf } from "./testing/recordings.ts";

/** Of a number near 1. Vulkan lets inverse cosines err by 4096 roundings ("Precision and Operation of SPIR-V Instructions"). */
const tolerance = 1e-4;

/** The software has no half floats. */
const needsHalf = ["elementwise Cast: through float16"];
/** Halves are rounded to the even number by one engine and up by the other. */
const halves = ["quantized QLinearAveragePool: windows of two"];

const run: Run = async (inputs, outputs, given) => {
  const { run, session } = await compile(inputs, outputs, { device: "webgpu" });
  const results = await run(given);
  await session.release();
  return results;
};

for (const [family, cases] of Object.entries(caseFamilies))
  describe.skipIf(!hasSoftwareGpu)(`${family} on a graphics card`, () => {
    const recordings = recordingsOf(family);
    const own = cases.filter((opCase) => ![...needsHalf, ...halves].includes(`${family} ${keyOfCase(opCase)}`));
    test.each(own.map((opCase) => [keyOfCase(opCase), opCase] as const))("%s", async (key, opCase) => {
      expect(await farthest(opCase, recordings[key], run)).toBeLessThan(tolerance);
    });
  });

/** Extents that the provider computes wrongly by itself, found by trial: of x, of w, and how. */
const convolutions: readonly (readonly [readonly number[], readonly number[], object])[] = [
  [
    [2, 30, 4, 4],
    [96, 30, 3, 3],
    {
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
  ],
  [[1, 6, 5, 5], [8, 6, 3, 2], {}],
  [[1, 16, 6, 8], [28, 8, 1, 2], { strides: [2, 1], groups: 2 }],
  [
    [2, 18, 9, 7],
    [36, 9, 1, 3],
    {
      dilations: [2, 1],
      padding: [
        [0, 0],
        [2, 0],
      ],
      groups: 2,
    },
  ],
  [
    [4, 4, 12, 7],
    [8, 1, 1, 3],
    {
      strides: [1, 2],
      padding: [
        [0, 0],
        [0, 1],
      ],
      groups: 4,
    },
  ],
  [[1, 6, 4, 3, 3], [4, 6, 2, 2, 1], { strides: [1, 2, 1] }],
];
test.skipIf(!hasSoftwareGpu).each(convolutions)("convolution of %j by %j %j, with its gradients", async (...given) => {
  const [shape, filters, options] = given;
  const [x, w] = [input("float32", shape, "x"), input("float32", filters, "w")];
  const y = conv(x, w, options);
  const outputs = [y, ...gradients([reduceSum(mul(y, y))], [ones([], "float32")], [x, w])];
  const drawn = [x, w].map(
    (value) =>
      new Tensor(
        "float32",
        value.shape,
        Float32Array.from({ length: size(value.shape) }, (_, i) => Math.sin(i)),
      ),
  );
  const onDevice = async (device: "cpu" | "webgpu") => {
    const { run, session } = await compile([x, w], outputs, { device });
    const results = (await run(drawn)).map(numbersOf);
    await session.release();
    return results;
  };
  const [there, here] = [await onDevice("webgpu"), await onDevice("cpu")];
  for (const [i, expected] of here.entries()) expect(distance(there[i] ?? [], expected)).toBeLessThan(1e-5);
});
