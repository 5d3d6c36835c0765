/** What Sardonyx adds in Node: data sets and files on disk, and callbacks that write files. */
export * from "./data/index.node.ts";
export { exportOnnx } from "./formats/files/export-onnx.node.ts";
export { type LoadOptions, loadModel } from "./formats/files/load-model.node.ts";
export { saveModel } from "./formats/files/save-model.node.ts";
export { writeFileAtomic } from "./storage/atomic.node.ts";
export * from "./train/callbacks/checkpoint.node.ts";
