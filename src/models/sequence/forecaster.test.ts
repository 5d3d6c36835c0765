/** Networks of series: what they give, and that nothing depends on where values lie or in which unit. */
import { describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { Tensor } from "../../core/tensor.ts";
import { predict } from "../../train/predict.ts";
import { Forecaster, type ForecasterOptions } from "./forecaster.ts";

const random = new Random(keyOf(2));
const normal = (...shape: readonly number[]) => {
  const length = shape.reduce((product, extent) => product * extent, 1);
  return new Tensor(
    "float32",
    shape,
    Float32Array.from({ length }, () => random.normal()),
  );
};
const mapped = (x: Tensor, change: (value: number) => number) =>
  new Tensor("float32", x.shape, Float32Array.from(x.toNumbers(), change));
const scale = { mean: 0, deviation: 1.5, change: 0.5 };
const column = { kind: "number", fill: 0, mean: 0, deviation: 1, edges: [0, 1], hasMissing: true } as const;

/** A forecaster with weights that are not zero. */
function forecaster(options: Omit<ForecasterOptions, "window" | "horizon">, inputs: Readonly<Record<string, Tensor>>) {
  const model = new Forecaster({ window: 6, horizon: 2, members: 2, width: 3, ...options });
  model.initialize(keyOf(1), inputs as never);
  for (const [path, parameter] of model.parameters())
    if (path.endsWith("head.weight") && parameter.value) parameter.value = normal(...parameter.shape);
  return model;
}

describe("a forecast", () => {
  test("begins at the last value and at the mean, half of each, with quantiles around them", async () => {
    const model = new Forecaster({ window: 6, horizon: 2, members: 2, width: 3, scales: [[{ ...scale, mean: 10 }]] });
    const past = normal(4, 6, 1);
    model.initialize(keyOf(1), { past });
    const y = (await predict(model, { past })) as Tensor;
    expect(y.shape).toEqual([4, 1, 2, 4]);
    const last = Number(past.data[5]);
    // ln 2 of a softplus at 0, in changes and in deviations.
    const spread = Math.LN2 * (0.5 + 1.5) * 0.5;
    const middle = (last + 10) / 2;
    expect(y.toNumbers().slice(0, 4)).toEqual(
      [middle, middle - spread, middle, middle + spread].map((value) => expect.closeTo(value, 5)),
    );
  });

  test("of changed units is the forecast in those, of every kind", async () => {
    const past = normal(3, 6, 1);
    const inputs = { past, time: new Tensor("float32", [3, 2], Float32Array.of(19000, 0, 19001.5, 0, 19100, 0.5)) };
    const options = { cycles: ["week", "year"] } as const;
    const first = forecaster({ scales: [[scale]], ...options }, inputs);
    const other = new Forecaster({
      ...{ window: 6, horizon: 2, members: 2, width: 3, ...options },
      scales: [[{ mean: 7, deviation: 15, change: 5 }]],
    });
    const moved = { ...inputs, past: mapped(past, (value) => 10 * value + 7) };
    other.initialize(keyOf(1), moved as never);
    for (const [path, parameter] of other.parameters()) parameter.value = first.parameters().get(path)?.value;
    const [a, b] = [(await predict(first, inputs)) as Tensor, (await predict(other, moved)) as Tensor];
    expect(b.toNumbers()).toEqual(a.toNumbers().map((value) => expect.closeTo(10 * value + 7, 3)));
  });

  test("of weeks repeats with the week", async () => {
    const past = normal(1, 6, 1);
    const model = forecaster({ scales: [[scale]], cycles: ["week"] }, { past, time: normal(1, 2) });
    const of = async (day: number) => {
      const time = new Tensor("float32", [1, 2], Float32Array.of(day, 0));
      return ((await predict(model, { past, time })) as Tensor).toNumbers();
    };
    const [monday, tuesday] = [19000, 19001];
    expect(await of(monday + 700)).toEqual((await of(monday)).map((value) => expect.closeTo(value, 4)));
    expect(await of(tuesday)).not.toEqual((await of(monday)).map((value) => expect.closeTo(value, 2)));
  });

  test("reads covariates, what is known ahead, and which series it is", async () => {
    const inputs = {
      past: normal(2, 6, 4),
      future: normal(2, 2, 1),
      series: new Tensor("int32", [2], Int32Array.of(0, 1)),
    };
    const two = [scale, { ...scale, mean: 3 }];
    const model = forecaster({ scales: [two, two], covariates: [column], known: [column] }, inputs);
    const of = async (own: Readonly<Record<string, Tensor>>) =>
      ((await predict(model, own as never)) as Tensor).toNumbers();
    const before = await of(inputs);
    expect(before).toHaveLength(2 * 2 * 2 * 4);
    expect(await of({ ...inputs, future: mapped(inputs.future, (value) => value + 1) })).not.toEqual(before);
    expect(await of({ ...inputs, series: new Tensor("int32", [2], Int32Array.of(0, 0)) })).not.toEqual(before);
    const covariate = mapped(inputs.past, (value) => value);
    covariate.data[5 * 4 + 2] = Number.NaN;
    const missing = await of({ ...inputs, past: covariate });
    expect(missing.every(Number.isFinite)).toBe(true);
    expect(missing.slice(0, 16)).not.toEqual(before.slice(0, 16));
    // The second window is another sample.
    expect(missing.slice(16)).toEqual(before.slice(16).map((value) => expect.closeTo(value, 5)));
  });
});
