/** One experiment from its first line to its last: each network trained and tested, a table, figures. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { FileError } from "../../core/errors.ts";
import { readBytes, writeFileAtomic } from "../../storage/atomic.node.ts";
import { type Experiment, type ExperimentTask, type Outcome, runTrial, type Variant } from "../../runs/experiment.ts";
import { Interrupted, type Interruption, onInterrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { openFolder, runFiles, shown, writeRecord } from "../../runs/run-folder.node.ts";
import { count, duration, namedResult, plural } from "../text.ts";
import { metricOf, reportOf, showOutcomes } from "./experiment-report.ts";
import type { Plan } from "../../runs/plan.node.ts";
import { showDownloads } from "./progress.ts";
import { showSettings } from "../../runs/settings.ts";

/** Runs what is left of an experiment. Every finished trial is kept, also when the run is stopped. */
export async function runExperiment(plan: Plan<Experiment>, output: Output): Promise<void> {
  const { recipe, folder, record } = plan;
  const interruption = onInterrupt(() => output.warn("\nStopping after this batch; Ctrl-C again stops at once."));
  const began = performance.now();
  try {
    const task = await recipe.load(record.settings, record.settings.limit, showDownloads(output));
    const outcomes = plan.resumed ? await readOutcomes(folder) : [];
    announce(plan, task, outcomes.length, output);
    openFolder(folder);
    await writeRecord(folder, record);
    await runTrials(plan, task, outcomes, interruption, output);
    await finish(plan, outcomes, output);
    const seconds = (performance.now() - began) / 1000;
    output.record("end", { seconds });
    output.line(`Done in ${duration(seconds)}.`);
  } catch (error) {
    if (error instanceof Interrupted) {
      output.record("stopped", { where: error.message, folder });
      output.prose(`Stopped ${error.message}. Go on: sardonyx train ${plan.named} --resume --out ${shown(folder)}`);
    }
    throw error;
  } finally {
    interruption.release();
  }
}

/** Trains what has no outcome yet, all variants from one seed before the next, and adds to `outcomes`. */
async function runTrials(
  { folder, record: { settings }, compile, recipe }: Plan<Experiment>,
  task: ExperimentTask,
  outcomes: Outcome[],
  interruption: Interruption,
  output: Output,
): Promise<void> {
  const isDone = ({ series, at }: Variant, seed: number) =>
    outcomes.some((own) => own.series === series && own.at === at && own.seed === seed);
  const seeds = Array.from({ length: settings.repeats ?? 1 }, (_, i) => settings.seed + i);
  const trials = seeds.flatMap((seed) => task.variants.map((variant) => ({ variant, seed })));
  for (const [i, { variant, seed }] of trials.entries()) {
    if (isDone(variant, seed)) continue;
    const stopIfAsked = () => {
      if (interruption.requested) throw new Interrupted(`in trial ${i + 1} of ${trials.length}`);
    };
    const outcome = await runTrial(task, variant, {
      settings,
      seed,
      compile,
      callbacks: [{ name: "interruption", onBatch: stopIfAsked, onEpoch: stopIfAsked }],
    });
    outcomes.push(outcome);
    await writeFileAtomic(join(folder, runFiles.outcomes), `${JSON.stringify(outcomes)}\n`);
    output.record("trial", { trial: i + 1, trials: trials.length, ...outcome });
    const metric = metricOf(outcome);
    const result = outcome.failure ?? namedResult(metric, outcome.test[metric] ?? Number.NaN);
    const what = `${variant.series}, ${variant.at} ${recipe.axis}, seed ${seed}`;
    output.prose(`${i + 1}/${trials.length} ${what}: ${result}, ${duration(outcome.seconds)}`, 6);
  }
}

async function finish(
  { recipe, folder }: Plan<Experiment>,
  outcomes: readonly Outcome[],
  output: Output,
): Promise<void> {
  const figures = recipe.figures(outcomes);
  for (const [name, svg] of Object.entries(figures)) await writeFileAtomic(join(folder, name), `${svg}\n`);
  await writeFileAtomic(join(folder, runFiles.report), reportOf(recipe, outcomes, Object.keys(figures)));
  output.line();
  showOutcomes(recipe, outcomes, output);
  const files = [runFiles.report, ...Object.keys(figures), runFiles.outcomes];
  output.record("saved", { folder, files });
  output.line();
  output.prose(`Saved in ${shown(folder)}: ${files.join(", ")}`);
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
  output.prose(`${recipe.name}: ${recipe.summary}`);
  const { samples } = task;
  if (samples) output.line(`Data: ${count(samples.train)} samples to train on, ${count(samples.test)} to test on`);
  output.prose(`Run:  ${showSettings(settings)}`, 6);
  output.line(`      ${plural(task.variants.length, "network")} from ${plural(settings.repeats ?? 1, "seed")} each`);
  output.line(`      in ${shown(folder)}${resumed ? `, ${done} of ${trials} trials done` : ""}`);
  output.line();
}

const results = z.record(
  z.string(),
  z
    .number()
    .nullable()
    .transform((value) => value ?? Number.NaN),
);
const outcomesSchema = z.array(
  z.object({
    series: z.string(),
    at: z.number(),
    seed: z.number(),
    parameters: z.number(),
    seconds: z.number(),
    history: z.array(results),
    test: results,
    gradients: z.array(results),
    failure: z.string().optional(),
  }),
);

/** The outcomes of a run so far. Throws FileError when the file is damaged. */
async function readOutcomes(folder: string): Promise<Outcome[]> {
  const path = join(folder, runFiles.outcomes);
  if (!existsSync(path)) return [];
  try {
    return outcomesSchema.parse(JSON.parse(new TextDecoder().decode(await readBytes(path, "outcomes"))));
  } catch (cause) {
    throw new FileError(`${shown(path)} is damaged; remove it to run all trials again`, { cause });
  }
}
