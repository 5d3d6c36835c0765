/** Models of which something was cut out: a smaller graph, as a module and as an ONNX file. */
import { type OptionCheck, optionsOf } from "../../core/options.ts";
import { inputsType, metadataType } from "../../formats/files/export-onnx.ts";
import { type ChangedModelOptions, encodeChangedModel } from "../../formats/files/saved-model.ts";
import type { ImportedModule } from "../../formats/imported-module.ts";
import { modelFromOnnx } from "../../formats/onnx-model.ts";
import type { AnyModule, TypeTree } from "../../nn/index.ts";

/** Options of `cutChannels` and `cutBlocks`. */
export interface CutOptions {
  /** Types of the inputs, nested as the model takes them; default those it was last applied to. */
  readonly inputs?: TypeTree;
  /** Text to note in the file, such as the names of classes; what a model that was read has noted is kept. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The check of the options of a function that cuts. */
export const cutOptions = (where: string): OptionCheck<CutOptions> =>
  optionsOf<CutOptions>(where, { inputs: inputsType, metadata: metadataType });

/** A model of which something was cut out by a plan. */
export interface PrunedModel<Plan> {
  /** The smaller model. Parameters have the paths that they had; it trains on, batch normalization too. */
  readonly model: ImportedModule;
  /** The same as an ONNX file, which runs in any ONNX Runtime; `modelFromOnnx` reads it. */
  readonly bytes: Uint8Array;
  /** What was cut. */
  readonly plan: Plan;
  /** What the smaller model does not have of the other: dropout, penalties, an open batch. */
  readonly notes: readonly string[];
}

/** Writes the changed graph of a model, and reads it as the smaller model. */
export function prunedModel<Plan>(model: AnyModule, plan: Plan, options: ChangedModelOptions): PrunedModel<Plan> {
  const { bytes, obstacle } = encodeChangedModel(model, options);
  return { model: modelFromOnnx(bytes), bytes, plan, notes: notesOn(model, obstacle) };
}

/** What the file of a model does not have of it. */
function notesOn(model: AnyModule, obstacle: string | undefined): readonly string[] {
  const modules = [...model.modules()];
  const dropping = modules.filter(([{ kind }]) => kind === "regularization").map(([, path]) => path);
  const penalized = modules.filter(([{ regularizer }]) => regularizer).map(([, path]) => path);
  return [
    ...(dropping.length > 0
      ? [`training goes on without ${listed(dropping)}, which drop nothing in the smaller model`]
      : []),
    ...(penalized.length > 0 ? [`training goes on without the penalties on ${listed(penalized)}`] : []),
    ...(obstacle === undefined ? [] : [`the file is for one batch size: ${obstacle}`]),
  ];
}

const listed = (paths: readonly string[]): string =>
  `${paths.slice(0, 3).join(", ")}${paths.length > 3 ? ` and ${paths.length - 3} more` : ""}`;
