/** What training leaves: folders of runs, checkpoints, adapters. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyOf, Random } from "../../src/core/random.ts";
import { type Tensor, tensor } from "../../src/core/tensor.ts";
import { fromTensors } from "../../src/data/index.ts";
import { loadAdapter } from "../../src/finetune/peft/adapter-folder.node.ts";
import { modelFromConfig } from "../../src/formats/huggingface.ts";
import { fill, filled } from "../../src/models/testing/fill.ts";
import { crossEntropy, dense, type Module, sequential } from "../../src/nn/index.ts";
import { openRun } from "../../src/runs/open/open-run.node.ts";
import { defineRecipe } from "../../src/runs/recipes/recipe.ts";
import { parseEvaluation } from "../../src/runs/training/evaluation.ts";
import { Interrupted } from "../../src/runs/training/interrupted.ts";
import { runRecipe } from "../../src/runs/training/run.node.ts";
import { encodeSafetensors } from "../../src/storage/safetensors.ts";
import { decodeCheckpoint } from "../../src/train/checkpoint.ts";
import { accuracy } from "../../src/train/index.ts";
import { safetensorsHeader, safetensorsMetadata, within } from "../mutate/frames.ts";
import { jsonIn, jsonLineIn } from "../mutate/json.ts";
import { modelIn } from "../mutate/onnx.ts";
import type { Files, Target } from "../target.ts";
import { jsonBytes, jsonFixture } from "./fixtures.ts";

const points = defineRecipe({
  name: "points",
  summary: "Points above and below a line",
  defaults: { epochs: 1, batchSize: 8, learningRate: 0.05, optimizer: "adam", seed: 0 },
  async load({ batchSize }) {
    const random = new Random(keyOf(1));
    const x = Array.from({ length: 16 }, () => [random.uniform(-1, 1), random.uniform(-1, 1)]);
    const y = tensor(
      Int32Array.from(x, ([a = 0, b = 0]) => Number(a + b > 0)),
      { dtype: "int32" },
    );
    const data = fromTensors({ x: tensor(x), y }).batch(batchSize);
    return {
      model: sequential([dense(3, { activation: "relu" }), dense(2)]),
      train: data,
      test: data,
      loss: crossEntropy(),
      metrics: [accuracy()],
      classes: ["below", "above"],
      inputs: { dtype: "float32", shape: [1, 2] },
    };
  },
});

const filesOfRun = [
  "run.json",
  "deployment.json",
  "model.onnx",
  "checkpoint.safetensors",
  "evaluation.json",
  "log.jsonl",
] as const;
let trained: Promise<Files> | undefined;

/** The folder of a run that is trained once. */
function runFolder(): Promise<Files> {
  trained ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), "sardonyx-fuzz-run-"));
    try {
      await runRecipe(points, {}, { out: join(folder, "run"), threads: 1 });
      return Object.fromEntries(
        filesOfRun.map((name) => [name, new Uint8Array(readFileSync(join(folder, "run", name)))]),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  })();
  return trained;
}

export const run: Target = {
  name: "run",
  reads: "folders of runs: `openRun`, a prediction, the evaluation",
  seeds: async (): Promise<readonly Files[]> => [await runFolder()],
  mutations: [
    jsonIn("run.json"),
    jsonIn("deployment.json"),
    jsonIn("deployment.json"),
    jsonIn("evaluation.json"),
    modelIn("model.onnx"),
    within("checkpoint.safetensors", safetensorsHeader),
  ],
  async read(input) {
    const opened = await openRun(input.folder());
    await opened.predict(tensor([[1, 2]]));
    parseEvaluation(input.text("evaluation.json"), "evaluation.json");
  },
};

/** A run of two epochs of which one is done. */
async function halfRun(): Promise<Files> {
  const files = await runFolder();
  const record = JSON.parse(new TextDecoder().decode(files["run.json"]));
  const { "evaluation.json": _, ...others } = files;
  return { ...others, "run.json": jsonBytes({ ...record, settings: { ...record.settings, epochs: 2 } }) };
}

export const resumed: Target = {
  name: "resume",
  reads: "folders of runs: `runRecipe` goes on with them",
  share: 0.2,
  seeds: async (): Promise<readonly Files[]> => [await halfRun()],
  mutations: [
    jsonIn("run.json"),
    jsonLineIn("log.jsonl"),
    within("checkpoint.safetensors", safetensorsHeader),
    within("checkpoint.safetensors", safetensorsMetadata("progress")),
    within("checkpoint.safetensors", safetensorsMetadata("progress")),
    within("checkpoint.safetensors", safetensorsMetadata("optimizers")),
  ],
  async read(input) {
    // Of a file that says so, epochs go on for long; they can be stopped.
    const signal = AbortSignal.timeout(3000);
    try {
      await runRecipe(points, {}, { out: input.folder(), resume: true, threads: 1, signal });
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    }
  },
};

export const checkpoint: Target = {
  name: "checkpoint",
  reads: "checkpoints: `decodeCheckpoint`",
  seeds: async (): Promise<readonly Files[]> => [
    { "checkpoint.safetensors": (await runFolder())["checkpoint.safetensors"] as Uint8Array },
  ],
  mutations: [
    within("checkpoint.safetensors", safetensorsHeader),
    within("checkpoint.safetensors", safetensorsMetadata("progress")),
    within("checkpoint.safetensors", safetensorsMetadata("optimizers")),
  ],
  read: (input) => decodeCheckpoint(input.bytes("checkpoint.safetensors")),
};

interface RecordedAdapters {
  readonly configs: Readonly<Record<string, object>>;
  readonly cases: Readonly<
    Record<
      string,
      {
        readonly model: string;
        readonly fields: object;
        readonly tensors: Readonly<Record<string, readonly number[]>>;
        /** Tensors of the base, by the names that they have in the file. */
        readonly kept: Readonly<Record<string, string>>;
      }
    >
  >;
}

let recorded: RecordedAdapters | undefined;
const adapters = (): RecordedAdapters => {
  recorded ??= jsonFixture<RecordedAdapters>("train/peft.json");
  return recorded;
};

function modelOf(name: string): Module {
  const model = modelFromConfig(adapters().configs[name]).build() as Module;
  // A prefix takes some of the positions.
  model.trace({ dtype: "int32", shape: [1, 4] });
  fill(model);
  return model;
}

export const adapter: Target = {
  name: "adapter",
  reads: "adapters in PEFT's layout: `loadAdapter`",
  seeds: (): readonly Files[] =>
    Object.values(adapters().cases).map(({ model, fields, tensors, kept }) => ({
      "adapter_config.json": jsonBytes(fields),
      "adapter_model.safetensors": encodeSafetensors(
        Object.fromEntries(
          Object.entries(tensors).map(([name, shape]): [string, Tensor] => [name, filled(kept[name] ?? name, shape)]),
        ),
      ),
      "base.json": jsonBytes(model),
    })),
  mutations: [
    jsonIn("adapter_config.json"),
    jsonIn("adapter_config.json"),
    within("adapter_model.safetensors", safetensorsHeader),
  ],
  read(input) {
    const [name = "LlamaForCausalLM"] = Object.keys(adapters().configs).filter((own) =>
      input.text("base.json").includes(own),
    );
    return loadAdapter(modelOf(name) as never, input.folder(), { report: () => undefined });
  },
};
