/** The profile of data, as `sardonyx data` makes it: what a page shows of it, and its own page with charts and samples. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { DataError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { commandText } from "../jobs/job-queue.node.ts";
import type { ReportMaker } from "../jobs/report-command.node.ts";

const countSchema = z.object({ value: z.string(), count: z.number() });
/** Of the profile that the command prints, what the page shows. */
const profileSchema = z.object({
  kind: z.string(),
  bytes: z.number(),
  notes: z.array(z.string()),
  findings: z.array(z.object({ weight: z.enum(["problem", "hint"]), text: z.string() })),
  table: z
    .object({
      rows: z.number(),
      duplicatedRows: z.number(),
      columns: z.array(
        z.object({
          name: z.string(),
          kind: z.string(),
          missing: z.number(),
          distinct: z.number(),
          numbers: z.object({ least: z.number(), mean: z.number(), most: z.number() }).optional(),
          top: z.array(countSchema).optional(),
        }),
      ),
    })
    .optional(),
  files: z
    .object({ count: z.number(), broken: z.array(z.unknown()), duplicated: z.array(z.unknown()) })
    .transform(({ count, broken, duplicated }) => ({ count, broken: broken.length, duplicated: duplicated.length }))
    .optional(),
  target: z.object({ name: z.string(), task: z.string(), classes: z.array(countSchema).optional() }).optional(),
});

/** What the page shows of a profile. */
export type ShownProfile = Readonly<z.output<typeof profileSchema>>;

/** A profile, the number of its own page, and the command that makes it. */
export interface ProfileReport {
  readonly profile: ShownProfile;
  readonly page: string;
  readonly command: string;
}

/** Profiles data at a path below a folder. Throws DataError with what the command says where it fails. */
export async function profileReport(
  reports: ReportMaker,
  root: string,
  { path, target }: { readonly path: string; readonly target?: string | undefined },
): Promise<ProfileReport> {
  const words = ["data", path, ...(target ? [`--target=${target}`] : [])];
  const folder = await mkdtemp(join(tmpdir(), "sardonyx-studio-"));
  try {
    const page = join(folder, "profile.html");
    const printed = await reports.print([...words, "--json", `--html=${page}`], root);
    const [line = ""] = new TextDecoder().decode(printed).split("\n");
    const profile = profileSchema.safeParse(parseJson(line));
    if (!profile.success) throw new DataError(`the profile of ${path} cannot be read; look at it by sardonyx data`);
    const bytes = await readFile(page);
    return {
      profile: profile.data,
      page: reports.keep({ bytes, type: "text/html; charset=utf-8" }),
      command: commandText(words),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
