/** What each network of a generative adversarial network learns from. */
import { expect, test } from "vitest";
import { gradients } from "../../autodiff/gradients.ts";
import { keyOf } from "../../core/random.ts";
import { compile } from "../../jit/compile.ts";
import { dense, sequential } from "../../nn/index.ts";
import { builtIn } from "../../nn/parameter-inputs.ts";
import { randomTensor } from "../../nn/testing/check-layer.ts";
import { constant, keyTensor, ones, reduceSum } from "../../ops/index.ts";
import { Gan } from "./gan.ts";

test("real and made images teach the discriminator alone, those passed the generator alone", async () => {
  const model = new Gan({
    generator: sequential([dense(4, { activation: "tanh" })]),
    discriminator: sequential([dense(3, { activation: "tanh" }), dense(1)]),
    noise: 2,
  });
  const x = randomTensor([5, 4], 1);
  model.trace(x);
  model.initialize(keyOf(2));
  const key = constant(keyTensor(keyOf(3)));
  const { inputs, output, context } = model.trace(x, { training: true, key, bind: builtIn });
  const paths = new Map([...model.parameters()].map(([path, parameter]) => [parameter, path]));
  const values = [...context.values.values()];
  const learners = async (...logits: readonly (typeof output.real)[]) => {
    const found = gradients(
      logits.map(reduceSumOf),
      logits.map(() => ones([])),
      values,
    );
    const { run } = await compile(inputs, found);
    const numbers = (await run([x])).map((gradient) => gradient.toNumbers());
    const learning = [...context.values.keys()].filter((_, i) => numbers[i]?.some(Boolean));
    return [...new Set(learning.map((parameter) => paths.get(parameter)?.split(".")[0]))];
  };
  expect([output.real, output.made, output.passed].map(({ shape }) => shape)).toEqual(new Array(3).fill([5, 1]));
  expect(await learners(output.real, output.made)).toEqual(["discriminator"]);
  expect(await learners(output.passed)).toEqual(["generator"]);
});

const reduceSumOf = (value: Parameters<typeof reduceSum>[0]) => reduceSum(value);
