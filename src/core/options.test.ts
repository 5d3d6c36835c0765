/** Options that do not exist are reported, with the nearest that does. */
import { expect, test } from "vitest";
import { conv2d } from "../nn/layers/conv.ts";
import { dense } from "../nn/layers/dense.ts";
import { sequential } from "../nn/layers/sequential.ts";
import { adam } from "../train/optimizers/index.ts";
import { requireKnown } from "./options.ts";

test("known options pass, others do not", () => {
  const options: { size?: number } = { size: 1 };
  expect(() => requireKnown("box", options, { size: true })).not.toThrow();
  expect(() => requireKnown("box", { sise: 1 } as object as { size?: number }, { size: true })).toThrow(
    'unknown option of box: "sise"; did you mean "size"? Known: size.',
  );
});

test("layers, optimizers and sequences refuse options that they do not have", () => {
  const wrong = (options: object) => options;
  expect(() => dense(3, wrong({ activaton: "relu" }))).toThrow('did you mean "activation"?');
  expect(() => conv2d(3, 3, wrong({ strides: 2 }))).toThrow('did you mean "stride"?');
  expect(() => adam(wrong({ learningrate: 1 }))).toThrow('did you mean "learningRate"?');
  expect(() => sequential(dense(1) as object as [])).toThrow("sequential takes a list of modules");
});
