/** The order of channels: transpositions that meet are none. */
import { expect, test } from "vitest";
import { graphOf, input, type Value } from "../../graph/ir.ts";
import { printGraph } from "../../graph/print.ts";
import { add, concat, relu, softmax } from "../../ops/index.ts";
import { alongAxes, channelsFirst, channelsLast, elementwise } from "./channels.ts";

const image = () => input("float32", [1, 4, 6, 3], "x");
const operators = (y: Value) => graphOf([], [y]).nodes.map(({ op }) => op.type);

test("there and back is nothing, in either order", () => {
  const x = image();
  expect(channelsFirst(x).shape).toEqual([1, 3, 4, 6]);
  expect(channelsLast(x).shape).toEqual([1, 6, 3, 4]);
  expect(channelsLast(channelsFirst(x))).toBe(x);
  expect(channelsFirst(channelsLast(x))).toBe(x);
  const sequence = input("float32", [1, 4, 6], "x");
  expect(channelsLast(channelsFirst(sequence))).toBe(sequence);
  const vector = input("float32", [1, 4], "x");
  expect(channelsFirst(vector)).toBe(vector);
});

test("elementwise functions keep the order of what they are computed from", () => {
  const y = channelsLast(relu(channelsFirst(image())));
  const z = elementwise(relu, y);
  expect(operators(z)).toEqual(["Transpose", "Relu", "Relu", "Transpose"]);
  expect(z.shape).toEqual([1, 4, 6, 3]);
  expect(operators(elementwise(relu, image()))).toEqual(["Relu"]);
});

test("what is broadcast is put beside the channels", () => {
  const y = channelsLast(relu(channelsFirst(image())));
  const [bias, one] = [input("float32", [3], "b"), input("float32", [], "c")];
  const z = elementwise((b: Value, value: Value, c: Value) => add(add(value, b), c), bias, y, one);
  expect(z.shape).toEqual([1, 4, 6, 3]);
  expect(printGraph(graphOf([], [z]))).toContain("perm=[0, 3, 1, 2]) : float32[1, 3, 1, 1]");
});

test("axes are reported where they lie", () => {
  const plain = image();
  const moved = channelsLast(relu(channelsFirst(plain)));
  const joined = alongAxes([moved, plain], (at, ...values) => concat(values, at(3)));
  expect(joined.shape).toEqual([1, 4, 6, 6]);
  expect(alongAxes([moved, moved], (at, ...values) => concat(values, at(-3))).shape).toEqual([1, 8, 6, 3]);
  const axes: number[] = [];
  alongAxes([moved], (at, value: Value) => {
    axes.push(at(0), at(1), at(-2), at(-1));
    return softmax(value, at(-1));
  });
  expect(axes).toEqual([0, 2, 3, 1]);
});
