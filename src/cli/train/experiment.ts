/** One experiment as a person sees it: each network trained and tested, a table, figures. */

import { count, duration, namedResult, plural } from "../../core/number-text.ts";
import { command } from "../../core/printable.ts";
import type { Experiment, ExperimentTask } from "../../runs/experiments/experiment.ts";
import { metricOf } from "../../runs/experiments/experiment-report.ts";
import { carryOut } from "../../runs/experiments/run-experiment.node.ts";
import { Interrupted } from "../../runs/training/interrupted.ts";
import type { Plan } from "../../runs/training/plan.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { stopOnSignal } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { showDownloads } from "./progress.ts";
import { showSettings } from "./settings-text.ts";
import { showOutcomes } from "./show-outcomes.ts";

/** Runs what is left of an experiment, and shows it. */
export async function showExperiment(plan: Plan<Experiment>, output: Output): Promise<void> {
  const { recipe, folder } = plan;
  const interruption = stopOnSignal(output);
  const began = performance.now();
  try {
    await carryOut(plan, {
      signal: interruption.signal,
      observer: {
        onDownload: showDownloads(output),
        onNote(note) {
          output.record("note", { note });
          output.prose(`Note: ${note}.`, 0, "soft");
        },
        onLoaded: (_, task, done) => announce(plan, task, done, output),
        onTrial(outcome, index, trials) {
          output.record("trial", { trial: index + 1, trials, ...outcome });
          const metric = metricOf(outcome);
          const result = outcome.failure ?? namedResult(metric, outcome.test[metric] ?? Number.NaN);
          const what = `${outcome.series}, ${outcome.at} ${recipe.axis}, seed ${outcome.seed}`;
          output.prose(`${index + 1}/${trials} ${what}: ${result}, ${duration(outcome.seconds)}`, 6);
        },
        onSaved(_, outcomes, files) {
          output.line();
          showOutcomes(recipe, outcomes, output);
          output.record("saved", { folder, files });
          output.line();
          output.prose(`Saved in ${shownPath(folder)}: ${files.join(", ")}`);
        },
      },
    });
    const seconds = (performance.now() - began) / 1000;
    output.record("end", { seconds });
    output.line(`Done in ${duration(seconds)}.`);
  } catch (error) {
    if (error instanceof Interrupted) {
      output.record("stopped", { where: error.message, folder });
      output.prose(
        `Stopped ${error.message}. Resume: ${command`sardonyx train ${plan.named} --resume --out ${shownPath(folder)}`}`,
      );
    }
    throw error;
  } finally {
    interruption.release();
  }
}

function announce(
  { recipe, record, folder, resumed }: Plan<Experiment>,
  task: ExperimentTask,
  done: number,
  output: Output,
): void {
  const { settings } = record;
  const trials = task.variants.length * (settings.repeats ?? 1);
  output.record("start", { experiment: recipe.name, settings, samples: task.samples, trials, done, folder });
  output.prose(`${recipe.name}: ${recipe.summary}`, 0, "strong");
  const { samples } = task;
  if (samples) output.line(`Data: ${plural(samples.train, "sample")} to train on, ${count(samples.test)} to test on`);
  output.prose(`Run:  ${showSettings(settings)}`, 6);
  output.line(`      ${plural(task.variants.length, "network")} from ${plural(settings.repeats ?? 1, "seed")} each`);
  output.line(`      in ${shownPath(folder)}${resumed ? `, ${done} of ${plural(trials, "trial")} done` : ""}`);
  output.line();
}
