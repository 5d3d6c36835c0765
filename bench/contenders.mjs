// Owns the table of contenders: which works each one enters, and the command that runs it.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { works } from "./works.mjs";

/** Says in a sentence why a contender cannot run here. */
export class CannotRun extends Error {}

function source(name) {
  const path = fileURLToPath(new URL(`contenders/${name}`, import.meta.url));
  if (!existsSync(path)) throw new CannotRun(`The program bench/contenders/${name} is missing, so it was not run.`);
  return path;
}

const node =
  (name, { flags = [], backend = [] } = {}) =>
  () => {
    const path = source(name);
    return (work) => [process.execPath, ...flags, path, work, ...backend];
  };

function succeeds(program, programArguments) {
  try {
    execFileSync(program, programArguments, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function pytorch() {
  // A version manager's python3 often hides the system's, which is the one that has Debian's python3-torch.
  const interpreters = ["python3", "/usr/bin/python3"];
  const path = source("pytorch.py");
  const interpreter = interpreters.find((program) => succeeds(program, ["-c", "import torch"]));
  if (interpreter === undefined) {
    throw new CannotRun(`PyTorch is not importable from ${interpreters.join(" or ")}.`);
  }
  return (work) => [interpreter, path, work];
}

function compiledAdam({ folder }) {
  const path = source("adam.c");
  if (!succeeds("gcc", ["--version"])) throw new CannotRun("gcc is not installed, so adam.c cannot be compiled.");
  const program = join(folder, "adam");
  // Square roots that set errno would keep the loop from being vectorized.
  const flags = ["-O3", "-march=native", "-fopenmp", "-fno-math-errno"];
  try {
    execFileSync("gcc", [...flags, path, "-o", program, "-lm"], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    throw new CannotRun(`gcc could not compile adam.c: ${String(error.stderr).trim().split("\n")[0]}`);
  }
  return (work) => [program, work];
}

const sequences = [
  "lstm-step",
  "gpt-step",
  "gpt2-step",
  "bert-step",
  "gpt-generate",
  "gpt2-generate",
  "gpt2-generate-8",
];
const training = ["lenet-step", "mlp-step", "cnn-step"];
const published = JSON.parse(readFileSync(new URL("networks.json", import.meta.url), "utf8"));
const convolutional = [...Object.keys(published), "deconvolution-step"];
const llamas = ["llama-generate", "llama-generate-4bit"];
const predictions = Object.keys(works).filter((name) => name.includes("-predict"));

/**
 * `works` are those a contender enters, `slow` those it runs in the first round only.
 * `prepare({ folder })` is called once, may build in the folder, and returns the command of a work.
 */
export const contenders = [
  {
    name: "sardonyx",
    works: [...training, ...convolutional, ...sequences, ...llamas, ...predictions, "adam-32m", "dispatch"],
    prepare: node("sardonyx.mjs"),
  },
  { name: "onnxruntime", works: [...predictions, "matmul", "dispatch"], prepare: node("onnxruntime.mjs") },
  { name: "c", works: ["adam-32m"], prepare: compiledAdam },
  { name: "torch", works: [...training, ...convolutional, ...sequences, "matmul", "adam-32m"], prepare: pytorch },
  { name: "llama.cpp", works: llamas, prepare: node("llama-cpp.mjs") },
  {
    name: "jax-js",
    works: [...training, "adam-32m", "dispatch"],
    slow: ["lenet-step", "cnn-step"],
    // One call of its convolution kernels is so long that the baseline compiler's code would run for minutes.
    prepare: node("jax.mjs", { flags: ["--no-liftoff"] }),
  },
  { name: "tfjs-wasm", works: training, prepare: node("tfjs.mjs", { backend: ["wasm"] }) },
  {
    name: "tfjs-cpu",
    works: training,
    slow: ["lenet-step", "cnn-step"],
    prepare: node("tfjs.mjs", { backend: ["cpu"] }),
  },
];
