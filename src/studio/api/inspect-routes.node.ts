/** What the page asks of models: depth, parameters, cost and memory of a run's, of a named architecture, or of a file that was dropped; several side by side. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import * as z from "zod";
import { OptionError } from "../../core/errors.ts";
import { flagOf } from "../../core/printable.ts";
import { runFiles } from "../../runs/folder/run-folder.node.ts";
import { jsonOf, queryOf, type Route } from "../http/routes.ts";
import { fileHeaders } from "../http/session.node.ts";
import type { ReportMaker } from "../jobs/report-command.node.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";

const whole = z.number().int().min(1);
const pattern = z.string().min(1).max(500);
/** What is changed of a model before it is looked at. */
const whatIfSchema = z.strictObject({
  batch: whole.optional(),
  sequence: whole.optional(),
  precision: z.enum(["float32", "float16", "bfloat16", "float64"]).optional(),
  optimizer: z.enum(["sgd", "rmsprop", "adagrad", "adam", "adamw", "lamb", "muon"]).optional(),
  freeze: pattern.optional(),
  lora: whole.optional(),
  quantize: z.union([z.literal(4), z.literal(8)]).optional(),
  memory: z
    .string()
    .regex(/^\d+(\.\d+)?\s?[KMGT]?i?B?$/i)
    .optional(),
});

const inspectSchema = z.strictObject({
  /** Runs by their ids, or names of architectures such as resnet50. */
  targets: z
    .array(z.union([z.strictObject({ run: z.string() }), z.strictObject({ architecture: z.string() })]))
    .min(1)
    .max(6),
  whatIf: whatIfSchema.default({}),
});

/** Files that are models, and are data: what has code in it is not opened. */
const modelEndings = [".onnx", ".safetensors", ".gguf", ".keras", ".h5", ".json"];

const htmlType = "text/html; charset=utf-8";

/** The report's page draws with scripts of its own: in a frame that reaches nothing. */
const reportHeaders: Readonly<Record<string, string>> = {
  ...fileHeaders,
  "content-security-policy":
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
};

const wordsOf = (whatIf: z.infer<typeof whatIfSchema>): string[] =>
  Object.entries(whatIf).map(([name, value]) => `${flagOf(name)}=${value}`);

/** What a command takes for a target. Throws OptionError for a name that could be a path. */
function targetOf(library: RunLibrary, target: z.infer<typeof inspectSchema>["targets"][number]): string {
  if ("run" in target) return join(library.folderOf(target.run), runFiles.model);
  if (/^[a-zA-Z][\w-]*$/.test(target.architecture)) return target.architecture;
  throw new OptionError(
    `${JSON.stringify(target.architecture.slice(0, 80))} is no name of an architecture, such as resnet50`,
  );
}

/** The routes. */
export function inspectRoutes(library: RunLibrary, reports: ReportMaker): readonly Route[] {
  const answered = async (words: readonly string[], type = htmlType) => {
    const report = await reports.make(type === htmlType ? [...words, "--format=html"] : words, type);
    return { json: { report } };
  };
  return [
    {
      method: "POST",
      path: "/api/inspect",
      answer(asked) {
        const { targets, whatIf } = jsonOf(asked, inspectSchema);
        const names = targets.map((target) => targetOf(library, target));
        const words = wordsOf(whatIf);
        // Several stand side by side in a table, as text.
        return names.length === 1
          ? answered(["inspect", ...names, ...words])
          : answered(["compare", ...names, ...words], "text/plain; charset=utf-8");
      },
    },
    {
      method: "POST",
      path: "/api/inspect-file",
      async answer({ query, body }) {
        const name = queryOf(query, "name");
        const ending = extname(name).toLowerCase();
        if (!modelEndings.includes(ending))
          throw new OptionError(
            `${JSON.stringify(name.slice(0, 80))} is no model that is inspected here; drop one of ${modelEndings.join(", ")}`,
          );
        const folder = await mkdtemp(join(tmpdir(), "sardonyx-studio-"));
        try {
          // Under a name of our own, which leads nowhere.
          const path = join(folder, `model${ending}`);
          await writeFile(path, body, { mode: 0o600 });
          const given = { body: Buffer.from(query.get("whatIf") ?? "{}"), type: "application/json" };
          const whatIf = jsonOf(given, whatIfSchema);
          return await answered(["inspect", path, ...wordsOf(whatIf)]);
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      },
    },
    {
      method: "GET",
      path: "/api/report",
      answer: ({ query }) => ({ ...reports.get(queryOf(query, "id")), headers: reportHeaders }),
    },
  ];
}
