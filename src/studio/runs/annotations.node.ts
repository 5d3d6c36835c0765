/** What a person notes of a run, in `studio.json` of its folder: a name, tags, a text, whether it is put away. */
import { join } from "node:path";
import * as z from "zod";
import { FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { endOfFile } from "./appended-file.node.ts";

/** The file's name. */
export const annotationsFile = "studio.json";

export const annotationsSchema = z.strictObject({
  /** What the run is called; its folder stays where it is. */
  name: z.string().trim().max(200).optional(),
  /** A group by which runs are shown together. */
  group: z.string().trim().max(100).optional(),
  tags: z.array(z.string().trim().min(1).max(50)).max(50).optional(),
  note: z.string().max(10_000).optional(),
  /** Not shown among the others. */
  archived: z.boolean().optional(),
});
/** What a person notes of a run. */
export type Annotations = z.infer<typeof annotationsSchema>;

/** What is noted of a run; nothing where there is no such file, or it is damaged. */
export function readAnnotations(folder: string): Annotations {
  try {
    return annotationsSchema.parse(parseJson(new TextDecoder().decode(endOfFile(join(folder, annotationsFile)))));
  } catch {
    return {};
  }
}

/** Notes what is new of a run, beside what was noted of it. Throws FileError for what is no note, and what the disk refuses. */
export async function annotate(folder: string, change: unknown): Promise<Annotations> {
  const parsed = annotationsSchema.safeParse(change);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new FileError(
      `a run's notes: ${issue?.path.join(".") || "they"}: ${issue?.message}; send name, group, tags, note or archived`,
    );
  }
  const next = { ...readAnnotations(folder), ...parsed.data };
  await writeFileAtomic(join(folder, annotationsFile), `${JSON.stringify(next, null, 2)}\n`);
  return next;
}
