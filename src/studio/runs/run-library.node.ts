/** All runs below a folder, as they are on disk: found, followed as they grow, and their curves. */
import { type Dirent, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { FileError } from "../../core/errors.ts";
import type { LayerMoment } from "../../explain/learning/layer-history.ts";
import { lockFile } from "../../runs/folder/claim.node.ts";
import { runFiles } from "../../runs/folder/run-folder.node.ts";
import { dataFolder } from "../data/data-places.node.ts";
import { annotationsFile } from "./annotations.node.ts";
import { AppendedFile, AppendedLines } from "./appended-file.node.ts";
import type { Curve } from "./curve.ts";
import { readEvents } from "./event-records.ts";
import { LayerMoments } from "./layer-moments.node.ts";
import { LogSeries } from "./log-records.ts";
import { eventsSummary, type RunSummary, summaryOf } from "./run-summary.node.ts";
import { SampleMoments } from "./sample-moments.node.ts";
import { Growing, thinned } from "./series.ts";

/** How deep folders are looked through. */
const deepest = 6;

/** Folders in which no runs are looked for. */
const isSkipped = (name: string): boolean => name.startsWith(".") || name === "node_modules";

const isEventFile = (name: string): boolean => name.includes("tfevents");

/** Bytes of the curves that are kept for the next look; those of the run that was looked at longest ago go first. */
const keptBytes = 64 * 1024 * 1024;

/** How a curve is drawn. */
export interface CurveOptions {
  /** About how many columns of points there are to be; no extreme is left out. */
  readonly columns: number;
  /** Weight of what came before in the smoothed curve, from 0 to below 1; 0 for none. */
  readonly smoothing?: number;
}

/** Series of a folder, with what reads them on. */
class FollowedSeries {
  readonly #folder: string;
  readonly #log: AppendedLines;
  readonly #events = new Map<string, AppendedFile>();
  #series = new LogSeries();
  /** Scalars of event files by tag: steps, times, values. */
  #scalars = new Map<string, { readonly steps: Growing; readonly times: Growing; readonly values: Growing }>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#log = new AppendedLines(join(folder, runFiles.log));
  }

  /** Reads what is new. */
  read(): void {
    const { lines, isAnew } = this.#log.read();
    if (isAnew) this.#series = new LogSeries();
    for (const line of lines) this.#series.add(line);
    this.#readEvents();
  }

  #readEvents(): void {
    for (const folder of [this.#folder, join(this.#folder, runFiles.tensorboard)])
      for (const name of namesIn(folder).filter(isEventFile).sort()) {
        const path = join(folder, name);
        const file = this.#events.get(path) ?? new AppendedFile(path);
        this.#events.set(path, file);
        const { bytes } = file.read();
        const { scalars, length } = readEvents(bytes);
        file.giveBack(bytes.length - length);
        for (const { tag, step, time, value } of scalars) {
          const own = this.#scalars.get(tag) ?? { steps: new Growing(), times: new Growing(), values: new Growing() };
          this.#scalars.set(tag, own);
          own.steps.push(step);
          own.times.push(time);
          own.values.push(value);
        }
      }
  }

  /** Names of the series: of batches, and of epochs. */
  get names(): { readonly batch: readonly string[]; readonly epoch: readonly string[] } {
    const { byBatch, byEpoch } = this.#series;
    if (byBatch.size + byEpoch.size === 0) return { batch: [...this.#scalars.keys()].sort(), epoch: [] };
    return { batch: [...byBatch.keys()], epoch: [...byEpoch.keys()] };
  }

  /** When batches were made, by event files. */
  #timeOf(): ((batch: number) => number | undefined) | undefined {
    const times = new Map<number, number>();
    for (const [tag, { steps, times: own }] of this.#scalars) {
      // Of epochs the step is their number.
      if (tag.startsWith("epoch/") || tag.startsWith("parameters/")) continue;
      for (const [i, step] of steps.values.entries()) times.set(step, own.values[i] as number);
    }
    if (times.size === 0) return undefined;
    const steps = [...times.keys()].sort((a, b) => a - b);
    // The last one before, since epochs end between the batches that are told.
    return (batch) => {
      let [low, high] = [0, steps.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((steps[middle] as number) <= batch) low = middle + 1;
        else high = middle;
      }
      return times.get(steps[Math.max(0, low - 1)] as number);
    };
  }

  curve(run: string, name: string, by: Curve["by"], { columns, smoothing = 0 }: CurveOptions): Curve | undefined {
    const own = (by === "batch" ? this.#series.byBatch : this.#series.byEpoch).get(name);
    const scalars = own ? undefined : this.#scalars.get(name);
    const [batches, values] = own
      ? [own.batches.values, own.values.values]
      : [scalars?.steps.values, scalars?.values.values];
    if (!batches || !values) return undefined;
    const drawn = thinned(values, columns);
    const timeOf = own ? this.#timeOf() : undefined;
    const times = scalars
      ? drawn.map((place) => scalars.times.values[place] as number)
      : timeOf && drawn.map((place) => timeOf(batches[place] as number) ?? 0);
    const { batchesOfEpoch } = this.#series;
    return {
      ...{ run, name, by },
      batches: drawn.map((place) => batches[place] as number),
      values: drawn.map((place) => numberOrNull(values[place] as number)),
      ...(smoothing > 0 && { smoothed: smoothedAt(values, smoothing, drawn) }),
      ...(batchesOfEpoch !== undefined && { batchesOfEpoch }),
      ...(times && { times }),
    };
  }

  get bytes(): number {
    let bytes = this.#series.bytes;
    for (const { steps, times, values } of this.#scalars.values()) bytes += steps.bytes + times.bytes + values.bytes;
    return bytes;
  }
}

/** Exponential moving means at some places, without the bias towards zero of their beginning (Kingma and Ba 2015, sec. 3). */
function smoothedAt(values: Float64Array, weight: number, places: readonly number[]): (number | null)[] {
  const smoothed: (number | null)[] = [];
  let [mean, factor, next] = [0, 1, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value)) {
      mean = weight * mean + (1 - weight) * value;
      factor *= weight;
    }
    if (places[next] !== i) continue;
    smoothed.push(Number.isFinite(value) ? mean / (1 - factor) : null);
    next++;
  }
  return smoothed;
}

/** As JSON has it. */
const numberOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What tells that files have changed: size and time of each. */
function signatureOf(folder: string, names: readonly string[]): string {
  return names
    .map((name) => {
      const status = statSync(join(folder, name), { throwIfNoEntry: false });
      return status ? `${status.size}-${status.mtimeMs}` : "";
    })
    .join(" ");
}

const watchedFiles = [runFiles.record, runFiles.log, runFiles.evaluation, annotationsFile, lockFile];

/** A run that was found. */
interface Found {
  readonly isRun: boolean;
  signature: string;
  summary: RunSummary;
}

/**
 * The runs below a folder. Nothing is kept of them but in memory: call `refresh` now and then.
 * @example
 * const library = new RunLibrary("runs");
 * library.refresh();
 * library.runs[0]?.results;
 */
export class RunLibrary {
  readonly root: string;
  readonly #runs = new Map<string, Found>();
  /** Curves that were looked at, the latest last. */
  readonly #followed = new Map<string, FollowedSeries>();
  /** The layers of the run that was opened last. */
  #layers: { readonly id: string; readonly moments: LayerMoments } | undefined;
  /** Its fixed samples. */
  #samples: { readonly id: string; readonly moments: SampleMoments } | undefined;

  constructor(root: string) {
    this.root = root;
  }

  /** All runs, the newest first. */
  get runs(): RunSummary[] {
    return [...this.#runs.values()]
      .map(({ summary }) => summary)
      .sort((a, b) => (b.created ?? "").localeCompare(a.created ?? "") || a.id.localeCompare(b.id));
  }

  /** The folder of a run. Throws FileError for what is none: no other path leads anywhere. */
  folderOf(id: string): string {
    if (this.#runs.has(id)) return join(this.root, id);
    throw new FileError(`there is no run ${JSON.stringify(id)}; it may have been deleted, look at the list again`);
  }

  /** Looks at the disk: all of it, or for what changed of the runs that are being trained. Returns the runs that changed, and whether any came or went. */
  refresh(what: "all" | "training" = "all"): { readonly changed: readonly string[]; readonly gone: readonly string[] } {
    const changed: string[] = [];
    if (what === "training") {
      for (const [id, { isRun, summary }] of this.#runs)
        if (isRun && summary.state === "training" && this.#look(id, isRun)) changed.push(id);
      return { changed, gone: [] };
    }
    const there = new Map<string, boolean>();
    this.#search(".", 0, there);
    for (const [id, isRun] of there) if (this.#look(id, isRun)) changed.push(id);
    const gone = [...this.#runs.keys()].filter((id) => !there.has(id));
    for (const id of gone) {
      this.#runs.delete(id);
      this.#followed.delete(id);
    }
    return { changed, gone };
  }

  /** Whether a run is new or changed. */
  #look(id: string, isRun: boolean): boolean {
    const folder = join(this.root, id);
    // Of event files alone what is inside them is read when they are drawn.
    const signature = isRun ? signatureOf(folder, watchedFiles) : signatureOf(folder, [annotationsFile, "."]);
    const known = this.#runs.get(id);
    if (known?.signature === signature && known.summary.state !== "training") return false;
    const summary = isRun ? summaryOf(folder, id) : eventsSummary(folder, id);
    if (known?.signature === signature && known.summary.state === summary.state) return false;
    this.#runs.set(id, { isRun, signature, summary });
    return true;
  }

  #search(id: string, depth: number, found: Map<string, boolean>): void {
    let hasEvents = false;
    let isRun = false;
    const folders: string[] = [];
    let entries: Dirent[];
    try {
      entries = readdirSync(join(this.root, id), { withFileTypes: true });
    } catch {
      // A folder that went meanwhile, or may not be read.
      return;
    }
    for (const entry of entries) {
      // Links are not followed: they may lead elsewhere, and in circles.
      if (entry.isDirectory()) folders.push(entry.name);
      else if (entry.name === runFiles.record) isRun = true;
      else if (isEventFile(entry.name)) hasEvents = true;
    }
    if (isRun || hasEvents) found.set(id, isRun);
    if (depth === deepest) return;
    for (const name of folders) {
      // Data have many files, and none that is a run.
      if (id === "." && name === dataFolder) continue;
      if (isSkipped(name) || (isRun && (name === runFiles.tensorboard || name === runFiles.profile))) continue;
      this.#search(id === "." ? name : `${id}/${name}`, depth + 1, found);
    }
  }

  #follow(id: string): FollowedSeries {
    const own = this.#followed.get(id) ?? new FollowedSeries(this.folderOf(id));
    this.#followed.delete(id);
    this.#followed.set(id, own);
    own.read();
    let bytes = [...this.#followed.values()].reduce((sum, series) => sum + series.bytes, 0);
    for (const [oldest, series] of this.#followed) {
      if (bytes <= keptBytes || oldest === id) break;
      this.#followed.delete(oldest);
      bytes -= series.bytes;
    }
    return own;
  }

  /** Names of the curves of a run. Throws FileError for what is none. */
  curveNames(id: string): { readonly batch: readonly string[]; readonly epoch: readonly string[] } {
    return this.#follow(id).names;
  }

  /** Statistics of a run's layers over time, thinned; of the run that was asked for last they are read on. Throws FileError for what is no run. */
  layers(id: string): readonly LayerMoment[] {
    const folder = this.folderOf(id);
    if (this.#layers?.id !== id) this.#layers = { id, moments: new LayerMoments(join(folder, runFiles.log)) };
    return this.#layers.moments.read();
  }

  /** The fixed samples of a run, which of the run that was asked for last are read on. Throws FileError for what is no run. */
  samples(id: string): SampleMoments {
    const folder = this.folderOf(id);
    if (this.#samples?.id !== id) this.#samples = { id, moments: new SampleMoments(join(folder, runFiles.samples)) };
    return this.#samples.moments;
  }

  /** A curve of a run; nothing where it has none of that name. Throws FileError for what is no run. */
  curve(id: string, name: string, by: Curve["by"], options: CurveOptions): Curve | undefined {
    return this.#follow(id).curve(id, name, by, options);
  }
}
