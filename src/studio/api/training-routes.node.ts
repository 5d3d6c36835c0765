/** What the page asks of training: the forms of recipes, and the queue. */
import * as z from "zod";
import { OptionError } from "../../core/errors.ts";
import { builtInRecipes } from "../../runs/recipes/recipes.node.ts";
import { jsonOf, queryOf, type Route } from "../http/routes.ts";
import { forkOf } from "../jobs/fork.node.ts";
import { type JobQueue, newRun } from "../jobs/job-queue.node.ts";
import { recipeForms, trainingWords } from "../jobs/recipe-form.node.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";

/** What is filled into a form. */
export const filledSchema = z.record(z.string(), z.union([z.string().max(10_000), z.number(), z.boolean()]));

const trainSchema = z.strictObject({
  recipe: z.string(),
  /** The run's folder; default the recipe's name, with a number where that is taken. */
  name: z.string().max(200).optional(),
  settings: filledSchema,
  /** A run with whose parameters it begins. */
  from: z.string().optional(),
});
const stopSchema = z.strictObject({ job: z.number().int() });
const resumeSchema = z.strictObject({ run: z.string() });

/** The option with which a new run begins with the parameters of another one. Throws FileError for what is no run. */
export function fromWords(library: RunLibrary, from: string | undefined): readonly string[] {
  if (from === undefined) return [];
  library.folderOf(from);
  return [`--from=${from}`];
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
        const { recipe, name, settings, from } = jsonOf(asked, trainSchema);
        const words = await trainingWords(recipe, settings);
        const run = newRun(library.root, queue, name, recipe);
        return { json: queue.add(run, [...words, ...fromWords(library, from), "--out", run]) };
      },
    },
    {
      method: "GET",
      path: "/api/fork",
      answer: ({ query }) => ({ json: forkOf(library, queryOf(query, "run")) }),
    },
    {
      method: "POST",
      path: "/api/resume",
      answer(asked) {
        const { run } = jsonOf(asked, resumeSchema);
        library.folderOf(run);
        const found = library.runs.find(({ id }) => id === run);
        // A name that a file says may be the path of code.
        if (found?.recipe === undefined || !builtInRecipes().includes(found.recipe))
          throw new OptionError(
            `${run} is no run of a built-in recipe; go on with your own on the command line: sardonyx train RECIPE --resume --out ${run}`,
          );
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
