/** The table of a model's layers: output shape, and parameters to be trained with their formula. */

import { count, plural } from "../../core/number-text.ts";
import type { ModelSummary } from "../../nn/summary.ts";
import type { Output } from "../output.ts";
import { showTable } from "../show-table.ts";

/** Shows the layers. */
export function showLayers({ layers, parameters, trainable, buffers }: ModelSummary, output: Output): void {
  const shown = layers.map((layer) => ({ ...layer, outputShape: layer.outputShape.slice(1) }));
  output.record("layers", { layers: shown, parameters, trainable, buffers });
  const rows = shown.map(({ path, type, outputShape, formula, parameters }) => [
    path || "model",
    type,
    outputShape.join("×"),
    parameters > 0 ? `${formula} = ${count(parameters)}` : "0",
  ]);
  const columns = [{ head: "Layer" }, { head: "Type" }, { head: "Output" }, { head: "Parameters to be trained" }];
  showTable(columns, rows, output);
  const frozen = parameters - trainable;
  const rest = [frozen > 0 && `${count(frozen)} frozen`, buffers > 0 && plural(buffers, "running statistic")];
  output.line(`${[`${plural(trainable, "parameter")} to be trained`, ...rest].filter(Boolean).join(", ")}`);
}
