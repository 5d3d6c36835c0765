/** What the page asks of models: depth, parameters, cost and memory of a run's, of a named architecture, or of a file that was dropped; several side by side. */
import { join } from "node:path";
import * as z from "zod";
import type { Comparison } from "../../analyze/report/compare.ts";
import { OptionError, reword, SardonyxError } from "../../core/errors.ts";
import { flagOf } from "../../core/printable.ts";
import { runFiles } from "../../runs/folder/run-folder.node.ts";
import { jsonOf, queryOf, type Route } from "../http/routes.ts";
import { fileHeaders } from "../http/session.node.ts";
import type { ReportMaker } from "../jobs/report-command.node.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";
import type { DroppedFiles } from "../understanding/dropped-files.node.ts";
import type { InspectedModels } from "../understanding/inspected-models.node.ts";
import { type InspectTarget, targetSchema, whatIfSchema } from "../understanding/what-if.ts";

const inspectSchema = z.strictObject({ target: targetSchema, whatIf: whatIfSchema.default({}) });
/** Without what only a single model is asked. */
const comparedSchema = whatIfSchema.omit({ hardware: true, withoutTraining: true });
const compareSchema = z.strictObject({
  targets: z.array(targetSchema).min(2).max(6),
  whatIf: comparedSchema.default({}),
});

/** The report's page draws with scripts of its own: in a frame that reaches nothing. */
const reportHeaders: Readonly<Record<string, string>> = {
  ...fileHeaders,
  "content-security-policy":
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
};

/** What these routes work with. */
export interface InspectServices {
  readonly library: RunLibrary;
  readonly reports: ReportMaker;
  readonly models: InspectedModels;
  readonly files: DroppedFiles;
}

/** The routes. */
export function inspectRoutes({ library, reports, models, files }: InspectServices): readonly Route[] {
  /** What a command takes for a target. Throws OptionError for a name that could be a path. */
  const targetOf = (target: InspectTarget): string => {
    if ("run" in target) return join(library.folderOf(target.run), runFiles.model);
    if ("file" in target) return files.pathOf(target.file);
    if (/^[a-zA-Z][\w-]*$/.test(target.architecture)) return target.architecture;
    throw new OptionError(
      `${JSON.stringify(target.architecture.slice(0, 80))} is no name of an architecture, such as resnet50`,
    );
  };
  const telling = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof SardonyxError) reword(error, files.shown(error.message));
      throw error;
    }
  };
  return [
    {
      method: "POST",
      path: "/api/inspect-file",
      receive: async (query, content) => ({ json: { file: await files.take(queryOf(query, "name"), content) } }),
    },
    {
      method: "POST",
      path: "/api/what-if",
      async answer(asked) {
        const { target, whatIf } = jsonOf(asked, inspectSchema);
        const inspection = await telling(models.inspection(targetOf(target), whatIf, asked.signal));
        return { json: { inspection } };
      },
    },
    {
      method: "POST",
      path: "/api/inspect",
      async answer(asked) {
        const { target, whatIf } = jsonOf(asked, inspectSchema);
        const page = await telling(models.page(targetOf(target), whatIf, asked.signal));
        return { json: { report: reports.keep({ bytes: Buffer.from(page), type: "text/html; charset=utf-8" }) } };
      },
    },
    {
      method: "POST",
      path: "/api/compare",
      async answer(asked) {
        const { targets, whatIf } = jsonOf(asked, compareSchema);
        const words = Object.entries(whatIf).map(([name, value]) => `${flagOf(name)}=${value}`);
        const printed = await telling(reports.print(["compare", ...targets.map(targetOf), ...words, "--format=json"]));
        return { json: JSON.parse(Buffer.from(printed).toString()) as Comparison };
      },
    },
    {
      method: "GET",
      path: "/api/report",
      answer: ({ query }) => ({ ...reports.get(queryOf(query, "id")), headers: reportHeaders }),
    },
  ];
}
