/** What a table of time series is taken for: its steps, gaps, parts without leaks, what is learned of the training part, simple forecasts. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { keyOf, Random } from "../../core/random.ts";
import { tensor } from "../../core/tensor.ts";
import { compareSeriesBaselines } from "../../train/baselines/seasonal-naive.ts";
import { saveParameters } from "../../train/callbacks/saved-parameters.ts";
import { fit } from "../../train/fit.ts";
import { adam } from "../../train/optimizers/index.ts";
import { loadSeries, type SeriesRequest } from "./load-series.node.ts";
import { baselinesOfSeries } from "./series-baselines.ts";
import { seriesNetwork } from "./series-encoding.ts";
import { inputsOf, targetsOf } from "./series-grid.ts";
import { seriesObjective, type WindowBatch } from "./series-objective.ts";
import { windowBatches } from "./window-batches.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-series-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function load(lines: readonly string[], request: Partial<SeriesRequest> = {}) {
  const path = join(folder, `${files++}.csv`);
  writeFileSync(path, lines.join("\n"));
  const names = { time: "", series: "", targets: [], known: [], ignore: [] };
  return loadSeries({ path, ...names, horizon: 0, window: 0, limit: undefined, ...request });
}

const dateOf = (i: number) => new Date(Date.UTC(2020, 0, 1 + i)).toISOString().slice(0, 10);
const random = new Random(keyOf(3));
const noise = Array.from({ length: 300 }, () => random.normal());
/** Days of a weekly cycle. */
const days = (count: number, value: (i: number) => number | string = (i) => (i % 7) + 0.1 * (noise[i] ?? 0)) => [
  "date,sales",
  ...Array.from({ length: count }, (_, i) => `${dateOf(i)},${value(i)}`),
];

describe("columns", () => {
  const lines = [
    "day,shop,sales,price,weather,remark",
    ...Array.from({ length: 120 }, (_, i) =>
      [0, 1].map(
        (shop) =>
          `${dateOf(i)},${["b", "a"][shop]},${i + shop},${(i * 7) % 10}.5,${["sun", "rain"][i % 2]},note ${i} of a long remark with words`,
      ),
    ).flat(),
  ];
  test("are what they are named, else by what they hold", async () => {
    const { encoding, notes } = await load(lines, { series: "shop", known: ["price"], targets: ["sales"] });
    expect(encoding.time).toMatchObject({ name: "day", step: { kind: "duration", milliseconds: 86_400_000 } });
    expect(encoding.series?.values).toEqual(["b", "a"]);
    expect(encoding.targets.map(({ name }) => name)).toEqual(["sales"]);
    expect(encoding.covariates?.fields.map(({ name }) => name)).toEqual(["weather"]);
    expect(encoding.known?.fields.map(({ name }) => name)).toEqual(["price"]);
    expect(encoding.cycles).toEqual(["week"]);
    expect(notes.join("\n")).toMatch(/steps are of 1 day: 240 from 2020-01-01 to 2020-04-29/);
    expect(notes.join("\n")).toMatch(/not read: "remark"/);
  });
  test("of numbers are all forecast where none is named", async () => {
    const { encoding } = await load(lines, { series: "shop" });
    expect(encoding.targets.map(({ name }) => name)).toEqual(["sales", "price"]);
  });
  test.each([
    [
      {},
      /line 2 and line 3 are both of "2020-01-01"; keep one of them, or name the column that tells series apart: --series COLUMN/,
    ],
    [{ series: "ship" }, /"ship"; did you mean "shop"/],
    [{ series: "shop", targets: ["weather"] }, /target "weather": .*; only numbers are forecast/],
    [{ series: "shop", targets: ["day"] }, /--target names "day", which is the time, the series or known ahead/],
    [{ series: "shop", known: ["remark"] }, /--known names "remark": .*; name columns of numbers or categories/],
    [{ series: "shop", time: "weather" }, /--time is "weather": .*; name a column of dates or numbers/],
    [{ series: "shop", horizon: 1.5 }, /--horizon is 1.5; pass a whole number from 1/],
    [
      { series: "shop", horizon: 60 },
      /the training part has 0 windows of 1 step with the 60 steps after them, expected 8 at least/,
    ],
  ])("named %o are refused", async (request, refusal) => {
    await expect(load(lines, request)).rejects.toThrow(refusal);
  });
  test("of several dates ask which is the time", async () => {
    const two = ["a,b,y", ...Array.from({ length: 60 }, (_, i) => `${dateOf(i)},${dateOf(i + 3)},${i % 9}.5`)];
    await expect(load(two)).rejects.toThrow(
      /several columns of dates, "a", "b"; name the time of the rows: --time COLUMN/,
    );
    const { encoding } = await load(two, { time: "b" });
    expect(encoding.time.name).toBe("b");
  });
  test("without dates may have a time of numbers by its name", async () => {
    const years = ["year,temp", ...Array.from({ length: 140 }, (_, i) => `${1880 + i},${i % 5}.5`)];
    const { encoding } = await load(years);
    expect(encoding.time).toMatchObject({ name: "year", step: { kind: "numbers", every: 1 } });
    await expect(load(years.map((line) => line.replace("year", "x")))).rejects.toThrow(/no column tells the time/);
  });
});

describe("rows", () => {
  test("in any order are sorted", async () => {
    const lines = days(100);
    const shuffled = [lines[0] as string, ...lines.slice(1).reverse()];
    const [one, other] = [await load(lines), await load(shuffled)];
    expect(other.grids).toEqual(one.grids);
  });
  test("that lack a value or are left out count for gaps: the last value is read, nothing is measured", async () => {
    const lines = days(100, (i) => (i === 40 ? "" : i));
    const { grids, parts, encoding, notes } = await load([...lines.slice(0, 51), ...lines.slice(53)], {
      horizon: 3,
      window: 8,
    });
    const [grid] = grids;
    expect([39, 40, 41, 49, 50, 51, 52].map((at) => grid?.values[at])).toEqual([39, 39, 41, 49, 49, 49, 52]);
    expect([39, 40, 41, 50, 51].map((at) => grid?.carried[at])).toEqual([0, 1, 0, 1, 2]);
    expect(notes.join()).toMatch(/3 lack a value, up to 2 steps in a row/);
    const before = parts.train.filter(({ origin }) => origin === 38);
    expect(targetsOf(before, encoding.horizon).toNumbers()).toEqual([39, Number.NaN, 41]);
  });
  test("behind a long gap are read after it only", async () => {
    const lines = days(200);
    const { parts } = await load([...lines.slice(0, 50), ...lines.slice(70)], { horizon: 2, window: 8 });
    const origins = parts.train.map(({ origin }) => origin);
    // Steps 49 to 68 are missing; of 8 steps 2 may be in a row.
    expect(origins.filter((origin) => origin >= 51 && origin <= 75)).toEqual([]);
    expect(origins).toContain(76);
  });
  test.each([
    [
      days(60).with(30, "2020-01-30 07:12,5"),
      /line 31: its time is 2020-01-30, between 2020-01-30 and 2020-01-31, where steps are of 1 day/,
    ],
    [days(60).with(30, "2202-01-30,5"), /line 61 and line 31 are 66,\d+ steps of 1 day apart/],
    [days(60).with(30, ",5"), /line 31: "date" is "", expected a date as YYYY-MM-DD/],
    [days(60).with(30, "2020-01-30,many"), /line 31: "sales" is "many", expected a number/],
    [days(60).with(30, "2020-01-29,5"), /line 30 and line 31 are both of "2020-01-29"/],
    [["date,sales"], /has no rows below its names/],
    [days(1), /column|time has 1 value/],
    [days(12), /the training part has \d windows?/],
  ])("that make no sense are refused %#", async (lines, refusal) => {
    await expect(load(lines)).rejects.toThrow(refusal);
  });
});

describe("parts", () => {
  test("follow one another, and no forecast reaches from one into the next", async () => {
    const { grids, parts, encoding } = await load(days(200), { horizon: 5, window: 10 });
    const reach = (name: keyof typeof parts) => {
      const places = parts[name].map(({ origin }) => origin + 1);
      return [Math.min(...places), Math.max(...places) + encoding.horizon - 1];
    };
    expect(grids[0]?.steps).toBe(200);
    expect(reach("train")).toEqual([10, 129]);
    expect(reach("validation")).toEqual([130, 159]);
    expect(reach("test")).toEqual([160, 199]);
    expect(parts.between.map(({ origin }) => origin + 1)).toEqual([126, 127, 128, 129]);
  });
  test("after the training part teach nothing of scales and categories", async () => {
    const scaled = async (late: number) =>
      (
        await load(
          days(200, (i) => (i < 130 ? i % 7 : late)),
          { horizon: 5, window: 10 },
        )
      ).encoding;
    expect(await scaled(1e6)).toEqual(await scaled(3));
  });
});

test("members of the first half learn nothing of the validation part", async () => {
  const weights = async (late: number) => {
    const series = await load(
      days(120, (i) => (i < 78 ? (i % 7) + (noise[i] ?? 0) : i % late)),
      { horizon: 3, window: 8 },
    );
    const { model } = seriesNetwork(series.encoding, 4);
    await fit(model, windowBatches(series, { parts: ["train", "between", "validation"], batchSize: 16 }) as never, {
      objective: seriesObjective(model, { scaled: false }) as never,
      optimizer: adam({ learningRate: 0.01 }),
      epochs: 2,
    });
    return saveParameters(model);
  };
  const [one, other] = [await weights(3), await weights(5)];
  const path = "candidates.linearOfLevels.head.weight";
  const half = (one[path]?.length ?? 0) / 2;
  expect(half).toBeGreaterThan(0);
  expect(one[path]?.slice(0, half)).toEqual(other[path]?.slice(0, half));
  expect(one[path]?.slice(half)).not.toEqual(other[path]?.slice(half));
});

describe("a network", () => {
  test("forecasts quantiles that do not cross, whatever the scale of the series", async () => {
    const series = await load(days(120), { horizon: 3, window: 8 });
    const times = 1000;
    const larger = await load(
      days(120, (i) => times * ((i % 7) + 0.1 * (noise[i] ?? 0))),
      { horizon: 3, window: 8 },
    );
    const losses = await Promise.all(
      [series, larger].map(async (own) => {
        const { model } = seriesNetwork(own.encoding, 4);
        const { history } = await fit(model, windowBatches(own, { parts: ["train"], batchSize: 16 }) as never, {
          objective: seriesObjective(model, { scaled: false }) as never,
          optimizer: adam({ learningRate: 0.01 }),
          epochs: 3,
        });
        return history.at(-1)?.loss ?? Number.NaN;
      }),
    );
    // All is computed in usual changes: only rounding differs.
    expect(losses[1]).toBeCloseTo(losses[0] as number, 3);
  });
});

describe("simple forecasts", () => {
  test("of the last value and of seasons are those of the baselines of series", async () => {
    const values = Array.from({ length: 200 }, (_, i) => (i % 7) + (noise[i] ?? 0));
    const series = await load(
      days(200, (i) => values[i] as number),
      { horizon: 5, window: 10 },
    );
    const own = await baselinesOfSeries(series, { scaled: false });
    const theirs = compareSeriesBaselines(
      {
        train: tensor(values.slice(0, 130)),
        validation: tensor(values.slice(130, 160)),
        test: tensor(values.slice(160)),
      },
      { horizon: 5 },
    );
    for (const { name, test: error, validation } of theirs) {
      const found = own.find((result) => result.name === name);
      // Tensors hold float32.
      expect(found?.test).toBeCloseTo(error, 5);
      expect(found?.validation).toBeCloseTo(validation, 5);
    }
    expect(own.map(({ name }) => name)).toEqual([
      "last value",
      "seasonal naive",
      "mean of the season",
      "ridge regression",
    ]);
  });
  test("find what is there to find: a season, a trend, a price that is known ahead", async () => {
    const errorsOf = async (lines: readonly string[], known: readonly string[] = []) => {
      const series = await load(lines, { horizon: 5, window: 14, targets: ["sales"], known });
      const results = await baselinesOfSeries(series, { scaled: false });
      return Object.fromEntries(results.map(({ name, test: error }) => [name, error]));
    };
    const season = await errorsOf(days(200, (i) => [3, 1, 4, 1, 5, 9, 2][i % 7] ?? 0));
    expect(season["seasonal naive"]).toBe(0);
    expect(season["mean of the season"]).toBeCloseTo(0, 6);
    const trend = await errorsOf(days(200, (i) => 2 * i));
    expect(trend["ridge regression"]).toBeLessThan(0.1);
    expect(trend["last value"]).toBeGreaterThan(5);
    const priced = [
      "date,sales,price",
      ...Array.from({ length: 200 }, (_, i) => `${dateOf(i)},${-3 * (noise[i] ?? 0)},${noise[i]}`),
    ];
    const ahead = await errorsOf(priced, ["price"]);
    expect(ahead["ridge regression"]).toBeLessThan(0.3 * (ahead["mean of the season"] ?? 0));
  });
  test("of several series count in the usual changes of each", async () => {
    const two = [
      "date,shop,sales",
      ...Array.from({ length: 150 }, (_, i) => [`${dateOf(i)},a,${i % 7}`, `${dateOf(i)},b,${1000 * (i % 7)}`]).flat(),
    ];
    const series = await load(two, { series: "shop", horizon: 5, window: 14 });
    const [last] = await baselinesOfSeries(series, { scaled: true });
    // By definition 1 in the training part, and the cycle goes on.
    expect(last?.test).toBeCloseTo(1, 1);
    const batch = inputsOf(series.parts.test, series.encoding);
    expect([...new Set(batch["series"]?.toNumbers())]).toEqual([0, 1]);
  });
});

test("a batch has what is asked for, and nothing of what is forecast", async () => {
  const series = await load(days(120), { horizon: 3, window: 8 });
  for await (const batch of windowBatches(series, { parts: ["test"], batchSize: 4 }).epoch(0)) {
    const { past, y, part } = batch as WindowBatch;
    expect([past.shape, y.shape, part.toNumbers()]).toEqual([
      [4, 8, 1],
      [4, 1, 3],
      [3, 3, 3, 3],
    ]);
    const grid = series.grids[0];
    const origin = series.parts.test[0]?.origin ?? 0;
    expect(past.toNumbers().slice(0, 8)).toEqual([...(grid?.values.slice(origin - 7, origin + 1) ?? [])]);
    expect(y.toNumbers().slice(0, 3)).toEqual([...(grid?.values.slice(origin + 1, origin + 4) ?? [])]);
    break;
  }
});
