/**
 * What networks are, without running them: depth, parameters, cost, memory; what-ifs; reports.
 * @module sardonyx/analyze
 */

export type { StoredTensor } from "../formats/stored-tensors.ts";
export { type Hardware, hardwareOf } from "./cost/hardware.ts";
export type { Precision } from "./cost/precision.ts";
export type { OptimizerMemory, TrainingOptions } from "./cost/training.ts";
export type { Paths } from "./depth/paths.ts";
export { type ModuleSource, moduleNetwork } from "./networks/module-network.ts";
export type { Network, NetworkGraphs, NetworkLayer, NetworkParameter } from "./networks/network.ts";
export { onnxNetwork } from "./networks/onnx-network.ts";
export { weightsNetwork } from "./networks/weights-network.ts";
export { type ComparedRow, type ComparedSection, type Comparison, compare } from "./report/compare.ts";
export { type Inspected, type InspectOptions, inspect } from "./report/inspect.ts";
export { mermaidOf } from "./report/mermaid.ts";
export { type InspectedLayer, type Inspection, inspectionSchema } from "./report/schema.ts";
export { costOfWay, type Way, type WayCost, waysToTrain } from "./what-if/estimate.ts";
export { type LoraOptions, withLora } from "./what-if/lora.ts";
export { atPrecision, blocksOf, frozen, frozenBlocks, quantized } from "./what-if/what-if.ts";
