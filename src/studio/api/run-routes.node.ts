/** What the page asks of runs: their list, their curves, what is in one, and what is done with it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { parseJson } from "../../core/json.ts";
import { count } from "../../core/number-text.ts";
import { runFiles } from "../../runs/folder/run-folder.node.ts";
import { HttpError } from "../../serve/http-error.ts";
import { readBytes } from "../../storage/atomic.node.ts";
import { jsonOf, queryOf, type Route } from "../http/routes.ts";
import { fileHeaders } from "../http/session.node.ts";
import { annotate } from "../runs/annotations.node.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";
import { throwAway } from "../runs/trash.node.ts";

/** Files of a run that are shown, with their types; no others are. */
const shownFiles: Readonly<Record<string, string>> = {
  [runFiles.reportPage]: "text/html; charset=utf-8",
  [runFiles.report]: "text/plain; charset=utf-8",
  [runFiles.evaluation]: "application/json",
  [runFiles.record]: "application/json",
};

/** The most curves and columns of one answer. */
const [mostCurves, mostColumns] = [200, 2000];

const noteSchema = z.looseObject({ run: z.string() });
const deleteSchema = z.strictObject({ run: z.string() });

/** The routes. `changed` is told of runs that were changed here. */
export function runRoutes(library: RunLibrary, changed: () => void): readonly Route[] {
  return [
    { method: "GET", path: "/api/runs", answer: () => ({ json: { root: library.root, runs: library.runs } }) },
    {
      method: "GET",
      path: "/api/names",
      answer: ({ query }) => ({ json: library.curveNames(queryOf(query, "run")) }),
    },
    {
      method: "GET",
      path: "/api/curves",
      answer({ query }) {
        const name = queryOf(query, "name");
        const by = query.get("by") === "epoch" ? "epoch" : "batch";
        const runs = query.getAll("run");
        const columns = Math.min(mostColumns, Math.max(1, Math.floor(Number(query.get("columns")) || 400)));
        if (runs.length > mostCurves)
          throw new HttpError(
            400,
            `${count(runs.length)} curves were asked for at once, at most ${mostCurves} are given`,
          );
        const smoothing = Math.min(0.999, Math.max(0, Number(query.get("smoothing")) || 0));
        return { json: { curves: runs.flatMap((run) => library.curve(run, name, by, { columns, smoothing }) ?? []) } };
      },
    },
    {
      method: "GET",
      path: "/api/run",
      async answer({ query }) {
        const folder = library.folderOf(queryOf(query, "run"));
        const read = async (name: string) => {
          const path = join(folder, name);
          if (!existsSync(path)) return undefined;
          try {
            return parseJson(new TextDecoder().decode(await readBytes(path, "studio")));
          } catch {
            return undefined;
          }
        };
        const [record, evaluation] = [await read(runFiles.record), await read(runFiles.evaluation)];
        const files = Object.keys(shownFiles).filter((name) => existsSync(join(folder, name)));
        return { json: { record, evaluation, files } };
      },
    },
    {
      method: "GET",
      path: "/api/file",
      async answer({ query }) {
        const name = queryOf(query, "name");
        const type = Object.hasOwn(shownFiles, name) ? shownFiles[name] : undefined;
        if (type === undefined) throw new HttpError(404, `the studio shows no file ${JSON.stringify(name)} of a run`);
        const path = join(library.folderOf(queryOf(query, "run")), name);
        if (!existsSync(path)) throw new HttpError(404, `the run has no ${name} yet; it is written as the run goes`);
        return { bytes: await readBytes(path, "studio"), type, headers: fileHeaders };
      },
    },
    {
      method: "POST",
      path: "/api/annotate",
      async answer(asked) {
        const { run, ...change } = jsonOf(asked, noteSchema);
        const noted = await annotate(library.folderOf(run), change);
        changed();
        return { json: noted };
      },
    },
    {
      method: "POST",
      path: "/api/delete",
      async answer(asked) {
        const { run } = jsonOf(asked, deleteSchema);
        library.folderOf(run);
        const place = await throwAway(library.root, run);
        changed();
        return { json: { place } };
      },
    },
  ];
}
