/** What the page asks of your own data: uploads, what lies there, a look and a profile, and training on it. */
import * as z from "zod";
import { offeredData, requireBelow } from "../data/data-places.node.ts";
import { lookAt, ownDataWords } from "../data/own-data.node.ts";
import { profileReport } from "../data/profile-report.node.ts";
import type { Uploads } from "../data/uploads.node.ts";
import { jsonOf, queryOf, type Route } from "../http/routes.ts";
import { type JobQueue, newRun } from "../jobs/job-queue.node.ts";
import type { ReportMaker } from "../jobs/report-command.node.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";
import { filledSchema, fromWords } from "./training-routes.node.ts";

const doneSchema = z.strictObject({ set: z.string(), files: z.number().int().min(1) });
const choice = { path: z.string(), target: z.string().max(1000).optional(), task: z.string().max(100).optional() };
const profileSchema = z.strictObject({ path: choice.path, target: choice.target });
const trainSchema = z.strictObject({
  ...choice,
  name: z.string().max(200).optional(),
  settings: filledSchema,
  from: z.string().optional(),
});

/** What the routes work with. */
export interface DataRoutesOptions {
  readonly library: RunLibrary;
  readonly queue: JobQueue;
  readonly uploads: Uploads;
  readonly reports: ReportMaker;
}

/** The routes. */
export function dataRoutes({ library, queue, uploads, reports }: DataRoutesOptions): readonly Route[] {
  const { root } = library;
  return [
    { method: "GET", path: "/api/data", answer: () => ({ json: { data: offeredData(root) } }) },
    {
      method: "POST",
      path: "/api/data/upload",
      async receive(query, content) {
        await uploads.take({ set: queryOf(query, "set"), path: queryOf(query, "path"), content });
        return { json: {} };
      },
    },
    {
      method: "POST",
      path: "/api/data/done",
      async answer(asked) {
        const { set, files } = jsonOf(asked, doneSchema);
        return { json: { path: await uploads.done(set, files) } };
      },
    },
    {
      method: "GET",
      path: "/api/data/look",
      async answer({ query }) {
        const [target, task] = ["target", "task"].map((name) => query.get(name) ?? undefined);
        return { json: await lookAt(root, { path: queryOf(query, "path"), target, task }) };
      },
    },
    {
      method: "POST",
      path: "/api/data/profile",
      async answer(asked) {
        const chosen = jsonOf(asked, profileSchema);
        requireBelow(root, chosen.path);
        return { json: await profileReport(reports, root, chosen) };
      },
    },
    {
      method: "POST",
      path: "/api/data/train",
      async answer(asked) {
        const { name, settings, from, ...chosen } = jsonOf(asked, trainSchema);
        const { words, run: standard } = await ownDataWords(root, chosen, settings);
        const run = newRun(root, queue, name, standard);
        return { json: queue.add(run, [...words, ...fromWords(library, from), "--out", run]) };
      },
    },
  ];
}
