/** What a run's folder holds so that prediction, generation and export need neither its data nor its recipe. */

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { FileError } from "../../core/errors.ts";
import { parseJson } from "../../core/json.ts";
import type { SoundFormat } from "../../data/sound/sound-format.ts";
import { rowEncodingSchema } from "../../data/tables/rows/row-encoding.ts";
import { textFeaturesSchema } from "../../data/text/text-features.ts";
import { tokenizerFileSchema, tokenizerOf } from "../../data/text/tokenizer.ts";
import { type TextReader, textOutputs } from "../../finetune/tasks/text-rows.ts";
import { encodeOnnx } from "../../formats/files/export-onnx.ts";
import { loadModel } from "../../formats/files/load-model.node.ts";
import { encodeSavedModel } from "../../formats/files/saved-model.ts";
import type { Value } from "../../graph/ir.ts";
import { Context, lambda, type TypeTree } from "../../nn/index.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { builtIn } from "../../nn/parameter-inputs.ts";
import { readBytes, writeFileAtomic } from "../../storage/atomic.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { rawTypeOf } from "../open/input.ts";
import type { Deployment, Task, Writer } from "../recipes/recipe.ts";
import type { Plan } from "../training/plan.node.ts";
import { runFiles } from "./run-folder.node.ts";

const typeSchema = z.strictObject({ dtype: z.string(), shape: z.array(z.number().int().min(0)) });

const deploymentSchema = z.strictObject({
  format: z.literal("sardonyx-deployment-1"),
  /** Types of the inputs of what is predicted with, for a batch of 1. */
  inputs: z.union([typeSchema, z.record(z.string(), typeSchema)]),
  image: z
    .strictObject({
      height: z.number().int().min(1),
      width: z.number().int().min(1),
      channels: z.union([z.literal(1), z.literal(3)]),
      turns: z.boolean().optional(),
    })
    .optional(),
  sound: z
    .strictObject({
      rate: z.number().int().min(1),
      samples: z.number().int().min(1),
      bands: z.number().int().min(1).optional(),
    })
    .optional(),
  /** How rows of a table become numbers. */
  table: z.optional(rowEncodingSchema),
  /** How texts become ids. */
  text: textFeaturesSchema.optional(),
  /** Whether raw inputs go through prepare.onnx. */
  prepared: z.boolean(),
  classes: z.array(z.string()).optional(),
  labels: z.array(z.string()).optional(),
  reader: z
    .strictObject({
      tokenizer: tokenizerFileSchema,
      length: z.number().int().min(1),
      padding: z.number().int().min(0),
      column: z.string().optional(),
      gives: z.enum(textOutputs).optional(),
    })
    .optional(),
  writer: z
    .strictObject({
      tokenizer: tokenizerFileSchema,
      positions: z.number().int().min(1),
      prompt: z.string(),
      chat: z.strictObject({ template: z.string(), bos: z.string().optional(), eos: z.string().optional() }).optional(),
    })
    .optional(),
  /** What a recipe of your own would be asked, by code of its own. */
  dialogue: z.strictObject({ what: z.string(), example: z.string() }).optional(),
  /** What the recipe keeps of its data. */
  facts: z.unknown().optional(),
  /** Where a weight of model.onnx lies in the checkpoint, when the two name it otherwise. */
  weights: z.record(z.string(), z.string()),
});
/** What `deployment.json` says. */
export type DeploymentRecord = z.infer<typeof deploymentSchema>;

/** Writes what a run's folder holds beside its checkpoints. Returns why the ONNX model takes a batch of 1 only, if it does. */
export async function writeDeployment({ folder, recipe }: Plan, task: Task): Promise<string | undefined> {
  const { model, inputs, format } = task.deployed ?? task;
  const { classes, labels, reader, writer, dialogue, facts } = task;
  model.trace(inputs);
  const metadata = { recipe: recipe.name, ...(classes && { classes: JSON.stringify(classes) }) };
  const { bytes, obstacle } = encodeSavedModel(model, { inputs, metadata });
  const prepare = format?.prepare;
  const preparation = prepare && encodeOnnx(lambda(prepare), { inputs: rawTypeOf(format, inputs) }).bytes;
  const record: DeploymentRecord = {
    format: "sardonyx-deployment-1",
    inputs: inputs as DeploymentRecord["inputs"],
    ...(format?.image && { image: format.image }),
    ...(format?.sound && { sound: format.sound }),
    ...(format?.table && { table: format.table }),
    ...(format?.text && { text: format.text }),
    prepared: preparation !== undefined,
    ...(classes && { classes: [...classes] }),
    ...(labels && { labels: [...labels] }),
    ...(reader && { reader: { ...reader, tokenizer: JSON.parse(reader.tokenizer.json()) } }),
    ...(writer && { writer: { ...writer, tokenizer: JSON.parse(writer.tokenizer.json()) } }),
    ...(dialogue && { dialogue: { what: dialogue.what, example: dialogue.example } }),
    facts,
    weights: weightNames(model.parameters(), task.model.parameters()),
  };
  if (preparation) await writeFileAtomic(join(folder, runFiles.prepare), preparation);
  else rmSync(join(folder, runFiles.prepare), { force: true });
  await writeFileAtomic(join(folder, runFiles.model), bytes);
  await writeFileAtomic(join(folder, runFiles.deployment), `${JSON.stringify(record)}\n`);
  return obstacle;
}

/** Paths in the model that is trained, of parameters that the deployed one calls otherwise. */
function weightNames(
  deployed: ReadonlyMap<string, Parameter>,
  trained: ReadonlyMap<string, Parameter>,
): Record<string, string> {
  const paths = new Map([...trained].map(([path, parameter]) => [parameter, path]));
  return Object.fromEntries(
    [...deployed].flatMap(([path, parameter]) => {
      const own = paths.get(parameter);
      return own !== undefined && own !== path ? [[path, own] as const] : [];
    }),
  );
}

/** Reads `deployment.json`. Throws FileError when it is missing or damaged. */
export async function readDeployment(folder: string): Promise<DeploymentRecord> {
  const path = join(folder, runFiles.deployment);
  if (!existsSync(path))
    throw new FileError(`${shownPath(folder)} has no ${runFiles.deployment} yet; train on, or train again`);
  try {
    return deploymentSchema.parse(parseJson(new TextDecoder().decode(await readBytes(path, "deployment"))));
  } catch (cause) {
    throw new FileError(`${shownPath(path)} is damaged; restore it or train again`, { cause });
  }
}

/** The deployment of a run whose recipe is not at hand, from its files alone. */
export async function deploymentOfFiles(folder: string, best: boolean): Promise<Deployment> {
  const record = await readDeployment(folder);
  const model = await loadModel(folder, { best });
  const preparation = record.prepared ? await loadModel(join(folder, runFiles.prepare)) : undefined;
  const { reader, writer } = record;
  return {
    model,
    inputs: record.inputs as TypeTree,
    format: {
      ...(record.image && { image: record.image }),
      ...(record.sound && { sound: record.sound as SoundFormat }),
      ...(record.table && { table: record.table }),
      ...(record.text && { text: record.text }),
      ...(preparation && {
        prepare: (raw: Value) => preparation.apply(raw, new Context(preparation, { bind: builtIn })) as Value,
      }),
    },
    ...(record.classes && { classes: record.classes }),
    ...(record.labels && { labels: record.labels }),
    ...(reader && { reader: { ...reader, tokenizer: tokenizerOf(reader.tokenizer) } as TextReader }),
    ...(writer && { writer: { ...writer, tokenizer: tokenizerOf(writer.tokenizer) } as Writer }),
  };
}
