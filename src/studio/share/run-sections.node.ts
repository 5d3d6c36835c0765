/** One run as sections of a page to send: its report where there is one, else what its files say; what is noted of it, its curves. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type * as z from "zod";
import { KeyError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { plural, resultText, spoken } from "../../core/number-text.ts";
import { runFiles } from "../../runs/folder/run-folder.node.ts";
import { runReportSchema } from "../../runs/report/report.ts";
import { confusionTable } from "../../runs/report/report-confusion.ts";
import { reportSections } from "../../runs/report/report-html.ts";
import { shown } from "../../runs/report/shown.ts";
import { type EvaluationReport, evaluationSchema } from "../../runs/training/evaluation.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { metricsOf, reachedText } from "../../train/baselines/compared-metric.ts";
import type { Drawing } from "../runs/curve.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";
import type { RunSummary } from "../runs/run-summary.node.ts";
import { curveFigures } from "./curve-figures.ts";

/** HTML with a heading; nothing where there is no content. */
export const section = (title: string, ...content: readonly string[]): string => {
  const inside = content.filter(Boolean).join("");
  return inside === "" ? "" : `<section><h2>${shown(title)}</h2>${inside}</section>`;
};

/** A file of a run, where it is there and whole. Throws KeyError for one that no key opens. */
async function readFile<T>(folder: string, name: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const path = join(folder, name);
  if (!existsSync(path)) return undefined;
  try {
    return schema.parse(parseJson(new TextDecoder().decode(await readBytes(path, "studio"))));
  } catch (error) {
    if (error instanceof KeyError) throw error;
    // Of another version, or damaged: the page says what the other files say.
    return undefined;
  }
}

const pairs = (rows: readonly (readonly [name: string, value: string])[]): string =>
  rows.length === 0
    ? ""
    : `<table>${rows.map(([name, value]) => `<tr><th>${shown(name)}</th><td>${shown(value, 400)}</td></tr>`).join("")}</table>`;

function resultSections({ results }: RunSummary, evaluation: EvaluationReport | undefined): string {
  const { confusion, classes = [], baselines = [] } = evaluation ?? {};
  const rows = Object.entries(results).map(([name, value]) => [spoken(name), resultText(name, value)] as const);
  const compared = baselines.map(
    (own) => [`baseline: ${own.name} (${metricsOf([own])})`, reachedText(own, baselines)] as const,
  );
  return [
    section("Test", pairs([...rows, ...compared])),
    confusion ? section("Confusion matrix", confusionTable(confusion, classes)) : "",
  ].join("");
}

/** What a person noted, lines as they were written. */
function notes({ note, group, tags }: RunSummary): string {
  const rows = [
    ["group", group],
    ["tags", tags.join(", ")],
  ] as const;
  const lines = note.split(/\r\n?|\n/).map((line) => shown(line, 10_000));
  return section(
    "Notes",
    note === "" ? "" : `<p>${lines.join("<br>")}</p>`,
    pairs(rows.filter(([, value]) => value !== "")),
  );
}

/** The sections of a run, its name first. Throws FileError for what is no run, KeyError for files that no key opens. */
export async function runSections(library: RunLibrary, run: RunSummary, drawing: Drawing): Promise<readonly string[]> {
  const folder = library.folderOf(run.id);
  const report = await readFile(folder, runFiles.reportData, runReportSchema);
  const { name, recipe, state, epoch, created, problem, settings } = run;
  const begun = created === undefined ? "" : `begun ${created.slice(0, 16).replace("T", " ")} UTC`;
  const facts = [recipe ?? "", state, epoch > 0 ? plural(epoch, "epoch") : "", begun].filter((fact) => fact !== "");
  const head = [
    `<h1>${shown(name)}</h1><p class="soft">${shown(facts.join(" · "))}</p>`,
    problem === undefined ? "" : `<p class="verdict">${shown(problem, 1000)}</p>`,
    notes(run),
  ];
  const curves = section("Curves", curveFigures(library, [run], drawing));
  if (report) return [...head, ...reportSections(report), curves];
  const evaluation = await readFile(folder, runFiles.evaluation, evaluationSchema);
  const rows = Object.entries(settings).map(([key, value]) => [spoken(key), String(value)] as const);
  return [...head, resultSections(run, evaluation), curves, section("Settings", pairs(rows))];
}
