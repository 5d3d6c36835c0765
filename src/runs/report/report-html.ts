/** The report of a run as one page of HTML that needs nothing else, no script either. */

import { greatest, spaced } from "../../core/lists.ts";
import { count, duration, percent, plural, resultText, spoken } from "../../core/number-text.ts";
import { inOneLine } from "../../core/printable.ts";
import { curvesOf } from "../../draw/curves.ts";
import { closedPolicy, htmlPage } from "../../draw/page.ts";
import { historyFigures } from "../../explain/learning/drawings.ts";
import { layerColumns } from "../../explain/learning/layer-columns.ts";
import { pictureHtml, pictureStyle } from "../../explain/pictures/html.ts";
import { signedText } from "../../explain/pictures/picture.ts";
import { metricsOf, reachedText } from "../../train/baselines/compared-metric.ts";
import { type Mistake, type MistakeExplanation, type RunReport, shownResults } from "./report.ts";
import { confusionTable } from "./report-confusion.ts";
import { reliabilityDiagram, residualPlot } from "./report-plots.ts";
import { explanationStyle, reportStyle } from "./report-style.ts";
import { searchPlot, searchTable, searchText } from "./search-text.ts";
import { shown, worseText } from "./shown.ts";

/** Rows of long tables. */
const [mostEpochs, mostColumns, mostCells] = [200, 60, 40];
/** Results that the summary shows. */
const mostCards = 6;
/** Pixels of a plot, so that its letters can be read on a telephone. */
const plotSize = { width: 460, height: 280 };

/** Seconds after which a browser reads the page of a run under way again. */
const refreshSeconds = 5;

const section = (title: string, ...content: readonly string[]): string => {
  const inside = content.filter(Boolean).join("");
  return inside === "" ? "" : `<section><h2>${title}</h2>${inside}</section>`;
};

const listOf = (sentences: readonly string[]): string =>
  sentences.map((sentence) => `<p class="soft">${shown(sentence, 2000)}</p>`).join("");

const pairs = (rows: readonly (readonly [name: string, value: string])[]): string =>
  rows.length === 0
    ? ""
    : `<table>${rows.map(([name, value]) => `<tr><th>${shown(name)}</th><td>${shown(value, 400)}</td></tr>`).join("")}</table>`;

/** Cells of numbers. */
const cellsOf = (cells: readonly string[], tag: "th" | "td"): string =>
  cells.map((cell) => `<${tag} class="n">${shown(cell)}</${tag}>`).join("");

/** Where the run is. */
function stateText({ state, epochs, plannedEpochs }: RunReport): string {
  const done = `${count(epochs.length)} of ${plural(plannedEpochs, "epoch")}`;
  if (state === "running") return `Training: ${done} so far.`;
  return state === "stopped" ? `Stopped after ${done}; resume it with --resume.` : `Finished after ${done}.`;
}

function summary(report: RunReport): string {
  const { recipe, summary: about, evaluation, epochs, parameters, verdict, created } = report;
  const last = epochs.at(-1)?.results ?? {};
  const results = evaluation?.results ?? last;
  const where = evaluation ? "on the test" : "in the last epoch";
  const cards = shownResults(results)
    .slice(0, mostCards)
    .map((name) => [resultText(name, results[name] ?? Number.NaN), `${spoken(name)} ${where}`] as const);
  const seconds = epochs.reduce((sum, own) => sum + (own.seconds ?? 0), 0);
  const others = [
    [count(parameters.trainable), parameters.trainable === parameters.total ? "parameters" : "trainable parameters"],
    ...(seconds > 0 ? [[duration(seconds), "training"] as const] : []),
  ] as const;
  const shownCards = [...cards, ...others].map(
    ([value, name]) => `<div class="card"><b>${shown(value)}</b><span>${shown(name)}</span></div>`,
  );
  return `<header><h1>${shown(recipe)}</h1><p>${shown(about, 500)}</p><p class="soft">${shown(stateText(report))} Begun ${shown(created.slice(0, 16).replace("T", " "))} UTC.</p>${verdict === undefined ? "" : `<p class="verdict">${shown(verdict, 1000)}</p>`}<div class="cards">${shownCards.join("")}</div></header>`;
}

function dataSection({ data, samples, classes, dataNotes }: RunReport): string {
  const rows: (readonly [string, string])[] = [];
  if (data !== undefined) rows.push(["data", data]);
  if (samples) rows.push(["samples", `${count(samples.train)} to train on, ${count(samples.test)} to test on`]);
  if (classes) rows.push([plural(classes.length, "class", "classes"), classes.slice(0, 30).join(", ")]);
  return section("Data", pairs(rows), listOf(dataNotes));
}

function trainingSection({ epochs, stopReasons, notes }: RunReport): string {
  const history = epochs.map(({ results }) =>
    Object.fromEntries(shownResults(results).map((name) => [name, results[name] ?? Number.NaN])),
  );
  const curves = Object.values(curvesOf(history, plotSize));
  const names = shownResults(epochs[0]?.results ?? {});
  const head = ["epoch", ...names.map(spoken), "time"].map((name) => `<th class="n">${shown(name)}</th>`).join("");
  const rows = spaced(epochs, mostEpochs).map(([place, { results, seconds }]) => {
    const cells = names.map((name) => resultText(name, results[name] ?? Number.NaN));
    const all = [count(place + 1), ...cells, seconds === undefined ? "-" : duration(seconds)];
    return `<tr>${all.map((cell) => `<td class="n">${shown(cell)}</td>`).join("")}</tr>`;
  });
  return section(
    "Training",
    curves.length === 0 ? "" : `<div class="figures">${curves.join("")}</div>`,
    rows.length === 0
      ? ""
      : `<h3>Epochs</h3><div class="scroll"><table class="wide"><thead><tr>${head}</tr></thead>${rows.join("")}</table></div>`,
    listOf(stopReasons.map((reason) => `Stopped: ${reason}.`)),
    listOf(notes),
  );
}

function layersSection({ layers = [] }: RunReport): string {
  const last = layers.at(-1);
  if (!last) return "";
  const head = cellsOf(["layer", ...layerColumns.map(([name]) => name.toLowerCase())], "th");
  const rows = last.layers.map(
    (layer) => `<tr>${cellsOf([layer.path, ...layerColumns.map(([, of]) => of(layer))], "td")}</tr>`,
  );
  return section(
    "Layers",
    `<p class="soft">Each layer on one batch of the training data, before the first epoch and along the run: a gradient that falls by orders of magnitude from the last layer to the first vanishes, one that grows explodes; dead units, which are 0 for every sample, learn nothing.</p>`,
    ...Object.values(historyFigures(layers, plotSize)),
    `<h3>After ${plural(last.epoch, "epoch")}</h3><div class="scroll"><table class="wide"><thead><tr>${head}</tr></thead>${rows.join("")}</table></div>`,
  );
}

function testSection({ evaluation }: RunReport): string {
  if (!evaluation) return "";
  const { results, samples, confusion, classes = [], baselines = [] } = evaluation;
  // The first stand above, in the summary.
  const names = shownResults(results).slice(mostCards);
  const rows = names.map((name) => [spoken(name), resultText(name, results[name] ?? Number.NaN)] as const);
  const compared = baselines.map(
    (own) =>
      `<tr><th>${shown(own.name)}</th><td class="n">${reachedText(own, baselines)}</td><td>${shown(own.settings)}</td><td class="n">${duration(own.seconds)}</td></tr>`,
  );
  return section(
    "Test",
    `<p class="soft">On ${plural(samples, "sample")} that were not trained on.</p>`,
    pairs(rows),
    compared.length === 0
      ? ""
      : `<h3>Simple baselines on the same test</h3><table class="wide"><thead><tr><th>Baseline</th><th class="n">${metricsOf(baselines)}</th><th>Settings</th><th class="n">Time</th></tr></thead>${compared.join("")}</table>`,
    confusion ? `<h3>Confusion matrix</h3>${confusionTable(confusion, classes)}` : "",
  );
}

function calibrationSection({ calibration }: RunReport): string {
  if (!calibration) return "";
  const { accuracy, confidence, error, samples, bins } = calibration;
  const how = confidence > accuracy ? "overconfident" : "underconfident";
  const rows = bins.map(
    (own) =>
      `<tr><td class="n">${count(100 * own.from)} to ${count(100 * own.to)} %</td><td class="n">${count(own.samples)}</td><td class="n">${percent(own.confidence)}</td><td class="n">${percent(own.accuracy)}</td></tr>`,
  );
  return section(
    "Calibration",
    `<p>Of what the model is 90 % sure, 90 % should be right. On average it is ${percent(confidence)} sure and ${percent(accuracy)} right: it is ${how}. Expected calibration error: <b>${percent(error)}</b> (Guo et al. 2017; ${plural(samples, "sample")}).</p>`,
    `<div class="figures">${reliabilityDiagram(calibration, plotSize)}<table><thead><tr><th class="n">Confidence</th><th class="n">Samples</th><th class="n">Mean</th><th class="n">Right</th></tr></thead>${rows.join("")}</table></div>`,
  );
}

function residualSection({ residuals }: RunReport): string {
  if (!residuals) return "";
  const { samples, bias, rootMeanSquaredError, meanAbsoluteError } = residuals;
  const show = (value: number) => resultText("", value);
  return section(
    "Residuals",
    `<p>Predicted less true, on ${plural(samples, "sample")} of the test: ${show(bias)} on average; ${show(meanAbsoluteError)} on average without the sign; root mean squared error ${show(rootMeanSquaredError)}.</p>`,
    residualPlot(residuals, { ...plotSize, height: 360 }),
  );
}

/** What speaks for the predicted class, in the colours of the page. */
function explanationHtml({ words, bars }: MistakeExplanation): string {
  if (words) return pictureHtml({ kind: "words", words: words.map(shownWord) }, { legend: false });
  // Where any has something to show, what is missing is a dash.
  const blank = bars?.some(({ shown: cell }) => cell !== "") ? "-" : "";
  return bars ? pictureHtml({ kind: "bars", bars: bars.map((own) => shownBar(own, blank)) }) : "";
}

const shownWord = ({ text, value }: NonNullable<MistakeExplanation["words"]>[number]) => ({
  text: inOneLine(text),
  ...(value !== undefined && { value }),
});
const shownBar = ({ name, shown: cell, value }: NonNullable<MistakeExplanation["bars"]>[number], blank: string) => ({
  name: shortened(name, 60),
  shown: cell === "" ? blank : shortened(cell, 200),
  value,
});
const shortened = (text: string, most: number): string =>
  inOneLine(text.length > most ? `${text.slice(0, most - 1)}…` : text);

function mistakeCard({ actual, predicted, confidence, image, cells = [], sample, explained }: Mistake): string {
  const sure = confidence === undefined ? "" : `, ${percent(confidence)} sure`;
  const images = [
    ...(image === undefined ? [] : [[image, `sample ${sample} of the test`]]),
    ...(explained?.map === undefined
      ? []
      : [
          [
            explained.map,
            `what speaks for the prediction, and against it, in full colours from ${signedText(explained.bound ?? 0)} on`,
          ],
        ]),
  ];
  const picture = images
    .map(([address = "", alt = ""]) => `<img src="${shown(address, 1e7)}" alt="${alt}" title="${alt}">`)
    .join("");
  const reasons = explained ? explanationHtml(explained) : "";
  const rows = reasons === "" || explained?.words ? cells : [];
  const shownRows = rows
    .slice(0, mostCells)
    .map(({ name, value }) => `<tr><th>${shown(name, 60)}</th><td>${value === "" ? "-" : shown(value)}</td></tr>`);
  const more =
    rows.length > mostCells ? `<p class="soft">and ${plural(rows.length - mostCells, "column")} more</p>` : "";
  return `<div class="mistake">${picture}<div>predicted <b>${shown(predicted, 80)}</b>${sure}</div><div>true <b>${shown(actual, 80)}</b></div><div class="soft">sample ${count(sample)}</div>${shownRows.length > 0 ? `<table>${shownRows.join("")}</table>` : ""}${more}${reasons}</div>`;
}

/** How the explained mistakes were explained, and how many were not. */
function explanationText(mistakes: readonly Mistake[]): string {
  const methods = mistakes.flatMap(({ explained }) => explained?.method ?? []);
  if (methods.length === 0) return "";
  const left = mistakes.length - methods.length;
  return `<p class="soft">Colours show what speaks <span class="for">for</span> the class that was predicted, and <span class="against">against</span> it, by ${shown([...new Set(methods)].join(" and "))}${left > 0 ? `, for ${plural(methods.length, "mistake")}; the time did not suffice for the other ${count(left)}` : ""}. Ask for more: sardonyx explain.</p>`;
}

function mistakesSection({ mistakes, residuals }: RunReport): string {
  if (!mistakes) return "";
  if (mistakes.length === 0) return section("Worst mistakes", "<p>None of the samples was predicted wrong.</p>");
  const kind = mistakes.some(({ image }) => image !== undefined) ? "mistakes images" : "mistakes";
  return section(
    "Worst mistakes",
    `<p class="soft">The ${residuals ? "largest errors" : "wrong predictions of the highest loss"} among the samples that were looked at: look whether they are labelled right. Samples are numbered from 0, in the order of the test.</p>`,
    explanationText(mistakes),
    `<div class="${kind}">${mistakes.map(mistakeCard).join("")}</div>`,
  );
}

function importanceSection({ importance }: RunReport): string {
  if (!importance) return "";
  const { metric, reference, samples, repeats, columns } = importance;
  const most = greatest(
    columns.map(({ worsening }) => worsening),
    0,
  );
  const rows = columns.slice(0, mostColumns).map(({ name, worsening }) => {
    const width = most > 0 ? Math.max(0, (100 * worsening) / most) : 0;
    return `<tr><th>${shown(name, 60)}</th><td class="bar"><div style="width:${width.toFixed(1)}%"></div></td><td class="n">${worseText(metric, worsening)}</td></tr>`;
  });
  const more = columns.length - rows.length;
  return section(
    "Importance of columns",
    `<p class="soft">How much worse the ${metric === "rmse" ? "root mean squared error" : "accuracy"} of ${resultText(metric, reference)} becomes when a column's values are exchanged between ${plural(samples, "row")} of the test, ${repeats === 1 ? "once" : `mean of ${repeats} times`} (Breiman 2001). Columns that say the same stand in for each other, and come out low.</p>`,
    `<table class="wide">${rows.join("")}</table>`,
    more > 0 ? `<p class="soft">and ${plural(more, "column")} more in report.json</p>` : "",
  );
}

function searchSection({ search }: RunReport): string {
  if (!search) return "";
  const { head, rows } = searchTable(search);
  return section(
    "Search of settings",
    `<p>${shown(searchText(search), 1000)}</p>`,
    searchPlot(search, plotSize),
    `<div class="scroll"><table class="wide"><thead><tr>${cellsOf(head, "th")}</tr></thead>${rows.map((cells) => `<tr>${cellsOf(cells, "td")}</tr>`).join("")}</table></div>`,
  );
}

function usageSection({ usage }: RunReport): string {
  const lines = usage.map(
    ({ command, meaning }) =>
      `<pre>${shown(command, 4000)}</pre>${meaning === "" ? "" : `<p class="soft">${shown(meaning)}</p>`}`,
  );
  return section("How to use the model", lines.join(""));
}

function settingsSection({ settings, versions, parameters }: RunReport): string {
  const rows = Object.entries(settings).map(([name, value]) => [spoken(name), String(value) || "-"] as const);
  const trained = `${count(parameters.total)}, ${parameters.trainable === parameters.total ? "all trainable" : `${count(parameters.trainable)} trainable`}`;
  return section("Settings", pairs([...rows, ["parameters", trained], ...Object.entries(versions)]));
}

/** The look of the sections. */
export const reportSectionsStyle = `${reportStyle}${pictureStyle}${explanationStyle}`;

/** The report as HTML of its sections, the summary first; empty ones are empty texts. */
export const reportSections = (report: RunReport): readonly string[] => [
  summary(report),
  testSection(report),
  calibrationSection(report),
  residualSection(report),
  mistakesSection(report),
  importanceSection(report),
  trainingSection(report),
  layersSection(report),
  searchSection(report),
  dataSection(report),
  settingsSection(report),
  usageSection(report),
];

/** The page. While the run goes on, a browser reads it again by itself. */
export function reportPage(report: RunReport): string {
  const isLive = report.state === "running";
  const refresh = isLive ? `<meta http-equiv="refresh" content="${refreshSeconds}">\n` : "";
  const note = isLive ? `<p class="soft">This page reads itself again every ${refreshSeconds} seconds.</p>` : "";
  return htmlPage({
    title: inOneLine(report.recipe),
    style: reportSectionsStyle,
    sections: [note, ...reportSections(report)],
    head: `${closedPolicy}${refresh}`,
  });
}
