/**
 * What networks are, without running them: depth, parameters, cost, memory; what-ifs; reports.
 * @module sardonyx/analyze
 */

export { type ComparedRow, type ComparedSection, type Comparison, compare } from "./compare.ts";
export { costOfWay, type Way, type WayCost, waysToTrain } from "./estimate.ts";
export { type Inspected, inspect } from "./inspect.ts";
export { type LoraOptions, withLora } from "./lora.ts";
export { mermaidOf } from "./mermaid.ts";
export { type ModuleSource, moduleNetwork } from "./module-network.ts";
export type { Network, NetworkGraphs, NetworkLayer, NetworkParameter } from "./network.ts";
export { onnxNetwork } from "./onnx-network.ts";
export type { Paths } from "./paths.ts";
export type { Precision } from "./precision.ts";
export { type InspectedLayer, type Inspection, inspectionSchema } from "./schema.ts";
export type { OptimizerMemory, TrainingOptions } from "./training.ts";
export { type NamedTensor, weightsNetwork } from "./weights-network.ts";
export { atPrecision, frozen, quantized } from "./what-if.ts";
