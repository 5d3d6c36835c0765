/** Cases of optimizer steps: the equations of ONNX's definitions, written out; Momentum and Adagrad are PyTorch's SGD and Adagrad. */
import { makeNode } from "../../graph/op.ts";
import { given, normal, opCase, positive } from "../define.cases.ts";
import * as u from "./updates.ts";

const tensors = { x: normal([2, 3]), g: normal([2, 3]) };
const rate = given([0.1], []);
const count = (steps: number) => given([steps], [], "int64");
const none = { derivative: "none" } as const;

export const updateCases = [
  opCase(u.Momentum, "first step", {
    inputs: { rate, t: count(0), ...tensors, v: normal([2, 3]) },
    build: ({ rate, t, x, g, v }) =>
      makeNode(u.Momentum, [rate, t, x, g, v], { alpha: 0.9, beta: 0.5, norm_coefficient: 0.01, mode: "standard" })
        .outputs,
    torch: "x - rate * (0.9 * v + g + 0.01 * x), 0.9 * v + g + 0.01 * x",
    ...none,
  }),
  opCase(u.Momentum, "Nesterov's, of two tensors", {
    inputs: { rate, t: count(3), ...tensors, y: normal([4]), h: normal([4]), v: normal([2, 3]), w: normal([4]) },
    build: ({ rate, t, x, y, g, h, v, w }) =>
      makeNode(u.Momentum, [rate, t, x, y, g, h, v, w], { alpha: 0.9, beta: 0.5, mode: "nesterov" }).outputs,
    torch:
      "x - rate * (g + 0.9 * (0.9 * v + 0.5 * g)), y - rate * (h + 0.9 * (0.9 * w + 0.5 * h)), 0.9 * v + 0.5 * g, 0.9 * w + 0.5 * h",
    ...none,
  }),
  opCase(u.Adagrad, "third step", {
    inputs: { rate, t: count(2), ...tensors, h: positive([2, 3]) },
    build: ({ rate, t, x, g, h }) =>
      makeNode(u.Adagrad, [rate, t, x, g, h], { decay_factor: 0.1, epsilon: 1e-5 }).outputs,
    torch: "x - rate / (1 + 2 * 0.1) * g / ((h + g * g).sqrt() + 1e-5), h + g * g",
    ...none,
  }),
  opCase(u.Adam, "third step", {
    inputs: { rate, t: count(3), ...tensors, v: normal([2, 3]), h: positive([2, 3]) },
    build: ({ rate, t, x, g, v, h }) =>
      makeNode(u.Adam, [rate, t, x, g, v, h], { alpha: 0.9, beta: 0.99, epsilon: 1e-5, norm_coefficient_post: 0.1 })
        .outputs,
    torch:
      "0.9 * (x - rate * (1 - 0.99 ** 3) ** 0.5 / (1 - 0.9 ** 3) * (0.9 * v + 0.1 * g) / ((0.99 * h + 0.01 * g * g).sqrt() + 1e-5)), 0.9 * v + 0.1 * g, 0.99 * h + 0.01 * g * g",
    ...none,
  }),
];
