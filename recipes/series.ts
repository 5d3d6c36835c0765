/** Time series of your own: the next values of columns of a table, with the range in which they are expected. */
import { z } from "zod";
import {
  baselinesOfSeries,
  type Dialogue,
  defineRecipe,
  foldIn,
  forecastMetrics,
  keepBestCandidate,
  keyOf,
  type Objective,
  predictor,
  seriesEncodingSchema,
  seriesNetwork,
  seriesObjective,
  type Tensor,
  windowBatches,
} from "../src/index.ts";
import { forecastAfter, forecastText, loadSeries } from "../src/node.ts";
import { requireOwnData } from "./shared/own-data.ts";

/** Of the time, what training may take; the rest is for baselines. */
const trainingShare = 0.7;
/** Windows that are measured at once. */
const mostAtOnce = 1024;

/** What a run keeps of its table. */
const facts = z.object({ encoding: seriesEncodingSchema });

function open({ width }: { readonly width: number }, { encoding }: z.infer<typeof facts>) {
  const network = seriesNetwork(encoding, width);
  const dialogue: Dialogue = {
    what: "a table with the newest rows, or such rows as JSON",
    example: "newest.csv",
    async open(compile) {
      const ask = predictor(network.model, { compile, snapshot: true });
      return async (question) => {
        const forecast = await forecastAfter(
          question,
          encoding,
          async (inputs) => (await ask(inputs as never)) as Tensor,
        );
        return { text: forecastText(forecast), fields: { forecast } };
      };
    },
  };
  return { ...network, dialogue };
}

const named = (list: string): readonly string[] => list.split(",").flatMap((name) => name.trim() || []);

export default defineRecipe({
  name: "series",
  summary:
    "Time series of your own: their next values with ranges, by networks that are compared, beside simple baselines",
  data: "your own: the last fifth of the time to test, 15 % before it to validate",
  defaults: { epochs: 200, batchSize: 64, learningRate: 0.001, optimizer: "adamw", seed: 0 },
  options: {
    data: { description: "the table: .csv, .tsv, .jsonl, .json or .parquet", default: "" },
    task: { description: "that a table is taken for time series", default: "forecast", choices: ["forecast"] },
    target: { description: "the columns to forecast, with commas; default all of numbers", default: "" },
    time: { description: "the column of dates or numbers by which rows follow; default the only dates", default: "" },
    series: { description: "the column that tells several series apart, such as a shop or a symbol", default: "" },
    known: { description: "columns whose values are known of the steps to forecast, with commas", default: "" },
    ignore: { description: "columns not to read, with commas", default: "" },
    horizon: { description: "steps to forecast; 0: by the calendar", default: 0 },
    window: { description: "steps to read; 0: by the horizon and the calendar", default: 0 },
    minutes: { description: "time for training and for the baselines", default: 2 },
    width: { description: "units of hidden layers", default: 64 },
  },
  facts,
  open,
  async load(settings, limit) {
    const { data, seed, batchSize, minutes } = settings;
    requireOwnData({ data, minutes }, "there is no table; name its file by --data");
    const series = await loadSeries({
      path: data,
      time: settings.time,
      series: settings.series,
      targets: named(settings.target),
      known: named(settings.known),
      ignore: named(settings.ignore),
      horizon: settings.horizon,
      window: settings.window,
      limit,
    });
    const { encoding, parts } = series;
    const opened = open(settings, { encoding });
    // Series and targets of several units count alike.
    const scaled = encoding.scales.length > 1 || encoding.targets.length > 1;
    const before = ["train", "between", "validation"] as const;
    const learned = before.reduce((sum, part) => sum + parts[part].length, 0);
    return {
      ...opened,
      facts: { encoding },
      train: windowBatches(series, { parts: before, batchSize, key: foldIn(keyOf(seed), "order") }),
      validation: windowBatches(series, { parts: ["validation"], batchSize: mostAtOnce }),
      test: windowBatches(series, { parts: ["test"], batchSize: mostAtOnce }),
      objective: seriesObjective(opened.model, { scaled }) as Objective<never>,
      metrics: forecastMetrics(encoding.targets.map(({ name }) => name)),
      samples: { train: learned, test: parts.test.length },
      notes: [
        ...series.notes,
        ...(scaled
          ? ["errors are in those that the last value makes in the training part, for all targets and series alike"]
          : []),
      ],
      callbacks: [keepBestCandidate(opened.model, { patience: 30, seconds: 60 * trainingShare * minutes })],
      training: {
        clipNorm: 1,
        // Straight lines have further to go.
        groups: [{ parameters: ["candidates.linearOfChanges", "candidates.linearOfLevels"], learningRateScale: 4 }],
      },
      optimizers: { adamw: { weightDecay: 1 } },
      baselines: () => baselinesOfSeries(series, { scaled }),
    };
  },
});
