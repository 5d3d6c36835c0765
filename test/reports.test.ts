/** Reports of whole runs: complete at the end, there while a run goes on, and no reason for a run to fail. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Interrupted, type RunResult, runRecipe } from "../src/node.ts";
import { type RunReport, runReportSchema } from "../src/runs/report/report.ts";

const folder = mkdtempSync(join(tmpdir(), "sardonyx-reports-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const read = (run: string, name: string) => readFileSync(join(run, name), "utf8");
const reportOf = (run: string): RunReport => runReportSchema.parse(JSON.parse(read(run, "report.json")));
const refresh = '<meta http-equiv="refresh"';

describe("iris", () => {
  let run: RunResult;
  const pages: string[] = [];
  let saved: readonly string[] = [];
  beforeAll(async () => {
    run = await runRecipe(
      "iris",
      { epochs: 3 },
      {
        out: at("iris"),
        threads: 1,
        observer: {
          callbacks: () => [{ name: "look", onEpoch: () => void pages.push(read(at("iris"), "report.html")) }],
          onSaved: (_plan, _task, files) => {
            saved = files;
          },
        },
      },
    );
  }, 60_000);

  test("has what the run returned, and looked at each flower of the test", () => {
    const report = reportOf(run.folder);
    expect(report).toMatchObject({ state: "finished", recipe: "iris", plannedEpochs: 4 });
    expect(report.evaluation).toEqual(run.evaluation);
    expect(report.epochs.map(({ results }) => results)).toEqual(run.history);
    expect(report.epochs.every(({ seconds = 0 }) => seconds > 0)).toBe(true);
    expect(report.calibration).toMatchObject({ samples: 30, accuracy: run.evaluation.results["accuracy"] });
    const wrong = Math.round(30 * (1 - (run.evaluation.results["accuracy"] ?? 0)));
    expect(report.mistakes).toHaveLength(Math.min(12, wrong));
    expect(report.settings).toMatchObject({ epochs: 3, optimizer: "adam" });
  });

  test("its files are named and hold no script", () => {
    expect(saved).toEqual(expect.arrayContaining(["report.html", "report.md", "report.json"]));
    expect(read(run.folder, "report.html")).not.toMatch(/<script/);
    expect(read(run.folder, "report.html")).not.toContain(refresh);
    expect(read(run.folder, "report.md")).toContain("![curve-loss.svg](curve-loss.svg)");
  });

  test("the page is there from the beginning, and is read again by itself", () => {
    expect(pages[0]).toContain(refresh);
    expect(pages[0]).toContain("0 of 4 epochs");
  });
});

test("a table: names are shown, and the column counts that decides", async () => {
  const rows = Array.from({ length: 240 }, (_, i) => `${i % 2 === 0 ? "<b>" : "b&c"};${(i * 7) % 12};${i % 2}`);
  writeFileSync(
    at("marks.csv"),
    ["mark;<i>size</i>;answer", ...rows.map((row) => row.replace(/;1$/, ";<u>yes</u>"))].join("\n"),
  );
  const options = { data: at("marks.csv"), target: "answer", minutes: 0.1 };
  const { folder: run, evaluation } = await runRecipe(
    "table",
    { epochs: 30, options },
    { out: at("table"), threads: 1 },
  );
  const report = reportOf(run);
  expect(report.evaluation).toEqual(evaluation);
  expect(report.verdict).toMatch(/etter than/);
  expect(report.importance).toMatchObject({ metric: "accuracy", columns: [{ name: "mark" }, { name: "<i>size</i>" }] });
  const page = read(run, "report.html");
  expect(page).not.toMatch(/<script|<u>|<i>|<b>b/);
  expect(page).toContain("&lt;u&gt;yes&lt;/u&gt;");
  expect(page).toContain("&lt;i&gt;size&lt;/i&gt;");
  expect(read(run, "report.md")).toContain("\\<u\\>yes\\</u\\>");
}, 120_000);

test("numbers have residuals", async () => {
  const rows = Array.from({ length: 120 }, (_, i) => `${i / 7},${["x", "y"][i % 2]},${(3 * i) / 7 + (i % 2)}`);
  writeFileSync(at("numbers.csv"), ["size,kind,price", ...rows].join("\n"));
  const options = { data: at("numbers.csv"), target: "price", minutes: 0.1 };
  const { folder: run, evaluation } = await runRecipe(
    "table",
    { epochs: 10, options },
    { out: at("price"), threads: 1 },
  );
  const { residuals, mistakes = [], importance, calibration } = reportOf(run);
  expect(residuals?.rootMeanSquaredError).toBeCloseTo(evaluation.results["rootMeanSquaredError"] ?? Number.NaN, 3);
  expect(importance?.metric).toBe("rmse");
  expect(calibration).toBe(undefined);
  expect(mistakes[0]?.cells?.map(({ name }) => name)).toEqual(["size", "kind"]);
  expect(mistakes.map(({ loss }) => loss)).toEqual(mistakes.map(({ loss }) => loss).sort((a, b) => b - a));
}, 120_000);

test("a run that is resumed keeps the epochs before, and their seconds", async () => {
  const stop = new AbortController();
  const callbacks = () => [
    { name: "stop", onEpoch: ({ epoch }: { readonly epoch: number }) => void (epoch === 2 && stop.abort()) },
  ];
  const start = { out: at("parted"), threads: 1, signal: stop.signal, observer: { callbacks } };
  await expect(runRecipe("iris", { epochs: 3 }, start)).rejects.toThrow(Interrupted);
  const stopped = reportOf(at("parted"));
  expect(stopped).toMatchObject({ state: "stopped" });
  expect(read(at("parted"), "report.html")).not.toContain(refresh);
  const done = stopped.epochs.length;
  expect(done).toBe(2);
  const { history } = await runRecipe("iris", {}, { out: at("parted"), resume: true, threads: 1 });
  const whole = reportOf(at("parted"));
  expect(whole.epochs.map(({ results }) => results)).toEqual(history);
  expect(whole.epochs.slice(0, done)).toEqual(stopped.epochs);
});

test("a report that cannot be written is a note", async () => {
  const notes: string[] = [];
  const observer = {
    onLoaded: () => void mkdirSync(join(at("refused"), "report.html")),
    onNote: (note: string) => void notes.push(note),
  };
  const run = await runRecipe("iris", { epochs: 1 }, { out: at("refused"), threads: 1, observer });
  expect(existsSync(join(run.folder, "evaluation.json"))).toBe(true);
  expect(notes).toEqual([expect.stringMatching(/^the report is not complete: cannot write .*report\.html \(EISDIR\)/)]);
  expect(run.notes).toEqual(notes);
});
