/** Time series of your own without code: trained, held against simple forecasts, asked by newer rows, exported. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../src/core/random.ts";
import { keyOf } from "../../src/index.ts";
import { openRun } from "../../src/node.ts";
import { sardonyx } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-own-series-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Two shops whose sales follow the week and a price that is known ahead, a thousand times apart. */
const random = new Random(keyOf(1));
const dateOf = (i: number) => new Date(Date.UTC(2023, 0, 1 + i)).toISOString().slice(0, 10);
const prices = Array.from({ length: 240 }, () => random.integer(5));
const lines = prices.flatMap((price, i) =>
  ["small", "large"].map((shop, j) => {
    const sales = ((i % 7) + 2 * price + 0.3 * random.normal()) * (j === 0 ? 1 : 1000);
    return `${dateOf(i)},${shop},${sales.toFixed(2)},${price}`;
  }),
);
const head = "date,shop,sales,price";
const given = join(folder, "shops.csv");
writeFileSync(given, [head, ...lines].join("\n"));

const args = ["--task", "forecast", "--target", "sales", "--series", "shop", "--known", "price", "--horizon", "7"];
const trainOn = (name: string, ...more: string[]) => {
  const run = join(folder, name);
  const done = sardonyx("train", "--data", given, "--out", run, "--threads", "1", "--minutes", "0.5", ...args, ...more);
  expect([done.stderr, done.status]).toEqual(["", 0]);
  return { run, evaluation: JSON.parse(readFileSync(join(run, "evaluation.json"), "utf8")), stdout: done.stdout };
};

test("a table of measures by day is forecast without being asked, and its rows are predicted where they are", () => {
  const path = join(folder, "days.csv");
  const days = Array.from({ length: 90 }, (_, i) => `${dateOf(i)},${(20 + 5 * Math.sin(i) + i / 7).toFixed(2)},${i}.5`);
  writeFileSync(path, ["date,sales,cost", ...days].join("\n"));
  const short = ["--data", path, "--threads", "1", "--minutes", "0.5", "--epochs", "1", "--width", "8"];
  const forecast = sardonyx("train", ...short, "--target", "sales", "--horizon", "3", "--out", join(folder, "days"));
  expect([forecast.stderr, forecast.status]).toEqual(["", 0]);
  expect(forecast.stdout.replace(/\s+/g, " ")).toMatch(/in the order of time, by "date" in steps of 1 day, whose next/);
  const rows = sardonyx("train", ...short, "--task", "regression", "--out", join(folder, "rows"));
  expect([rows.stderr, rows.status]).toEqual(["", 0]);
  expect(rows.stdout.replace(/\s+/g, " ")).toMatch(/is taken for a table; .*"cost" is predicted/);
}, 60_000);

describe("series with a price that is known ahead", () => {
  let run = "";
  let evaluation: ReturnType<typeof trainOn>["evaluation"];
  let said = "";
  beforeAll(() => {
    ({ run, evaluation, stdout: said } = trainOn("shops", "--epochs", "40", "--learning-rate", "0.003"));
  }, 120_000);

  test("are forecast better than without a model, beside simple forecasts of the same windows", () => {
    const errors = Object.fromEntries(
      evaluation.baselines.map(({ name, test: error }: { name: string; test: number }) => [name, error]),
    );
    expect(Object.keys(errors)).toEqual(["last value", "seasonal naive", "mean of the season", "ridge regression"]);
    expect(evaluation.results.rootMeanSquaredError).toBeLessThan(0.7 * errors["seasonal naive"]);
    // Of 80 %, by some hundred values.
    expect(evaluation.results.coverage).toBeGreaterThan(0.5);
    const text = said.replace(/\s+/g, " ");
    expect(text).toMatch(/is taken for --task forecast/);
    expect(text).toMatch(/steps are of 1 day: 480 from 2023-01-01 to 2023-08-28/);
    expect(text).toMatch(/samples that were not trained on chose \w+, after epoch \d+/);
  });

  /** The newest rows of a shop, and prices of the week after them. */
  const newest = (shop: string) => [
    ...lines.filter((line) => line.includes(shop)).slice(-20),
    ...Array.from({ length: 7 }, (_, h) => `${dateOf(240 + h)},${shop},,${h % 5}`),
  ];

  test("go on after the newest rows, by what is known of the price", () => {
    const path = join(folder, "newest.csv");
    writeFileSync(path, [head, ...newest("small"), ...newest("large")].join("\n"));
    const { stdout, stderr, status } = sardonyx("predict", run, path, "--json");
    expect([stderr, status]).toEqual(["", 0]);
    const { forecast } = JSON.parse(stdout);
    expect(forecast).toHaveLength(14);
    expect(forecast[0]).toMatchObject({ time: "2023-08-29", series: "small", target: "sales" });
    expect(forecast[13]).toMatchObject({ time: "2023-09-04", series: "large" });
    for (const { q10, q50, q90 } of forecast) expect([q10 <= q50, q50 <= q90]).toEqual([true, true]);
    // Prices of 0 and 4 are 8 sales apart.
    expect(forecast[4].mean - forecast[0].mean).toBeGreaterThan(4);
    expect(forecast[11].mean).toBeGreaterThan(1000);
    const shown = sardonyx("predict", run, path).stdout;
    expect(shown).toMatch(/2023-08-29 {2}small {2}sales {2}[\d.-]+ +[\d.-]+ to [\d.-]+/);
  });

  test.each([
    [
      () => newest("small").slice(0, 22),
      /newest-0.csv: "small" ends 2 steps after 2023-08-28, and "price" must be known of 7 steps/,
    ],
    [() => newest("small").slice(10), /"small" has 10 steps up to 2023-08-28, and the model reads 16; pass more rows/],
    [
      () => newest("small").map((line) => line.replace("small", "tiny")),
      /"tiny" is no "shop" that was trained on; pass one of "small", "large"/,
    ],
    [
      () => newest("small").map((line) => line.replace(/,small,[-\d.]+/, ",small,")),
      /"small" has no value of a target/,
    ],
    [
      () => newest("small").map((line) => line.replace("2023-08-28", "28.8.23")),
      /line \d+: "date" is "28.8.23", expected a date as YYYY-MM-DD/,
    ],
  ])("are refused with rows that do not do %#", (rows, refusal) => {
    const path = join(folder, "newest-0.csv");
    writeFileSync(path, [head, ...rows()].join("\n"));
    const { stderr, status } = sardonyx("predict", run, path);
    expect([status, stderr]).toEqual([2, expect.stringMatching(refusal)]);
  });

  test("the exported graph takes windows as they are, of any number", async () => {
    const out = join(folder, "model.onnx");
    expect(sardonyx("export", run, "--out", out)).toMatchObject({ status: 0, stderr: "" });
    const { InferenceSession, Tensor } = await import("onnxruntime-node");
    const session = await InferenceSession.create(out);
    expect([...session.inputNames].sort()).toEqual(["future", "past", "series", "time"]);
    const opened = await openRun(run);
    const rows = lines.filter((line) => line.includes("small")).slice(-16);
    const past = rows.flatMap((line) => line.split(",").slice(2).map(Number));
    const twice = (own: readonly number[]) => Float32Array.from([...own, ...own]);
    const feeds = {
      past: new Tensor("float32", twice(past), [2, 16, 2]),
      time: new Tensor("float32", twice([Date.UTC(2023, 7, 29) / 86_400_000, 0]), [2, 2]),
      future: new Tensor("float32", twice([0, 1, 2, 3, 4, 0, 1]), [2, 7, 1]),
      series: new Tensor("int32", Int32Array.of(0, 0), [2]),
    };
    const y = Object.values(await session.run(feeds))[0];
    expect(y?.dims).toEqual([2, 1, 7, 4]);
    const asked = await opened.ask(join(folder, "newest.csv"));
    const forecast = ("fields" in asked ? asked.fields["forecast"] : []) as { readonly mean: number }[];
    const means = Array.from({ length: 7 }, (_, h) => Number(y?.data[4 * h]));
    expect(means).toEqual(forecast.slice(0, 7).map(({ mean }) => expect.closeTo(mean, 3)));
    await opened.release();
  });

  test("is tested again to the same results", () => {
    const { stdout, status } = sardonyx("eval", run, "--json");
    expect(status).toBe(0);
    const again = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .find(({ type }) => type === "evaluation");
    expect(again.results.rootMeanSquaredError).toBeCloseTo(evaluation.results.rootMeanSquaredError, 5);
  });
});

test("goes on where it stopped, to the same end", () => {
  const parted = trainOn("parted", "--epochs", "1");
  expect(
    sardonyx("train", "--data", given, "--out", parted.run, "--resume", "--epochs", "2", "--task", "forecast").status,
  ).toBe(0);
  const whole = trainOn("whole", "--epochs", "2");
  const weights = (path: string) => {
    const out = join(path, "w.safetensors");
    expect(sardonyx("export", path, "--out", out).status).toBe(0);
    return readFileSync(out);
  };
  expect(weights(parted.run).equals(weights(whole.run))).toBe(true);
});
