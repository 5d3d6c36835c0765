/** The page and the document of a report whose names would do harm if they were taken for markup. */
import { describe, expect, test } from "vitest";
import { type RunReport, runReportSchema } from "./report.ts";
import { reportPage } from "./report-html.ts";
import { reportMarkdown } from "./report-markdown.ts";

const evil = '<script>alert("1")</script>|`x`\n# y';
const report: RunReport = {
  format: "sardonyx-report-1",
  state: "finished",
  recipe: evil,
  summary: evil,
  data: evil,
  created: "2026-01-02T03:04:05.678Z",
  versions: { node: "20.0.0" },
  settings: { learningRate: 0.1, target: evil, ignore: "" },
  samples: { train: 8, test: 2 },
  classes: [evil, "b"],
  dataNotes: [evil],
  parameters: { total: 10, trainable: 6 },
  plannedEpochs: 3,
  epochs: [
    { results: { loss: 2, "loss.detail": 1, validation_loss: 3 }, seconds: 1.5 },
    { results: { loss: 1, "loss.detail": 1, validation_loss: Number.NaN } },
  ],
  stopReasons: [evil],
  notes: [evil],
  evaluation: {
    samples: 2,
    results: { loss: 1, accuracy: 0.5 },
    classes: [evil, "b"],
    confusion: [
      [1, 1],
      [0, 0],
    ],
    baselines: [{ name: evil, settings: evil, validation: 1, test: 0.5, metric: "accuracy", seconds: 1 }],
  },
  verdict: evil,
  calibration: {
    samples: 2,
    accuracy: 0.5,
    confidence: 0.8,
    error: 0.3,
    bins: [{ from: 0.7, to: 0.8, samples: 2, confidence: 0.8, accuracy: 0.5 }],
  },
  residuals: { samples: 1, bias: 1, rootMeanSquaredError: 1, meanAbsoluteError: 1, pairs: [[1, 2]] },
  mistakes: [
    { sample: 0, actual: evil, predicted: "b", loss: 1, cells: [{ name: evil, value: evil }] },
    {
      ...{ sample: 1, actual: evil, predicted: "b", loss: 1 },
      explained: { method: evil, bars: [{ name: evil, shown: evil, value: 0.5 }] },
    },
    {
      ...{ sample: 2, actual: evil, predicted: "b", loss: 1 },
      explained: { method: "m", words: [{ text: evil, value: -0.5 }] },
    },
  ],
  importance: {
    metric: "accuracy",
    reference: 0.5,
    samples: 2,
    repeats: 5,
    columns: [{ name: evil, worsening: 0.25 }],
  },
  layers: [0, 1].map((epoch) => ({
    epoch,
    batch: epoch,
    loss: 1,
    layers: [
      {
        path: evil,
        type: evil,
        shape: [2, 1],
        mean: 0,
        deviation: 1,
        zeros: 0,
        dead: 0.5,
        weights: { parameters: 1, norm: 1, gradient: 0.25, ratio: 0.25 },
      },
    ],
  })),
  usage: [{ command: evil, meaning: evil }],
};

describe("the page", () => {
  const page = reportPage(report);

  test("takes no name for markup, and loads nothing", () => {
    expect(page).not.toMatch(/<script|\son\w+=|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    expect(page).toContain("&lt;script&gt;");
    expect(page).toContain("default-src 'none'");
  });

  test("shows every section", () => {
    const titles = Array.from(page.matchAll(/<h2>([^<]*)</g), ([, title]) => title);
    expect(titles).toEqual([
      "Test",
      "Calibration",
      "Residuals",
      "Worst mistakes",
      "Importance of columns",
      "Training",
      "Layers",
      "Data",
      "Settings",
      "How to use the model",
    ]);
    expect(page).toContain("-25.00 %");
    expect(page).not.toContain("loss.detail");
  });

  test("is read again by itself only while the run goes on", () => {
    const refresh = '<meta http-equiv="refresh"';
    expect(page).not.toContain(refresh);
    expect(reportPage({ ...report, state: "stopped" })).not.toContain(refresh);
    expect(reportPage({ ...report, state: "running" })).toContain(refresh);
  });

  test("of a run without an epoch is whole too", () => {
    const begun: RunReport = { ...report, state: "running", epochs: [], evaluation: undefined };
    expect(reportPage(begun)).toContain("0 of 3 epochs");
  });
});

test("the document has every section, and no name ends a line or a cell", () => {
  const text = reportMarkdown(report, ["curve-loss.svg"]);
  expect(text.match(/^## .*$/gm)).toHaveLength(9);
  expect(text).toContain("![curve-loss.svg](curve-loss.svg)");
  const outside = text.replace(/```sh[\s\S]*?```/, "");
  expect(outside).not.toMatch(/(?<!\\)<script/);
  expect(outside).not.toMatch(/^# y/m);
});

test("report.json is read back, with numbers that are none", () => {
  const read = runReportSchema.parse(JSON.parse(JSON.stringify(report)));
  expect(read).toEqual(JSON.parse(JSON.stringify(report), (_, value) => value ?? Number.NaN));
});

describe("mistakes that are explained", () => {
  const image = "data:image/png;base64,AA==";
  const mistake = { sample: 0, actual: "a", predicted: "b", loss: 1, image };
  const explained = { method: "grad-cam", map: image, bound: 0.25 };

  test("have their map beside the image, and the method above; those without are counted", () => {
    const page = reportPage({ ...report, mistakes: [{ ...mistake, explained }, mistake, mistake] });
    expect(page).toContain("it, by grad-cam, for 1 mistake; the time did not suffice for the other 2.");
    expect(page).toMatch(
      /<img [^>]*title="what speaks for the prediction, and against it, in full colours from \+0\.25 on">/,
    );
  });

  test("where none is explained nothing is said of it", () => {
    expect(reportPage({ ...report, mistakes: [mistake] })).not.toContain("Colours show");
  });

  test("bars take the place of cells", () => {
    const cells = [{ name: "size", value: "3" }];
    const bars = [{ name: "size", shown: "3", value: 1 }];
    const page = reportPage({ ...report, mistakes: [{ ...mistake, cells, explained: { method: "m", bars } }] });
    expect(page.match(/>size</g)).toHaveLength(1);
    expect(page).toContain('<td class="number">+1</td>');
  });
});
