/** Settings of a run, each declared once: what it may be, and what it means. */
import * as z from "zod";
import { isByteSize } from "../../core/byte-size.ts";
import { OptionError, unknownName } from "../../core/errors.ts";
import { asideLines } from "../../distributed/communicator.ts";
import { exchanges } from "../../distributed/sums.ts";
import { computePrecisions, type Device, type DeviceChoice, deviceChoices, devices } from "../../runtime/session.ts";
import { type OptimizerName, optimizers } from "../../train/optimizers/index.ts";

/** Settings that every recipe has defaults for. */
export const recipeSettingsSchema = z.strictObject({
  epochs: z.number().int().min(1).describe("passes over the training data"),
  batchSize: z.number().int().min(1).describe("samples in a training step"),
  learningRate: z.number().gt(0).describe("step size of the optimizer"),
  optimizer: z.enum(Object.keys(optimizers) as [OptimizerName, ...OptimizerName[]]).describe("the optimizer"),
  seed: z.number().int().min(0).describe("start of all randomness"),
});

/** A choice of a recipe's own. */
export const optionValueSchema = z.union([z.string(), z.number(), z.boolean()]);

/** Everything that decides what a run computes. */
export const runSettingsSchema = recipeSettingsSchema.extend({
  device: z.enum(devices).describe("where it computes"),
  // Part of the record, since sums depend on how work is divided.
  threads: z.number().int().min(1).describe("threads of one operator; default all cores"),
  limit: z.number().int().min(1).optional().describe("use only so many samples, for a quick try"),
  memory: z
    .string()
    .refine((text) => isByteSize(text), "pass bytes, such as 2GB or 1.5GiB")
    .optional()
    .describe("memory that a step may take, such as 2GB: as much is computed twice as that needs"),
  parts: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe("compute each batch in so many parts, one after another, for one update; default 1"),
  normalization: z
    .enum(["global", "local"])
    .optional()
    .describe("of several processes: batch normalization over the rows of all, or of each; default global"),
  sharded: z
    .boolean()
    .optional()
    .describe("of several processes: each keeps its part of what the optimizer remembers (ZeRO stage 1)"),
  exchange: z
    .enum(exchanges)
    .optional()
    .describe(
      "of several processes: in what numbers they exchange gradients; float16 takes half the bytes; default float32",
    ),
  buckets: z
    .number()
    .int()
    .min(1)
    .max(asideLines)
    .optional()
    .describe("of several processes: exchange gradients in so many buckets, each while others are computed; default 1"),
  precision: z
    .enum(computePrecisions)
    .optional()
    .describe(
      "of products and convolutions in training: float16 (mixed precision) is for graphics cards; default float32",
    ),
  watchLayers: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe(
      "measure every layer after so many epochs: gradients, dead units; in the log and the report; default never",
    ),
  watchSamples: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe(
      "show after so many epochs what the model makes of a few fixed samples: predictions, texts, images, attention; in the studio; default never",
    ),
  private: z
    .number()
    .gt(0)
    .optional()
    .describe("differential privacy: spend at most this epsilon, such as 3; default none"),
  delta: z
    .number()
    .gt(0)
    .max(0.1)
    .optional()
    .describe("of --private: the probability that epsilon does not hold; default 1e-5, or less for many samples"),
  clip: z.number().gt(0).optional().describe("of --private: the norm that no sample's gradient exceeds; default 1"),
  repeats: z.number().int().min(1).optional().describe("of an experiment: train each network from so many seeds"),
  options: z.record(z.string(), optionValueSchema).default({}).describe("the recipe's own options"),
});

/** What may be given of them: as a run has them, with a device that may be `auto`, for which the run has the one that was chosen. */
export const givenSettingsShape = {
  ...runSettingsSchema.shape,
  device: z
    .enum(deviceChoices)
    .describe("where to compute; default auto, a graphics card where there is one that is faster than the processor"),
};

/**
 * Settings that every recipe has defaults for:
 * - `epochs`: passes over the training data.
 * - `batchSize`: samples in a training step.
 * - `learningRate`: step size of the optimizer.
 * - `optimizer`: the name of an optimizer.
 * - `seed`: start of all randomness.
 */
export type RecipeSettings = Readonly<z.infer<typeof recipeSettingsSchema>>;
/**
 * Everything that decides what a run computes: the settings of `RecipeSettings`, and
 * - `device`: where to compute: the device that was chosen for the run.
 * - `threads`: threads of one operator; default all cores. Part of the record, since sums depend on how work is
 * divided.
 * - `limit`: use only so many samples, for a quick try; default all.
 * - `memory`: what a training step may take, such as `"2GB"`; as much is computed again on the way back as that needs.
 * - `parts`: how many parts each batch is computed in, one after another, for one update; default 1.
 * - `normalization`: whether several processes normalize batches over the rows of all, `"global"`, or of each, `"local"`; default global.
 * - `sharded`: whether each of several processes keeps its part alone of what the optimizer remembers; default false.
 * - `exchange`: in what numbers several processes exchange gradients; default float32.
 * - `buckets`: in how many buckets several processes exchange gradients, each while others are computed; default 1.
 * - `precision`: what matrix products and convolutions of training steps are computed in; `"float16"` is mixed precision, with loss scaling.
 * Default float32.
 * - `watchLayers`: after how many epochs every layer is measured, on one batch, for the log and the report; default never.
 * - `watchSamples`: after how many epochs the run keeps what the model makes of a few fixed samples, for the studio; default never.
 * - `private`: the epsilon of differential privacy that training may spend; default none, and no privacy.
 * - `delta`: of `private`, the probability that epsilon does not hold; default 1e-5, or a tenth of 1 / samples where that is less.
 * - `clip`: of `private`, the norm that no sample's gradient exceeds; default 1.
 * - `repeats`: of an experiment, how many seeds each network is trained from.
 * - `options`: the recipe's own options, by name.
 */
export type RunSettings = Readonly<z.infer<typeof runSettingsSchema>>;
/** Settings in place of a recipe's defaults; the device is `"auto"` where none is given. */
export type GivenSettings = { readonly [K in keyof Omit<RunSettings, "device">]?: RunSettings[K] | undefined } & {
  /** Where to compute; default `"auto"`, for which the run keeps the device that was chosen. */
  readonly device?: DeviceChoice | undefined;
};
/** The same with the device that is chosen. */
export type PlacedSettings = GivenSettings & {
  /** Where to compute. */
  readonly device?: Device | undefined;
};

/** What is chosen of a recipe; where and how often it runs are options of the run. */
const choicesSchema = runSettingsSchema.omit({ device: true, threads: true, repeats: true });
/**
 * What is chosen in place of a recipe's defaults: `epochs`, `batchSize`, `learningRate`, `optimizer` and `seed`, as in
 * `RecipeSettings`; `memory` and `parts`, in how much memory; `normalization`, `sharded`, `exchange` and `buckets`, of several processes; `precision`, of products; `watchLayers` and `watchSamples`, after so many epochs; `private`, `delta` and `clip`, of differential privacy; `limit`, so many samples for a quick try; and `options`, the recipe's own, by name.
 */
export type RecipeChoices = Pick<GivenSettings, keyof z.infer<typeof choicesSchema>>;

/** Throws OptionError, with the nearest name, for a choice that there is not. */
export function checkChoices(choices: RecipeChoices): void {
  const known = Object.keys(choicesSchema.shape);
  const unknown = Object.keys(choices).find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownName("setting", unknown, known);
}
/** The value of a recipe's own option. */
export type OptionValue = z.infer<typeof optionValueSchema>;

/** What a recipe is loaded with: settings and its own options side by side. */
export const recipeSettings = ({ options, ...settings }: RunSettings) => ({ ...options, ...settings });

/** What a recipe begins with: settings that all have, and privacy where it is about that. */
export type RecipeDefaults = RecipeSettings & Partial<Pick<RunSettings, "private" | "delta" | "clip">>;

/** What settings begin with. */
export interface SettingDefaults {
  readonly name: string;
  readonly defaults: RecipeDefaults & { readonly repeats?: number | undefined; readonly threads?: number | undefined };
  readonly options: Readonly<Record<string, OptionValue>>;
}

/** Settings of a new run. Throws OptionError for one that makes no sense, or that the recipe does not have. */
export function newSettings(recipe: SettingDefaults, given: PlacedSettings, cores: number): RunSettings {
  const { name, defaults, options } = recipe;
  if (given.repeats !== undefined && defaults.repeats === undefined)
    throw new OptionError(
      `repeats is for experiments, and ${name} trains one network once; leave it out, or pass another seed`,
    );
  const ofRecipes = (
    [
      "memory",
      "parts",
      "normalization",
      "sharded",
      "exchange",
      "buckets",
      "precision",
      "watchLayers",
      "watchSamples",
      "private",
      "delta",
      "clip",
    ] as const
  ).find((own) => given[own] !== undefined);
  if (defaults.repeats !== undefined && ofRecipes !== undefined)
    throw new OptionError(`${ofRecipes} is for recipes, and ${name} is an experiment; leave it out`);
  const { options: own, ...rest } = given;
  const stray = (["delta", "clip"] as const).find((name) => given[name] !== undefined);
  if (stray && (given.private ?? defaults.private) === undefined)
    throw new OptionError(`${stray} is of private training; pass private too, such as 3, or leave it out`);
  const isGiven = ([, value]: readonly [string, unknown]) => value !== undefined;
  return checkSettings({
    device: "cpu",
    threads: cores,
    ...defaults,
    ...Object.fromEntries(Object.entries(rest).filter(isGiven)),
    options: { ...options, ...own },
  });
}

/** Throws OptionError for a setting that there is not, with the nearest, and for the first that makes no sense. */
function checkSettings(settings: unknown): RunSettings {
  const parsed = runSettingsSchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === "unrecognized_keys")
    throw unknownName("setting", issue.keys[0] ?? "", Object.keys(runSettingsSchema.shape));
  throw new OptionError(`setting ${issue?.path.join(".") || "of the run"}: ${issue?.message}; correct it`);
}

/** A setting that differs from what a run has. */
export interface SettingConflict {
  readonly name: string;
  readonly given: unknown;
  readonly has: unknown;
}

/** Settings of a run that goes on, and those that may not change; more epochs may. */
export function resumedSettings(
  saved: RunSettings,
  given: PlacedSettings,
): { readonly settings: RunSettings; readonly conflicts: readonly SettingConflict[] } {
  const { options = {}, ...rest } = given;
  const pairs = [
    ...Object.entries(rest).map(([name, value]) => ({ name, given: value, has: saved[name as keyof RunSettings] })),
    ...Object.entries(options).map(([name, value]) => ({ name, given: value, has: saved.options[name] })),
  ];
  const conflicts = pairs.filter(({ name, given: value, has }) => {
    if (value === undefined || value === has) return false;
    // A checkpoint is the same for all devices.
    // The noise of a private run is that of its epochs.
    if (name === "epochs") return saved.private !== undefined || (value as number) < saved.epochs;
    return name !== "device";
  });
  const { epochs = saved.epochs, device = saved.device } = given;
  return { settings: { ...saved, epochs, device }, conflicts };
}
