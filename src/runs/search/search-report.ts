/** A search of settings as plain data, which its file keeps and reports show. */
import * as z from "zod";
import { FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import { spoken } from "../../core/number-text.ts";
import { optionValueSchema } from "../recipes/settings.ts";
import { resultSchema } from "../training/evaluation.ts";
import { searchSpaceSchema } from "./space.ts";

const trialSchema = z.strictObject({
  /** From 1; the first has the settings that the search began with. */
  number: z.number(),
  /** What was drawn for it, by the names of settings. */
  settings: z.record(z.string(), optionValueSchema),
  /** The best of the monitored result that it reached at each rung, in their order, as far as it came. */
  reached: z.array(resultSchema).readonly(),
  /** The lowest validation loss at each rung, by which trials are told apart that reached the same. */
  losses: z.array(resultSchema).readonly(),
  /** The monitored result after each epoch. */
  curve: z.array(resultSchema).readonly(),
  seconds: z.number(),
  /** Why it came to nothing. */
  failed: z.string().optional(),
});

/** What `search.json` holds. */
export const searchReportSchema = z.strictObject({
  format: z.literal("sardonyx-search-1"),
  recipe: z.string(),
  seed: z.number(),
  space: searchSpaceSchema,
  /** Trials and the epochs up to which they are trained. */
  rungs: z.array(z.strictObject({ epochs: z.number(), trials: z.number() })).readonly(),
  /** Epochs of a whole training. */
  epochs: z.number(),
  /** The result by which trials are chosen: one of the validation data. Empty before the first trial. */
  monitor: z.string(),
  /** Which way it is better. */
  better: z.enum(["higher", "lower"]),
  trials: z.array(trialSchema).readonly(),
  /** The number of the trial whose settings are trained in full, once there is one. */
  chosen: z.number().optional(),
});

/** A search of settings. */
export type SearchReport = Readonly<z.infer<typeof searchReportSchema>>;
/** A trial of it. */
export type Trial = SearchReport["trials"][number];

/** The search in a file. Throws FileError when it is damaged. */
export function parseSearch(text: string, where: string): SearchReport {
  try {
    return searchReportSchema.parse(parseJson(text));
  } catch (cause) {
    throw new FileError(`${where} is damaged; remove it, and its folder of trials, and search again`, { cause });
  }
}

/** Numbers from the lowest on, those that are none last. */
const ascending = (a = Number.NaN, b = Number.NaN): number => {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
};

/** Trials from the best to the worst: those that came further before others, then by what they reached, then by their loss. */
export function ranked({ trials, better }: Pick<SearchReport, "trials" | "better">): Trial[] {
  const sign = better === "higher" ? -1 : 1;
  const worthOf = ({ reached }: Trial) => sign * (reached.at(-1) ?? Number.NaN);
  return trials.toSorted(
    (a, b) =>
      b.reached.length - a.reached.length ||
      ascending(worthOf(a), worthOf(b)) ||
      ascending(a.losses.at(-1), b.losses.at(-1)) ||
      a.number - b.number,
  );
}

/** The settings of a trial in a few words: `learning rate 0.0021, batch size 32`. */
export const settingsText = ({ settings }: Pick<Trial, "settings">): string =>
  Object.entries(settings)
    .map(([name, value]) => `${spoken(name)} ${value === "" ? "none" : value}`)
    .join(", ");
