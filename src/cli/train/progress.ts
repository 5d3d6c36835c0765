/** How far a run is: a bar on a terminal, plain lines elsewhere, JSON records for programs. */
import { type Options, type Params, SingleBar } from "cli-progress";
import { clock, count, namedResult } from "../../core/number-text.ts";
import { textCurves } from "../../draw/text-curves.ts";
import type { OnDownload } from "../../runs/recipes/recipe.ts";
import type { Callback } from "../../train/callbacks/callback.ts";
import { epochText } from "../../train/callbacks/print-progress.ts";
import type { Run } from "../../train/fit.ts";
import type { Output } from "../output.ts";

/** Batches from one JSON record to the next. */
const recordEvery = 50;
/** Seconds between plain lines, and between changes of the bar's numbers. */
const lineEvery = 10;
const barEvery = 0.1;
/** Of more epochs than this, about so many get a line. */
const epochLines = 20;

export interface ProgressOptions {
  readonly output: Output;
  /** Epochs of the whole run, all stages. */
  readonly totalEpochs: number;
  /** Draw curves: on a terminal after each epoch in place of those before, elsewhere once at the end; default false. */
  readonly curves?: boolean;
  /** Clock in seconds. */
  readonly now?: () => number;
}

/** Shows the progress of training; `close` takes a bar away that is still there. */
export function showProgress({
  output,
  totalEpochs,
  curves = false,
  now = () => performance.now() / 1000,
}: ProgressOptions): Callback & { close(): void } {
  let bar: SingleBar | undefined;
  let began = 0;
  let samples = 0;
  let batches = 0;
  let shown = 0;
  let drawn = 0;

  /** Numbers of the epoch so far: the first batch, which compiles, is not timed. */
  const status = (run: Run): string => {
    const seconds = now() - began;
    const perEpoch = run.batchesPerEpoch;
    const left =
      perEpoch === undefined || batches === 0
        ? undefined
        : ((totalEpochs - run.epoch) * perEpoch - run.batchInEpoch) * (seconds / batches);
    const shown = Object.entries(run.current()).filter(([name]) => !name.endsWith("confusionMatrix"));
    return [
      batches > 0 ? `${count(samples / seconds)} samples/s` : "compiling",
      ...shown.slice(0, 2).map(([name, value]) => namedResult(name, value)),
      run.trainer.skipped === 0 ? undefined : `${count(run.trainer.skipped)} skipped`,
      left === undefined ? undefined : `${clock(left)} left`,
    ]
      .filter(Boolean)
      .join("  ");
  };

  const close = () => {
    if (!bar) return;
    bar.stop();
    bar = undefined;
    // What was printed below the bar meanwhile, such as the answer to Ctrl-C, would stay beside what comes next.
    process.stdout.write("\u001b[J");
  };

  /** The curves of the first two results in place of those that were drawn before. */
  const draw = ({ history, resultNames }: Run) => {
    if (drawn > 0) process.stdout.write(`\u001b[${drawn}A\u001b[J`);
    const names = resultNames.filter((name) => !/^validation_|confusionMatrix$/.test(name)).slice(0, 2);
    const lines = names.flatMap((name) => textCurves(history, name, { columns: Math.min(100, output.columns) }));
    for (const line of lines) output.line(line);
    drawn = output.terminal ? lines.length : 0;
  };

  return {
    name: "progress",
    close,
    onBatch(run, { samples: own, loss, learningRate }) {
      const { batchInEpoch, batchesPerEpoch, epoch } = run;
      const first = batches === 0 && samples === 0 && began === 0;
      if (first) began = shown = now();
      else {
        samples += own;
        batches++;
      }
      if (output.json) {
        if (run.trainer.batches === 1 || run.trainer.batches % recordEvery === 0)
          output.record("batch", {
            epoch: epoch + 1,
            batch: run.trainer.batches,
            batchLoss: loss,
            learningRate,
            ...run.current(),
          });
        return;
      }
      if (output.terminal) {
        if (!bar) {
          bar = newBar(output);
          bar.start(batchesPerEpoch ?? 0, batchInEpoch, { epoch: `${epoch + 1}/${totalEpochs}`, status: status(run) });
        }
        if (now() - shown < barEvery) bar.update(batchInEpoch);
        else {
          shown = now();
          bar.update(batchInEpoch, { status: status(run) });
        }
      } else if (now() - shown >= lineEvery) {
        shown = now();
        const share = batchesPerEpoch === undefined ? "" : `  ${Math.floor((100 * batchInEpoch) / batchesPerEpoch)} %`;
        output.line(`Epoch ${epoch + 1}/${totalEpochs}${share}  ${status(run)}`);
      }
    },
    onEpoch(run, results) {
      close();
      const pace = { seconds: now() - began, samples };
      const samplesPerSecond = samples / pace.seconds;
      output.record("epoch", { epoch: run.epoch, batch: run.trainer.batches, ...results, samplesPerSecond });
      const text = epochText(run.epoch, totalEpochs, results, pace);
      if (curves && output.terminal) {
        draw(run);
        output.line(text);
        drawn++;
      } else if (isShown(run, totalEpochs)) output.line(text);
      began = now();
      samples = batches = 0;
    },
    onEnd(run) {
      if (curves && !output.terminal && !output.json) draw(run);
    },
  };
}

/** The first, the last and evenly spaced ones between. */
const isShown = ({ epoch, epochs }: Run, total: number): boolean =>
  total <= epochLines || epoch === 1 || epoch === epochs || epoch % Math.ceil(total / epochLines) === 0;

/** `1/3 ━━━━━━━━━─────  45 %  2,310 samples/s  loss 0.0312  accuracy 98.93 %  0:41 left`, as wide as the terminal. */
function newBar(output: Output): SingleBar {
  const format = (_: Options, { progress }: Params, payload: { epoch: string; status: string }): string => {
    const share = `${String(Math.floor(100 * progress)).padStart(3)} %`;
    const width = Math.max(4, output.columns - 1 - payload.epoch.length - share.length - payload.status.length - 4);
    const done = Math.round(width * progress);
    return `${payload.epoch} ${"━".repeat(done)}${"─".repeat(width - done)} ${share}  ${payload.status}`;
  };
  return new SingleBar({
    format,
    stream: process.stdout,
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: false,
    fps: 10,
  });
}

/** Shows downloads: a bar on a terminal, a line at its beginning elsewhere; `close` takes a bar away that is still there. */
export function showDownloads(output: Output): OnDownload & { close(): void } {
  let bar: SingleBar | undefined;
  let current = "";
  const close = () => {
    bar?.stop();
    bar = undefined;
  };
  const show: OnDownload = ({ name, received, total }) => {
    const size = `${(total / 1e6).toFixed(1)} MB`;
    if (name !== current) {
      current = name;
      output.record("download", { name, bytes: total });
      if (output.terminal) {
        bar = newBar(output);
        bar.start(total, 0, { epoch: "Download", status: `${name}, ${size}` });
      } else output.line(`Downloading ${name}, ${size}`);
    }
    bar?.update(received);
    if (received >= total) close();
  };
  return Object.assign(show, { close });
}
