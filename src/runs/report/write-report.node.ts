/** The report of a run in its folder: a page that is written anew as the run goes, and the whole at its end. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "../../core/json.ts";
import { asSentence } from "../../core/printable.ts";
import { keyOf } from "../../core/random.ts";
import type { LayerMoment } from "../../explain/learning/layer-history.ts";
import type { ModelSummary } from "../../nn/summary.ts";
import { readBytes, writeFileAtomic } from "../../storage/atomic.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import type { Callback } from "../../train/callbacks/callback.ts";
import type { EpochResult } from "../../train/engine/running-sums.ts";
import { runFiles } from "../folder/run-folder.node.ts";
import type { Task } from "../recipes/recipe.ts";
import { parseSearch, type SearchReport } from "../search/search-report.ts";
import type { EvaluationReport } from "../training/evaluation.ts";
import type { RunObserver } from "../training/observer.ts";
import type { Plan } from "../training/plan.node.ts";
import { calibrationOf, residualsOf } from "./calibration.ts";
import { importanceOf } from "./importance.ts";
import { mistakesOf } from "./mistakes.ts";
import { askerOf, outputsOfTest, type TestOutputs } from "./outputs.ts";
import { type Diagnosis, type Mistake, type RunReport, runReportSchema } from "./report.ts";
import { reportPage } from "./report-html.ts";
import { reportMarkdown } from "./report-markdown.ts";
import { usageOf } from "./usage.node.ts";
import { baselineVerdict } from "./verdict.ts";

/** Seconds from one writing of the page to the next. */
const writeEvery = 2;

/** What a report is made of. */
export interface ReportSource {
  readonly plan: Plan;
  readonly task: Task;
  readonly network: ModelSummary;
  /** How the settings were found. */
  readonly search?: SearchReport | undefined;
  /** Told, once, why the report cannot be written. */
  readonly onNote: ((note: string) => void) | undefined;
}

/**
 * The report of a run under way. Whatever it cannot write becomes a note: the run goes on without it.
 * @example
 * const report = await openReport({ plan, task, network, onNote });
 * await runStages({ observer: report.watching(observer), … });
 * const files = await report.finish(evaluation);
 */
export class LiveReport {
  readonly #source: ReportSource;
  readonly #notes: string[] = [];
  readonly #stopReasons: string[] = [];
  readonly #seconds: (number | undefined)[];
  #history: readonly EpochResult[];
  #layers: readonly LayerMoment[];
  #written = Number.NEGATIVE_INFINITY;
  #hasFailed = false;

  /** @param earlier what an earlier report of the run has: the seconds of its epochs, statistics of its layers */
  constructor(
    source: ReportSource,
    earlier: {
      readonly seconds: readonly (number | undefined)[];
      readonly layers?: readonly LayerMoment[] | undefined;
    },
  ) {
    this.#source = source;
    this.#seconds = [...earlier.seconds];
    this.#layers = earlier.layers ?? [];
    this.#history = source.plan.progress?.history ?? [];
  }

  /** An observer that hears what `observer` does, and keeps it for the report. */
  watching(observer: RunObserver): RunObserver {
    return {
      ...observer,
      onNote: (note) => {
        this.#notes.push(note);
        observer.onNote?.(note);
      },
      onStageEnd: (start, frozen, stopReason) => {
        if (stopReason !== undefined) this.#stopReasons.push(stopReason);
        observer.onStageEnd?.(start, frozen, stopReason);
      },
      onLayers: (history) => {
        this.#layers = history;
        observer.onLayers?.(history);
      },
      callbacks: (totalEpochs) => [...(observer.callbacks?.(totalEpochs) ?? []), this.#callback()],
    };
  }

  #callback(): Callback {
    let began = 0;
    return {
      name: "report",
      onStart: () => {
        began = performance.now();
      },
      onEpoch: async ({ epoch, history }) => {
        const now = performance.now();
        this.#seconds[epoch - 1] = (now - began) / 1000;
        began = now;
        this.#history = [...history];
        if (now - this.#written >= 1000 * writeEvery) await this.#writeLive("running");
      },
    };
  }

  /** Writes the page as the run begins. */
  begin(): Promise<void> {
    return this.#writeLive("running");
  }

  /** Writes that the run stopped before its end. */
  stopped(): Promise<void> {
    return this.#writeLive("stopped");
  }

  /** Looks at single samples of the test, and writes the whole report. Returns the names of the files that it wrote. */
  async finish(evaluation: EvaluationReport, drawings: readonly string[]): Promise<readonly string[]> {
    const verdict = baselineVerdict(evaluation);
    const files: string[] = [];
    await this.#try(async () => {
      const diagnosis = (await this.#try(() => this.#diagnosis(evaluation))) ?? {};
      const report: RunReport = {
        ...this.#report("finished"),
        evaluation,
        ...(verdict !== undefined && { verdict }),
        ...diagnosis,
      };
      const figures = drawings.filter((name) => name.endsWith(".svg") || name.endsWith(".png"));
      const contents = {
        [runFiles.reportPage]: reportPage(report),
        [runFiles.report]: reportMarkdown(report, figures),
        [runFiles.reportData]: `${JSON.stringify(report)}\n`,
      };
      for (const [name, content] of Object.entries(contents)) {
        await writeFileAtomic(join(this.#source.plan.folder, name), content);
        files.push(name);
      }
    });
    return files;
  }

  async #diagnosis(evaluation: EvaluationReport): Promise<Diagnosis> {
    const { task, plan } = this.#source;
    const ask = askerOf(task, plan.compile);
    if (!ask) return {};
    try {
      const outputs = await outputsOfTest(task, ask, evaluation);
      if (!outputs) return {};
      const { kind, samples, rows } = outputs;
      const encoding = task.format?.table;
      const key = keyOf(plan.record.settings.seed);
      return {
        ...(kind === "classes" ? { calibration: calibrationOf(samples) } : { residuals: residualsOf(samples) }),
        mistakes: await this.#mistakes(outputs),
        ...(encoding && rows && { importance: await importanceOf(outputs, rows, { encoding, ask, key }) }),
      };
    } finally {
      await ask.release();
    }
  }

  /** The worst mistakes, of classes with what speaks for the predicted one. */
  async #mistakes(outputs: TestOutputs): Promise<readonly Mistake[]> {
    const mistakes = mistakesOf(outputs, this.#source.task);
    if (outputs.kind !== "classes" || mistakes.length === 0) return mistakes;
    // Methods are loaded by runs that have something to explain.
    const { explainedMistakes } = await import("./explain-mistakes.ts");
    return explainedMistakes(this.#source.task, outputs, mistakes);
  }

  #report(state: RunReport["state"]): RunReport {
    const { plan, task, network, search } = this.#source;
    const { recipe, record } = plan;
    const { options, ...settings } = record.settings;
    const given = Object.entries({ ...settings, ...options }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    return {
      format: "sardonyx-report-1",
      state,
      recipe: recipe.name,
      summary: recipe.summary,
      ...(recipe.data !== undefined && { data: recipe.data }),
      created: record.created,
      versions: record.versions,
      settings: Object.fromEntries(given),
      ...(task.samples && { samples: task.samples }),
      ...(task.classes && { classes: task.classes }),
      dataNotes: task.notes ?? [],
      parameters: { total: network.parameters, trainable: network.trainable },
      plannedEpochs: task.stages?.reduce((sum, { epochs }) => sum + epochs, 0) ?? settings.epochs,
      epochs: this.#history.map((results, i) => {
        const seconds = this.#seconds[i];
        return { results, ...(seconds !== undefined && { seconds }) };
      }),
      stopReasons: this.#stopReasons,
      notes: this.#notes,
      ...(this.#layers.length > 0 && { layers: this.#layers }),
      ...(search && { search }),
      usage: usageOf(plan, task),
    };
  }

  /** The page, and beside it what a run that is resumed reads of its epochs. */
  async #writeLive(state: RunReport["state"]): Promise<void> {
    await this.#try(async () => {
      const { folder } = this.#source.plan;
      const report = this.#report(state);
      await writeFileAtomic(join(folder, runFiles.reportPage), reportPage(report));
      await writeFileAtomic(join(folder, runFiles.reportData), `${JSON.stringify(report)}\n`);
    });
    this.#written = performance.now();
  }

  /** What an action gives; a note, the first time, where it fails. */
  async #try<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      const reason = asSentence(error instanceof Error ? error.message : String(error));
      if (!this.#hasFailed) this.#source.onNote?.(`the report is not complete: ${reason}`);
      this.#hasFailed = true;
      return undefined;
    }
  }
}

/** The report of a run that begins or goes on; of one that goes on, with the seconds that its earlier report has. */
export async function openReport(given: Omit<ReportSource, "search">): Promise<LiveReport> {
  const searched = join(given.plan.folder, runFiles.search);
  const search = existsSync(searched)
    ? parseSearch(new TextDecoder().decode(await readBytes(searched, "search")), shownPath(searched))
    : undefined;
  const source: ReportSource = { ...given, search };
  const path = join(source.plan.folder, runFiles.reportData);
  const done = source.plan.progress?.epoch ?? 0;
  if (done === 0 || !existsSync(path)) return new LiveReport(source, { seconds: [] });
  try {
    const { epochs, layers } = runReportSchema.parse(
      parseJson(new TextDecoder().decode(await readBytes(path, "report"))),
    );
    return new LiveReport(source, {
      seconds: epochs.slice(0, done).map(({ seconds }) => seconds),
      layers: layers?.filter(({ epoch }) => epoch <= done),
    });
  } catch {
    // A report that is damaged is written anew, without the seconds of the epochs before.
    return new LiveReport(source, { seconds: [] });
  }
}
