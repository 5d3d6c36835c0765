/** The lines of a run's log as series of numbers: by batch and by epoch. */
import { parseJson } from "../../core/json.ts";
import { isPlainObject } from "../../core/tree.ts";
import { Growing } from "./series.ts";

/** A number over a run. */
export interface LoggedSeries {
  /** Batches that the run had made. */
  readonly batches: Growing;
  readonly values: Growing;
}

/** What says where in a run a record is, and no number of it. */
const places = new Set(["type", "batch", "epoch", "step", "stage"]);

/** How a line with statistics of layers begins. */
export const layersLine = '{"type":"layers",';

/** One line as a record; nothing for what is none. */
export function recordOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const record = parseJson(line);
    return isPlainObject(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The numbers of a record by name: those within objects as `object/name`, of a network in turn as `network/loss`. JSON has `null` for what is no number. */
export function* numbersOf(record: Readonly<Record<string, unknown>>): Generator<readonly [string, number]> {
  const { step } = record;
  const prefix = typeof step === "string" && step !== "" ? `${step}/` : "";
  for (const [name, value] of Object.entries(record)) {
    if (places.has(name)) continue;
    if (typeof value === "number") yield [`${prefix}${name}`, value];
    else if (value === null) yield [`${prefix}${name}`, Number.NaN];
    else if (isPlainObject(value))
      for (const [inner, number] of Object.entries(value))
        if (typeof number === "number") yield [`${prefix}${name}/${inner}`, number];
  }
}

/** The series of a log, which grows line by line. */
export class LogSeries {
  readonly byBatch = new Map<string, LoggedSeries>();
  readonly byEpoch = new Map<string, LoggedSeries>();
  /** Lines that were no records. */
  badLines = 0;
  /** Batches of an epoch, once one is done. */
  batchesOfEpoch: number | undefined;

  add(line: string): void {
    // Statistics of layers are of one batch beside training: they are no points of its curves, and they are long.
    if (line.startsWith(layersLine)) return;
    const record = recordOf(line);
    const { type, batch, epoch } = record ?? {};
    if (!record || typeof batch !== "number" || typeof epoch !== "number") {
      this.badLines++;
      return;
    }
    const isEpoch = type === "epoch";
    if (isEpoch && epoch >= 1) this.batchesOfEpoch ??= batch / epoch;
    const all = isEpoch ? this.byEpoch : this.byBatch;
    for (const [name, value] of numbersOf(record)) {
      const series = all.get(name) ?? { batches: new Growing(), values: new Growing() };
      all.set(name, series);
      series.batches.push(batch);
      series.values.push(value);
    }
  }

  /** Bytes that it takes. */
  get bytes(): number {
    let bytes = 0;
    for (const all of [this.byBatch, this.byEpoch])
      for (const { batches, values } of all.values()) bytes += batches.bytes + values.bytes;
    return bytes;
  }
}
