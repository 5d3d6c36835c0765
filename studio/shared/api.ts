/** What the page asks the studio, and what it is told as it happens. */

import type { Comparison } from "../../src/analyze/report/compare.ts";
import type { Inspection } from "../../src/analyze/report/schema.ts";
import type { Prediction, WrittenLine, WrittenToken } from "../../src/studio/api/ask-routes.node.ts";
import type { LayerAnswer } from "../../src/studio/api/layer-routes.node.ts";
import type { SampleAnswer } from "../../src/studio/api/sample-routes.node.ts";
import type { Explained } from "../../src/studio/asking/explained.node.ts";
import type { AskedColumn, AskedInput, HowAsked } from "../../src/studio/asking/how-asked.node.ts";
import type { OwnData } from "../../src/studio/data/own-data.node.ts";
import type { ProfileReport } from "../../src/studio/data/profile-report.node.ts";
import type { Fork } from "../../src/studio/jobs/fork.node.ts";
import type { Job } from "../../src/studio/jobs/job-queue.node.ts";
import type { FormField, RecipeForm } from "../../src/studio/jobs/recipe-form.node.ts";
import type { Annotations } from "../../src/studio/runs/annotations.node.ts";
import type { Curve, Drawing } from "../../src/studio/runs/curve.ts";
import type { RunSummary, SettingValue } from "../../src/studio/runs/run-summary.node.ts";
import type { InspectTarget } from "../../src/studio/understanding/what-if.ts";

export type {
  Annotations,
  AskedColumn,
  AskedInput,
  Comparison,
  Curve,
  Explained,
  Fork,
  FormField,
  HowAsked,
  Inspection,
  InspectTarget,
  Job,
  LayerAnswer,
  OwnData,
  Prediction,
  ProfileReport,
  RecipeForm,
  RunSummary,
  SampleAnswer,
  SettingValue,
  WrittenLine,
  WrittenToken,
};

async function answerOf<T>(response: Response): Promise<T> {
  const answer = (await response.json()) as T & { readonly error?: string };
  if (!response.ok) throw new Error(answer.error ?? response.statusText);
  return answer;
}

const ask = async <T>(path: string, query: Iterable<readonly [string, string]> = []): Promise<T> =>
  answerOf(await fetch(`${path}?${new URLSearchParams([...query].map(([name, value]) => [name, value]))}`));

const send = async <T>(path: string, body: object, signal?: AbortSignal): Promise<T> =>
  answerOf(
    await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    }),
  );

/** Which curves of which runs. */
export interface CurveQuery {
  readonly runs: readonly string[];
  readonly name: string;
  readonly by: "batch" | "epoch";
  readonly columns: number;
  readonly smoothing: number;
}

/** What is in a run beside its summary. */
export interface RunDetails {
  readonly record?: { readonly versions?: Readonly<Record<string, string>> };
  readonly evaluation?: {
    readonly classes?: readonly string[];
    readonly confusion?: readonly (readonly number[])[];
    readonly baselines?: readonly { readonly name: string; readonly test: number; readonly metric: string }[];
  };
  readonly files: readonly string[];
}

/** What is changed of a model before it is looked at. */
export type WhatIf = Readonly<Record<string, string | number | boolean>>;

/** An input of a model, as it is sent. */
export interface Input {
  readonly content: Blob | string;
  readonly type: string;
}

const sendInput = async <T>(path: string, run: string, { content, type }: Input): Promise<T> =>
  answerOf(
    await fetch(`${path}?${new URLSearchParams({ run })}`, {
      method: "POST",
      headers: { "content-type": type },
      body: content,
    }),
  );

/** What is written after a prompt. */
export interface WriteRequest {
  readonly run: string;
  readonly prompt: string;
  readonly temperature: number;
  readonly most: number;
}

/** A text as it is written, until the signal ends it. */
async function* written(request: WriteRequest, signal: AbortSignal): AsyncGenerator<WrittenLine> {
  const response = await fetch("/api/write", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
    signal,
  });
  if (!response.ok || !response.body) {
    await answerOf(response);
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as WrittenLine;
  }
}

/** A run to be trained: its settings, its folder, and the run with whose parameters it begins. */
export interface NewRun {
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly name?: string;
  readonly from?: string;
}

/** Data below the studio's folder, and what is asked of them; empty where nothing is. */
export interface DataChoice {
  readonly path: string;
  readonly target: string;
  readonly task: string;
}

/** What is fine-tuned. */
export interface FinetuneChoice {
  readonly base: string;
  readonly data: string;
  readonly settings: Readonly<Record<string, SettingValue>>;
}

export const studio = {
  runs: () => ask<{ root: string; runs: RunSummary[] }>("/api/runs"),
  names: (run: string) => ask<{ batch: string[]; epoch: string[] }>("/api/names", [["run", run]]),
  curves: ({ runs, name, by, columns, smoothing }: CurveQuery) =>
    ask<{ curves: Curve[] }>("/api/curves", [
      ["name", name],
      ["by", by],
      ["columns", String(columns)],
      ["smoothing", String(smoothing)],
      ...runs.map((run) => ["run", run] as const),
    ]),
  layers: (run: string, quantity: string) =>
    ask<LayerAnswer>("/api/layers", [
      ["run", run],
      ["quantity", quantity],
    ]),
  /** The moment at a place, by default the last. */
  samples: (run: string, at?: number) =>
    ask<SampleAnswer>("/api/samples", [["run", run], ...(at === undefined ? [] : [["at", String(at)] as const])]),
  /** Runs as one page of HTML. */
  page: async (runs: readonly string[], { axis, smoothing, logarithmic }: Drawing): Promise<Blob> => {
    const query = [
      ["axis", axis],
      ["smoothing", String(smoothing)],
      ["logarithmic", String(logarithmic)],
    ];
    const response = await fetch(`/api/page?${new URLSearchParams([...query, ...runs.map((run) => ["run", run])])}`);
    return response.ok ? response.blob() : answerOf<Blob>(response);
  },
  details: (run: string) => ask<RunDetails>("/api/run", [["run", run]]),
  annotate: (run: string, change: Annotations) => send<Annotations>("/api/annotate", { run, ...change }),
  remove: (run: string) => send<{ place: string }>("/api/delete", { run }),
  recipes: () => ask<{ recipes: RecipeForm[] }>("/api/recipes"),
  jobs: () => ask<{ jobs: Job[] }>("/api/jobs"),
  train: (training: NewRun & { readonly recipe: string }) => send<Job>("/api/train", training),
  fork: (run: string) => ask<Fork>("/api/fork", [["run", run]]),
  data: () => ask<{ data: string[] }>("/api/data"),
  look: (choice: DataChoice) => ask<OwnData>("/api/data/look", Object.entries(choice)),
  profile: (path: string, target: string) =>
    send<ProfileReport>("/api/data/profile", { path, ...(target !== "" && { target }) }),
  upload: async (set: string, path: string, file: File) =>
    answerOf<object>(
      await fetch(`/api/data/upload?${new URLSearchParams({ set, path })}`, {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: file,
      }),
    ),
  uploaded: (set: string, files: number) => send<{ path: string }>("/api/data/done", { set, files }),
  trainOnData: (training: NewRun & DataChoice) => send<Job>("/api/data/train", training),
  finetuneForm: () => ask<{ fields: FormField[]; cached: string[] }>("/api/finetune"),
  dryRun: (choice: FinetuneChoice) => send<{ text: string; command: string }>("/api/finetune/dry-run", choice),
  finetune: (training: NewRun & FinetuneChoice) => send<Job>("/api/finetune/train", training),
  resume: (run: string) => send<Job>("/api/resume", { run }),
  whatIf: (target: InspectTarget, whatIf: WhatIf, signal: AbortSignal) =>
    send<{ inspection: Inspection }>("/api/what-if", { target, whatIf }, signal),
  inspect: (target: InspectTarget, whatIf: WhatIf, signal: AbortSignal) =>
    send<{ report: string }>("/api/inspect", { target, whatIf }, signal),
  compare: (targets: readonly InspectTarget[]) => send<Comparison>("/api/compare", { targets }),
  sendModel: async (file: File) =>
    answerOf<{ file: string }>(
      await fetch(`/api/inspect-file?${new URLSearchParams({ name: file.name })}`, {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: file,
      }),
    ),
  howAsked: (run: string) => ask<HowAsked>("/api/asks", [["run", run]]),
  predict: (run: string, input: Input) =>
    sendInput<{ predictions: readonly Prediction[]; rows: number }>("/api/predict", run, input),
  explain: (run: string, input: Input) => sendInput<Explained>("/api/explain", run, input),
  write: written,
  stop: (job: number) => send<{ jobs: Job[] }>("/api/stop", { job }),
};

/** The address of a file of a run. */
export const fileAddress = (run: string, name: string): string => `/api/file?${new URLSearchParams({ run, name })}`;

/** The address of a report. */
export const reportAddress = (id: string): string => `/api/report?${new URLSearchParams({ id })}`;

/** What is told as it happens. */
export interface Told {
  /** Of runs that changed or came, and of those that went. */
  readonly onRuns: (runs: readonly RunSummary[], gone: readonly string[]) => void;
  readonly onJobs: (jobs: readonly Job[]) => void;
  /** Whether the studio is there: where it was not, everything is asked for anew. */
  readonly onConnected: (isThere: boolean) => void;
}

/** Listens until the page goes. */
export function listen({ onRuns, onJobs, onConnected }: Told): void {
  const events = new EventSource("/api/events");
  events.addEventListener("open", () => onConnected(true));
  events.addEventListener("error", () => onConnected(false));
  events.addEventListener("runs", ({ data }) => {
    const { runs, gone } = JSON.parse(data) as { runs: RunSummary[]; gone: string[] };
    onRuns(runs, gone);
  });
  events.addEventListener("jobs", ({ data }) => onJobs((JSON.parse(data) as { jobs: Job[] }).jobs));
}
