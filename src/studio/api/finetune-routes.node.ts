/** What the page asks of fine-tuning: its form, what it would train and take, and that it is trained. */
import * as z from "zod";
import { cachedModels } from "../data/bases.node.ts";
import { finetuneFields, finetuneWords } from "../data/finetune-form.node.ts";
import { jsonOf, type Route } from "../http/routes.ts";
import { commandText, type JobQueue, newRun } from "../jobs/job-queue.node.ts";
import type { ReportMaker } from "../jobs/report-command.node.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";
import { filledSchema, fromWords } from "./training-routes.node.ts";

const choice = { base: z.string().min(1).max(1000), data: z.string(), settings: filledSchema };
const dryRunSchema = z.strictObject(choice);
const trainSchema = z.strictObject({ ...choice, name: z.string().max(200).optional(), from: z.string().optional() });

/** What the routes work with. */
export interface FinetuneRoutesOptions {
  readonly library: RunLibrary;
  readonly queue: JobQueue;
  readonly reports: ReportMaker;
}

/** The routes. */
export function finetuneRoutes({ library, queue, reports }: FinetuneRoutesOptions): readonly Route[] {
  const { root } = library;
  return [
    {
      method: "GET",
      path: "/api/finetune",
      answer: async () => ({ json: { fields: await finetuneFields(), cached: cachedModels() } }),
    },
    {
      method: "POST",
      path: "/api/finetune/dry-run",
      async answer(asked) {
        const { words } = await finetuneWords(root, jsonOf(asked, dryRunSchema));
        const dry = [...words, "--dry-run"];
        return { json: { text: new TextDecoder().decode(await reports.print(dry, root)), command: commandText(dry) } };
      },
    },
    {
      method: "POST",
      path: "/api/finetune/train",
      async answer(asked) {
        const { name, from, ...chosen } = jsonOf(asked, trainSchema);
        const { words, run: standard } = await finetuneWords(root, chosen);
        const run = newRun(root, queue, name, standard);
        return { json: queue.add(run, [...words, ...fromWords(library, from), "--out", run]) };
      },
    },
  ];
}
