/** Why a run answers as it does: what `sardonyx explain` says of the same input, in a process of its own. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { DataError } from "../../core/errors.ts";
import { HttpError } from "../../serve/http-error.ts";
import { asFile, endingOfType, jsonOfBody, wordedOfBody } from "../../serve/models/predict-body.node.ts";
import type { PredictBody } from "../../serve/served-model.ts";
import type { ReportMaker } from "../jobs/report-command.node.ts";
import type { HowAsked } from "./how-asked.node.ts";

/** An explanation, as the page shows it. */
export interface Explained {
  /** The class, the next token or the number that is explained. */
  readonly target: string;
  readonly method: string;
  /** The picture, as SVG text: shown as an image, in which nothing runs. */
  readonly svg: string;
  /** What stands in the picture, for those who do not see it: words or columns with what they add. */
  readonly parts: readonly { readonly name: string; readonly value: number }[];
  readonly notes: readonly string[];
}

const pictureSchema = z.object({
  title: z.string(),
  columns: z.array(z.object({ name: z.string(), shown: z.string(), value: z.number() })).optional(),
  words: z.array(z.object({ text: z.string(), value: z.number().optional() })).optional(),
});
const recordSchema = z.object({
  type: z.literal("explanation"),
  ...{ target: z.string(), method: z.string(), pictures: z.array(pictureSchema), notes: z.array(z.string()) },
});

/** Explains the answer to an input. Throws HttpError for an input of another kind, DataError with what the command says. */
export async function explained(
  reports: ReportMaker,
  folder: string,
  { input, byDialogue }: HowAsked,
  body: PredictBody,
): Promise<Explained> {
  const isText = input.kind === "text" || input.kind === "write";
  const ending = body.type === "application/json" ? (isText ? ".txt" : ".json") : endingOfType(body.type);
  if (ending === undefined || (isText && ending !== ".txt"))
    throw new HttpError(415, `an input of type ${JSON.stringify(body.type.slice(0, 60))} is not explained here`);
  const text = isText ? jsonOfBody(body) : undefined;
  if (isText && (typeof text !== "string" || text.trim() === ""))
    throw new DataError("the input is no text, or an empty one; write one");
  const bytes = isText ? new TextEncoder().encode(String(text)) : body.bytes;
  return asFile(bytes, ending, async (path) => {
    const out = join(path, "..", "picture.svg");
    // A dialogue is asked by the text itself: it opens no files.
    const argument = byDialogue ? String(text) : path;
    const words = ["explain", "--json", `--out=${out}`, "--", folder, argument];
    const printed = new TextDecoder().decode(await reports.print(words));
    const line = printed.split("\n").find((own) => own.startsWith('{"type":"explanation"')) ?? "";
    const { target, method, pictures, notes } = recordSchema.parse(JSON.parse(line));
    const [first] = pictures;
    const parts =
      first?.columns?.map(({ name, shown, value }) => ({ name: shown === "" ? name : `${name}: ${shown}`, value })) ??
      first?.words?.flatMap(({ text: name, value }) => (value === undefined ? [] : [{ name, value }])) ??
      [];
    return { target, method, svg: await readFile(out, "utf8"), parts, notes };
  }).catch((error: unknown) => {
    throw wordedOfBody(error);
  });
}
