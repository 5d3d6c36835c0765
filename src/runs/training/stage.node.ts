/** The stage of a run: where it began, and proof that what it froze did not move. */
import { createHash } from "node:crypto";
import * as z from "zod";
import { FileError, InternalError } from "../../core/errors.ts";
import { keyOf } from "../../core/random.ts";
import { size } from "../../core/shape.ts";
import type { AnyModule } from "../../nn/module.ts";
import type { Callback } from "../../train/callbacks/callback.ts";
import type { RecipeNetwork, Stage } from "../recipes/recipe.ts";

const stateSchema = z.strictObject({
  /** Which stage is under way, from 0. */
  index: z.number().int().nonnegative(),
  /** Epochs completed when it began. */
  from: z.number().int().nonnegative(),
  /** Whether it ran to its end. */
  done: z.boolean(),
  /** The setting of epochs that it was begun with; a later one that is larger takes it up again. */
  planned: z.number().int().positive(),
  /** SHA-256 of every frozen parameter when it began, by path. */
  frozen: z.record(z.string(), z.string()),
});
export type StageState = z.infer<typeof stateSchema>;

/** Name under which checkpoints keep the stage. */
export const stageCallbackName = "stage";

/** What a checkpoint says of its stage. */
export function parseStage(saved: unknown): StageState {
  const parsed = stateSchema.safeParse(saved);
  if (parsed.success) return parsed.data;
  throw new FileError(
    `the checkpoint does not say which stage it was written in; it was not written by "sardonyx train"`,
  );
}

/** Freezes and unfreezes as the stage wants, and gives values to parameters that it added. */
export function beginStage({ model, inputs }: RecipeNetwork, seed: number, stage: Pick<Stage, "before">): void {
  // What a stage freezes by depth is found in a graph.
  if (stage.before && model.inputTypes === undefined) model.trace(inputs);
  stage.before?.(model);
  model.trace(inputs);
  model.initialize(keyOf(seed));
}

/** The parameters that are not trained now, by path, with the number of their elements. */
export const frozenParameters = (model: AnyModule): Map<string, number> =>
  new Map(
    [...model.parameters()].flatMap(([path, { trainable, isBuffer, shape }]) =>
      trainable || isBuffer ? [] : [[path, size(shape)] as const],
    ),
  );

/** SHA-256 of the bytes of each frozen parameter: equal exactly when every bit is. */
export function digestFrozen(model: AnyModule): Record<string, string> {
  const parameters = model.parameters();
  return Object.fromEntries(
    Array.from(frozenParameters(model).keys(), (path) => {
      const data = parameters.get(path)?.value?.data;
      if (!data) throw new InternalError(`frozen parameter "${path}" has no value`);
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return [path, createHash("sha256").update(bytes).digest("hex")];
    }),
  );
}

/** Keeps a stage's state in the run's checkpoints. */
export function stageCallback(state: StageState): Callback {
  let { done } = state;
  return {
    name: stageCallbackName,
    onEnd() {
      done = true;
    },
    state: () => ({ ...state, done }),
  };
}

/** Paths of the frozen parameters of which a bit differs from the stage's beginning. */
export function movedParameters(model: AnyModule, { frozen }: StageState): string[] {
  const now = digestFrozen(model);
  return Object.entries(frozen).flatMap(([path, digest]) => (now[path] === digest ? [] : [path]));
}
