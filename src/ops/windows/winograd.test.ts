/** Winograd's filtering is as exact as float32 lets it be, forward and backward, and is differentiated again. */
import { expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { keyOf, Random } from "../../core/random.ts";
import { type Shape, size } from "../../core/shape.ts";
import { Tensor } from "../../core/tensor.ts";
import { graphOf, input, type Value } from "../../graph/ir.ts";
import { lower } from "../../graph/passes.ts";
import { optimize, tidy } from "../../jit/compile.ts";
import { byRows } from "../../jit/row-layout.ts";
import { encodeModel } from "../../onnx/model.ts";
import { backend } from "../../runtime/node.ts";
import { conv, mul, ones, reduceSum, square } from "../index.ts";

const [batch, channels, filters, extent] = [16, 48, 32, 13];
const shapes = {
  x: [batch, channels, extent, extent],
  w: [filters, channels, 3, 3],
  g: [batch, filters, extent, extent],
};
const random = new Random(keyOf(3));
const draw = (shape: Shape) => new Tensor("float32", shape, random.normals(size(shape)));
const given = { x: draw(shapes.x), w: draw(shapes.w), g: draw(shapes.g) };

/** The convolution padded by 1 and its gradients by g, in float64. */
function exact() {
  const [x, w, g] = [given.x.data, given.w.data, given.g.data].map((data) => Float64Array.from(data as Float32Array));
  const found = {
    y: new Float64Array(size(shapes.g)),
    x: new Float64Array(size(shapes.x)),
    w: new Float64Array(size(shapes.w)),
  };
  if (!x || !w || !g) throw new Error("three operands");
  for (let n = 0; n < batch; n++)
    for (let m = 0; m < filters; m++)
      for (let c = 0; c < channels; c++)
        for (let a = 0; a < 3; a++)
          for (let b = 0; b < 3; b++) {
            const atW = ((m * channels + c) * 3 + a) * 3 + b;
            for (let i = Math.max(0, 1 - a); i < Math.min(extent, extent + 1 - a); i++)
              for (let j = Math.max(0, 1 - b); j < Math.min(extent, extent + 1 - b); j++) {
                const atX = ((n * channels + c) * extent + i + a - 1) * extent + j + b - 1;
                const atY = ((n * filters + m) * extent + i) * extent + j;
                found.y[atY] = (found.y[atY] as number) + (x[atX] as number) * (w[atW] as number);
                found.x[atX] = (found.x[atX] as number) + (g[atY] as number) * (w[atW] as number);
                found.w[atW] = (found.w[atW] as number) + (g[atY] as number) * (x[atX] as number);
              }
          }
  return [found.y, found.x, found.w];
}

const padding = [
  [1, 1],
  [1, 1],
] as const;

/** Results of a graph by rows, and the operators that computed them. */
async function run(innermost: "batch" | "channels", build: (x: Value, w: Value, g: Value) => readonly Value[]) {
  const inputs = [shapes.x, shapes.w, shapes.g].map((shape) => input("float32", shape));
  const graph = graphOf(inputs, build(...(inputs as [Value, Value, Value])));
  const changed = optimize(graph, [...tidy, (outputs) => byRows(outputs, innermost), ...tidy, lower, ...tidy]);
  const session = await backend.compile(encodeModel(changed));
  const results = await session.run([given.x, given.w, given.g]);
  await session.release();
  return { results, isWinograd: changed.nodes.some(({ inputs: [x] }) => x?.shape.join() === "36,36") };
}

test.each(["batch", "channels"] as const)(
  "rows over %s: within 1e-5 of the largest, forward and backward",
  async (innermost) => {
    const { results, isWinograd } = await run(innermost, (x, w, g) => {
      const y = conv(x, w, { padding });
      return [y, ...gradients([y], [g], [x, w])];
    });
    expect(isWinograd).toBe(true);
    for (const [i, expected] of exact().entries()) {
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const error = expected.reduce(
        (most, value, k) => Math.max(most, Math.abs(value - Number(results[i]?.data[k]))),
        0,
      );
      expect(error / largest).toBeLessThan(1e-5);
    }
  },
);

test("gradients of gradients are those of the plain convolution", async () => {
  const second = (x: Value, w: Value, g: Value) => {
    const y = conv(x, w, { padding });
    const [gx, gw] = gradients([y], [mul(g, y)], [x, w]) as [Value, Value];
    return gradients([reduceSum(square(gx))], [ones([])], [x, w]).concat(
      gradients([reduceSum(square(gw))], [ones([])], [x]),
    );
  };
  const inputs = [shapes.x, shapes.w, shapes.g].map((shape) => input("float32", shape));
  const plain = optimize(graphOf(inputs, second(...(inputs as [Value, Value, Value]))), [...tidy, lower, ...tidy]);
  const session = await backend.compile(encodeModel(plain));
  const expected = await session.run([given.x, given.w, given.g]);
  await session.release();
  const { results, isWinograd } = await run("batch", second);
  expect(isWinograd).toBe(true);
  for (const [i, { data }] of expected.entries()) {
    const values = Array.from(data as Float32Array);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const [k, value] of values.entries())
      expect(Math.abs(value - Number(results[i]?.data[k])) / largest).toBeLessThan(3e-5);
  }
});
