/** The report of a run as a Markdown document, beside the figures in its folder. */
import { spaced } from "../../core/lists.ts";
import { count, duration, percent, plural, resultText, spoken } from "../../core/number-text.ts";
import { inOneLine, markdownText } from "../../core/printable.ts";
import { layerColumns } from "../../explain/learning/layer-columns.ts";
import { metricsOf, reachedText } from "../../train/baselines/compared-metric.ts";
import { type RunReport, shownResults } from "./report.ts";
import { frequentConfusions } from "./report-confusion.ts";
import { searchTable, searchText } from "./search-text.ts";
import { worseText } from "./shown.ts";

/** Rows of long tables. */
const [mostEpochs, mostColumns, mostCells, mostClasses] = [20, 60, 12, 12];

type Row = readonly string[];

/** A table whose cells are escaped already; columns but the first `left` are numbers. */
const tableOf = (head: Row, rows: readonly Row[], left = 1): string =>
  rows.length === 0
    ? ""
    : [head, head.map((_, i) => (i < left ? "---" : "---:")), ...rows]
        .map((cells) => `| ${cells.join(" | ")} |`)
        .join("\n");

const section = (title: string, ...parts: readonly string[]): string => {
  const inside = parts.filter(Boolean);
  return inside.length === 0 ? "" : [`## ${title}`, ...inside].join("\n\n");
};

const listOf = (sentences: readonly string[]): string =>
  sentences.map((sentence) => `- ${markdownText(sentence)}`).join("\n");

const pairs = (rows: readonly (readonly [string, string])[]): string =>
  tableOf(
    ["", ""],
    rows.map(([name, value]) => [markdownText(name), markdownText(value)]),
    2,
  );

function testSection({ evaluation }: RunReport): string {
  if (!evaluation) return "";
  const { results, samples, confusion, classes = [], baselines = [] } = evaluation;
  const names = shownResults(results);
  const nameOf = (place: number) => markdownText(classes[place] ?? String(place));
  const matrix = !confusion
    ? ""
    : confusion.length <= mostClasses
      ? tableOf(
          ["true \\ predicted", ...confusion.map((_, i) => nameOf(i))],
          confusion.map((row, i) => [nameOf(i), ...row.map(count)]),
        )
      : tableOf(
          ["True", "Predicted", "Samples"],
          frequentConfusions(confusion, classes).map(({ actual, predicted, times }) => [
            markdownText(actual),
            markdownText(predicted),
            count(times),
          ]),
          2,
        );
  return section(
    "Test",
    `On ${plural(samples, "sample")} that were not trained on.`,
    pairs(names.map((name) => [spoken(name), resultText(name, results[name] ?? Number.NaN)])),
    tableOf(
      ["Baseline, same test", "Settings", metricsOf(baselines), "Time"],
      baselines.map((own) => [
        markdownText(own.name),
        markdownText(own.settings),
        reachedText(own, baselines),
        duration(own.seconds),
      ]),
      2,
    ),
    matrix,
  );
}

function calibrationSection({ calibration }: RunReport): string {
  if (!calibration) return "";
  const { accuracy, confidence, error, samples, bins } = calibration;
  return section(
    "Calibration",
    `${percent(confidence)} sure and ${percent(accuracy)} right, on average of ${plural(samples, "sample")}. Expected calibration error: ${percent(error)} (Guo et al. 2017).`,
    tableOf(
      ["Confidence", "Samples", "Mean", "Right"],
      bins.map((own) => [
        `${count(100 * own.from)} to ${count(100 * own.to)} %`,
        count(own.samples),
        percent(own.confidence),
        percent(own.accuracy),
      ]),
    ),
  );
}

function residualSection({ residuals }: RunReport): string {
  if (!residuals) return "";
  const { samples, bias, meanAbsoluteError, rootMeanSquaredError } = residuals;
  const show = (value: number) => resultText("", value);
  return section(
    "Residuals",
    `Predicted less true, on ${plural(samples, "sample")}: ${show(bias)} on average, ${show(meanAbsoluteError)} without the sign; root mean squared error ${show(rootMeanSquaredError)}.`,
  );
}

function mistakesSection({ mistakes }: RunReport): string {
  if (!mistakes) return "";
  const names = mistakes[0]?.cells?.slice(0, mostCells).map(({ name }) => markdownText(name)) ?? [];
  const rows = mistakes.map(({ sample, actual, predicted, confidence, cells = [] }) => [
    markdownText(predicted),
    markdownText(actual),
    confidence === undefined ? "-" : percent(confidence),
    String(sample),
    ...names.map((_, i) => markdownText(cells[i]?.value || "-")),
  ]);
  const table = tableOf(["Predicted", "True", "Sure", "Sample", ...names], rows, 2);
  return section("Worst mistakes", table || "None of the samples was predicted wrong.");
}

function importanceSection({ importance }: RunReport): string {
  if (!importance) return "";
  const { metric, reference, samples, columns } = importance;
  return section(
    "Importance of columns",
    `Of ${metric} ${resultText(metric, reference)}, what exchanging a column between ${plural(samples, "row")} of the test costs (Breiman 2001).`,
    tableOf(
      ["Column", metric],
      columns.slice(0, mostColumns).map(({ name, worsening }) => [markdownText(name), worseText(metric, worsening)]),
    ),
  );
}

function trainingSection({ epochs, stopReasons, notes }: RunReport, figures: readonly string[]): string {
  const names = shownResults(epochs[0]?.results ?? {});
  const rows = spaced(epochs, mostEpochs).map(([place, { results, seconds }]) => [
    count(place + 1),
    ...names.map((name) => resultText(name, results[name] ?? Number.NaN)),
    seconds === undefined ? "-" : duration(seconds),
  ]);
  return section(
    "Training",
    figures.map((name) => `![${markdownText(name)}](${encodeURI(name)})`).join("\n"),
    tableOf(["Epoch", ...names.map((name) => markdownText(spoken(name))), "Time"], rows, 0),
    listOf([...stopReasons.map((reason) => `Stopped: ${reason}.`), ...notes]),
  );
}

function layersSection({ layers = [] }: RunReport): string {
  const last = layers.at(-1);
  if (!last) return "";
  return section(
    "Layers",
    `On one batch of the training data, after ${plural(last.epoch, "epoch")}. \`report.json\` has all ${plural(layers.length, "measurement")}.`,
    tableOf(
      ["Layer", ...layerColumns.map(([head]) => head)],
      last.layers.map((layer) => [markdownText(layer.path), ...layerColumns.map(([, of]) => of(layer))]),
    ),
  );
}

function searchSection({ search }: RunReport): string {
  if (!search) return "";
  const { head, rows } = searchTable(search);
  return section(
    "Search of settings",
    searchText(search),
    tableOf(
      head.map(markdownText),
      rows.map((cells) => cells.map(markdownText)),
      0,
    ),
  );
}

function settingsSection({ data, samples, classes, dataNotes, settings, versions, parameters }: RunReport): string {
  const rows: (readonly [string, string])[] = [
    ...(data === undefined ? [] : [["data", data] as const]),
    ...(samples
      ? [["samples", `${count(samples.train)} to train on, ${count(samples.test)} to test on`] as const]
      : []),
    ...(classes ? [["classes", classes.slice(0, 30).join(", ")] as const] : []),
    ["parameters", `${count(parameters.total)}, ${count(parameters.trainable)} trainable`],
    ...Object.entries(settings).map(([name, value]) => [spoken(name), String(value) || "-"] as const),
    ...Object.entries(versions),
  ];
  return section("Data and settings", listOf(dataNotes), pairs(rows));
}

/** The document. @param figures names of drawings in the folder */
export function reportMarkdown(report: RunReport, figures: readonly string[] = []): string {
  const { recipe, summary, verdict, created, epochs } = report;
  const commands = report.usage.map(({ command, meaning }) =>
    [meaning && `# ${inOneLine(meaning)}`, inOneLine(command)].filter(Boolean).join("\n"),
  );
  const sections = [
    `# ${markdownText(recipe)}`,
    markdownText(summary),
    `Begun ${created.slice(0, 16).replace("T", " ")} UTC, ${plural(epochs.length, "epoch")}.`,
    verdict === undefined ? "" : `**${markdownText(verdict)}**`,
    testSection(report),
    calibrationSection(report),
    residualSection(report),
    mistakesSection(report),
    importanceSection(report),
    trainingSection(report, figures),
    layersSection(report),
    searchSection(report),
    settingsSection(report),
    section("How to use the model", `\`\`\`sh\n${commands.join("\n")}\n\`\`\``),
  ];
  return `${sections.filter(Boolean).join("\n\n")}\n`;
}
