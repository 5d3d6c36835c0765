/** A run at a glance, from the files of its folder: settings, how far it is, what it reached. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import * as z from "zod";
import { KeyError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { ownerOf } from "../../runs/folder/claim.node.ts";
import { runFiles } from "../../runs/folder/run-folder.node.ts";
import { readAnnotations } from "./annotations.node.ts";
import { endOfFile } from "./appended-file.node.ts";
import { numbersOf, recordOf } from "./log-records.ts";

/** How a run stands: a process trains it, its test was measured, or neither. */
export type RunState = "training" | "finished" | "stopped" | "damaged";

/** A value of a setting. */
export type SettingValue = string | number | boolean;

/** A run at a glance. */
export interface RunSummary {
  /** Its folder below that of the studio, with slashes; "." for that itself. */
  readonly id: string;
  readonly name: string;
  /** `undefined` of a folder of TensorBoard's event files alone. */
  readonly recipe: string | undefined;
  /** When it began, as ISO 8601 writes it. */
  readonly created: string | undefined;
  readonly state: RunState;
  /** What is wrong with its files, in a sentence. */
  readonly problem?: string;
  /** Settings by name, the recipe's own among them. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** Epochs that are done, and batches. */
  readonly epoch: number;
  readonly batch: number;
  /** The numbers of the last epoch, or of the last batch before the first one. */
  readonly latest: Readonly<Record<string, number>>;
  /** The results of the test. */
  readonly results: Readonly<Record<string, number>>;
  readonly group: string;
  readonly tags: readonly string[];
  readonly note: string;
  readonly archived: boolean;
}

/** As much of the log's end as has its last records; and as much as is looked at where statistics of layers, which are long, stand behind them. */
const [endBytes, mostEndBytes] = [16 * 1024, 4 * 1024 * 1024];

// Runs of other versions are shown too, as much of them as is known.
const setting = z.union([z.string(), z.number(), z.boolean()]);
const recordSchema = z.object({
  recipe: z.object({ name: z.string() }),
  settings: z.record(z.string(), z.unknown()).catch({}),
  created: z.string().optional().catch(undefined),
});
const evaluationSchema = z.object({ results: z.record(z.string(), z.unknown()) });

const textOf = (path: string, most?: number): string => new TextDecoder().decode(endOfFile(path, most));

/** What a file says; nothing where there is none, or it is damaged. Throws KeyError for one that no key opens. */
function parsedFile<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.parse(parseJson(textOf(path)));
  } catch (error) {
    if (error instanceof KeyError) throw error;
    return undefined;
  }
}

/** Those entries of a record that are of a kind. */
const only = <T>(values: Readonly<Record<string, unknown>>, is: (value: unknown) => value is T): Record<string, T> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, T] => is(entry[1])));
const isNumber = (value: unknown): value is number => typeof value === "number";
const isSetting = (value: unknown): value is SettingValue => setting.safeParse(value).success;

/** The last records of a log: of the last epoch, and of the last batch. */
function lastRecords(path: string, bytes = endBytes): ReturnType<typeof recordsIn> {
  if (!existsSync(path)) return {};
  const end = endOfFile(path, bytes);
  const found = recordsIn(new TextDecoder().decode(end).split("\n"));
  const isAll = end.length < bytes || bytes >= mostEndBytes;
  return found.epoch || found.batch || isAll ? found : lastRecords(path, 8 * bytes);
}

/** Lines that say nothing of how far or how well a run is. */
const beside: readonly unknown[] = ["layers", "load"];

/** The last records of lines. */
function recordsIn(lines: readonly string[]) {
  let epoch: Readonly<Record<string, unknown>> | undefined;
  let batch: Readonly<Record<string, unknown>> | undefined;
  // A last line without an end is being written.
  for (let i = lines.length - 2; i >= 0 && !epoch; i--) {
    const record = recordOf(lines[i] ?? "");
    if (typeof record?.["batch"] !== "number" || beside.includes(record["type"])) continue;
    batch ??= record;
    if (record["type"] === "epoch") epoch = record;
  }
  return { ...(epoch && { epoch }), ...(batch && { batch }) };
}

/** Epochs that are done, by the last record of an epoch, or by that of a batch in the next one. */
const doneEpochs = ({ epoch, batch }: ReturnType<typeof recordsIn>): number =>
  epoch ? Number(epoch["epoch"]) || 0 : Math.max(0, (Number(batch?.["epoch"]) || 1) - 1);

/** A run's summary. Of one that is encrypted, without its key, it says so. */
export function summaryOf(folder: string, id: string): RunSummary {
  try {
    return openSummary(folder, id);
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    return { ...eventsSummary(folder, id), state: "damaged", problem: error.message };
  }
}

function openSummary(folder: string, id: string): RunSummary {
  const record = parsedFile(join(folder, runFiles.record), recordSchema);
  const evaluation = parsedFile(join(folder, runFiles.evaluation), evaluationSchema);
  const records = lastRecords(join(folder, runFiles.log));
  const { epoch, batch } = records;
  const { options, ...settings } = record?.settings ?? {};
  const { name, group = "", tags = [], note = "", archived = false } = readAnnotations(folder);
  const last = epoch ?? batch;
  return {
    id,
    name: name || (id === "." ? basename(folder) : id),
    recipe: record?.recipe.name,
    created: record?.created,
    state: ownerOf(folder) ? "training" : record ? (evaluation ? "finished" : "stopped") : "damaged",
    ...(!record && { problem: `${runFiles.record} is damaged; restore it, or remove the folder` }),
    settings: only({ ...settings, ...(typeof options === "object" ? options : {}) }, isSetting),
    epoch: doneEpochs(records),
    batch: Number(batch?.["batch"] ?? 0),
    latest: last ? Object.fromEntries(numbersOf(last)) : {},
    results: only(evaluation?.results ?? {}, isNumber),
    ...{ group, tags, note, archived },
  };
}

/** The summary of a folder of event files that no run of ours wrote. */
export function eventsSummary(folder: string, id: string): RunSummary {
  const { name, group = "", tags = [], note = "", archived = false } = readAnnotations(folder);
  return {
    id,
    name: name || (id === "." ? basename(folder) : id),
    ...{ recipe: undefined, created: undefined, state: "finished" as const },
    ...{ settings: {}, epoch: 0, batch: 0, latest: {}, results: {}, group, tags, note, archived },
  };
}
