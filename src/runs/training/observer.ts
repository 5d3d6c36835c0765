/** What a run reports as it goes. */
import type { LayerMoment } from "../../explain/learning/layer-history.ts";
import type { ModelSummary } from "../../nn/summary.ts";
import type { Callback } from "../../train/callbacks/callback.ts";
import type { Progress } from "../../train/fit.ts";
import type { OnDownload, Stage, Task } from "../recipes/recipe.ts";
import type { EvaluationReport } from "./evaluation.ts";
import type { Plan } from "./plan.node.ts";

/** A stage as it begins. */
export interface StageStart {
  /** The stage that begins. */
  readonly stage: Stage;
  /** From 0. */
  readonly index: number;
  /** How many stages the run has. */
  readonly stages: number;
  /** Elements of the parameters that are not trained, by path. */
  readonly frozen: ReadonlyMap<string, number>;
  /** Elements of all parameters. */
  readonly parameters: number;
}

/** Functions that a run calls as it goes, all of which may be left out. */
export interface RunObserver {
  /** As bytes of a data set arrive. */
  readonly onDownload?: OnDownload;
  /** The data is loaded, and nothing is trained. */
  onLoaded?(plan: Plan, task: Task, network: ModelSummary): void;
  /** The run had ended before, and nothing is left to train. */
  onFinished?(plan: Plan, progress: Progress | undefined): void;
  /** A stage begins. */
  onStage?(start: StageStart): void;
  /** Callbacks of training, such as a bar; `totalEpochs` counts all stages. They come before those that save. */
  callbacks?(totalEpochs: number): readonly Callback[];
  /** A stage ended; the frozen parameters, by path, are bit for bit what they were at its beginning. */
  onStageEnd?(start: StageStart, frozen: readonly string[], stopReason: string | undefined): void;
  /** What whoever started the run should know, with what to do. */
  onNote?(note: string): void;
  /** Layers were measured; all measurements of the run so far. */
  onLayers?(history: readonly LayerMoment[]): void;
  /** The trained model is tested. */
  onEvaluated?(report: EvaluationReport): void;
  /** Files were written; `obstacle` says why the ONNX model takes a batch of 1 only, if it does. */
  onSaved?(plan: Plan, task: Task, files: readonly string[], obstacle: string | undefined): void;
}
