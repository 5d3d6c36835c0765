/** What the page asks of training: the forms of recipes, and the queue. */
import { existsSync } from "node:fs";
import * as z from "zod";
import { OptionError } from "../../core/errors.ts";
import { jsonOf, type Route } from "../http/routes.ts";
import { folderFor, type JobQueue } from "../jobs/job-queue.node.ts";
import { recipeForms, trainingWords } from "../jobs/recipe-form.node.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";

const trainSchema = z.strictObject({
  recipe: z.string(),
  /** The run's folder; default the recipe's name, with a number where that is taken. */
  name: z.string().max(200).optional(),
  settings: z.record(z.string(), z.union([z.string().max(10_000), z.number(), z.boolean()])),
});
const stopSchema = z.strictObject({ job: z.number().int() });
const resumeSchema = z.strictObject({ run: z.string() });

/** A folder's name that is not taken. */
function freeName(root: string, queue: JobQueue, name: string): string {
  for (let number = 1; ; number++) {
    const own = number === 1 ? name : `${name}-${number}`;
    if (!existsSync(folderFor(root, own)) && !queue.jobs.some(({ run }) => run === own)) return own;
  }
}

/** The routes. */
export function trainingRoutes(library: RunLibrary, queue: JobQueue): readonly Route[] {
  return [
    { method: "GET", path: "/api/recipes", answer: async () => ({ json: { recipes: await recipeForms() } }) },
    { method: "GET", path: "/api/jobs", answer: () => ({ json: { jobs: queue.jobs } }) },
    {
      method: "POST",
      path: "/api/train",
      async answer(asked) {
        const { recipe, name, settings } = jsonOf(asked, trainSchema);
        const words = await trainingWords(recipe, settings);
        if (name !== undefined && existsSync(folderFor(library.root, name)))
          throw new OptionError(`there is a folder ${name} already; name another one, or resume the run in it`);
        const run = name ?? freeName(library.root, queue, recipe);
        return { json: queue.add(run, [...words, "--out", run]) };
      },
    },
    {
      method: "POST",
      path: "/api/resume",
      answer(asked) {
        const { run } = jsonOf(asked, resumeSchema);
        library.folderOf(run);
        const found = library.runs.find(({ id }) => id === run);
        if (found?.recipe === undefined) throw new OptionError(`${run} is no run that this program can go on with`);
        return { json: queue.add(run, ["train", found.recipe, "--resume", "--out", run]) };
      },
    },
    {
      method: "POST",
      path: "/api/stop",
      answer(asked) {
        queue.stop(jsonOf(asked, stopSchema).job);
        return { json: { jobs: queue.jobs } };
      },
    },
  ];
}
