/** A pretrained model that learns from your own data: texts, images, sounds, conversations. */
import { z } from "zod";
import {
  type AdapterSet,
  applyPolicy,
  type ChatTemplate,
  cosine,
  defineRecipe,
  policyOf,
  type TensorModule,
  type Tokenizer,
  taskNames,
  taskOf,
  withSegments,
} from "../src/index.ts";
import { type Base, loadTask, openBase, saveAdapter, templateBeside, tokenizerBeside } from "../src/node.ts";

/** What a run keeps of its data. */
const facts = z.object({ task: z.string() });

/** How a tuned language model is used: by itself, where rows of several conversations were trained on. */
function chatDeployment(
  { model, positions = 512 }: Base,
  { tokenizer, template, packed }: { tokenizer: Tokenizer; template: ChatTemplate; packed: boolean },
) {
  const { source, bos, eos } = template;
  const type = { dtype: "int32", shape: [1, Math.min(8, positions)] } as const;
  return {
    model: packed ? withSegments(model as TensorModule) : model,
    inputs: packed ? { x: type, segments: type } : type,
    deployed: { model, inputs: type },
    writer: {
      tokenizer,
      positions,
      prompt: "Hello",
      chat: { template: source, ...(bos !== undefined && { bos }), ...(eos !== undefined && { eos }) },
    },
  };
}

export default defineRecipe({
  name: "finetune",
  summary:
    "A pretrained model that learns from your own data: classes of texts, words, images or sounds, vectors, answers",
  data: "your own: 80 % to train on, 10 % to validate, 10 % to test",
  defaults: { epochs: 3, batchSize: 8, learningRate: 5e-4, optimizer: "adamw", seed: 0 },
  options: {
    base: {
      description: "the pretrained model: a file, a folder, a run, or owner/name on Hugging Face's hub",
      default: "",
    },
    data: {
      description: "a file of records (.jsonl, .csv, .parquet, .conll), or a folder of images or sounds by class",
      default: "",
    },
    task: {
      description: "what is learned; auto goes by the data",
      default: "auto",
      choices: ["auto", ...taskNames],
    },
    freeze: { description: "patterns of parameters to freeze, with commas", default: "" },
    unfreezeLast: { description: "train so many of the last blocks and the head; -1: all", default: -1 },
    gradual: { description: "train one block more each so many epochs; 0: all at once", default: 0 },
    lora: { description: "train adapters of this rank; 0: none", default: 0 },
    qlora: { description: "train adapters of this rank beside weights in 4 bits; 0: none", default: 0 },
    alpha: { description: "adapters count alpha/rank times; 0: twice the rank", default: 0 },
    targets: { description: "layers to adapt, with commas; all dense layers where none are named", default: "" },
    dora: { description: "adapters with magnitudes (DoRA)", default: false },
    at: { description: "the layer whose output a new head takes", default: "" },
    length: { description: "tokens of a text at most; 0: what the model reads, up to 512", default: 0 },
    rate: { description: "of sounds: samples a second; 0: what the model's files say, or 16000", default: 0 },
    template: { description: "chat template by name, such as chatml; default that of the model", default: "" },
    learned: {
      description: "of conversations: answers, last or all",
      default: "answers",
      choices: ["answers", "last", "all"],
    },
    packed: { description: "several conversations share a row, apart from each other", default: false },
  },
  facts,
  next: ["sardonyx finetune BASE --data DATA --lora 8   adapters in place of all weights"],
  // Decoding token by token takes the layers of a model; whatever else is asked, the run's own files answer.
  async open(settings, { task }) {
    if (task !== "chat") return undefined;
    const base = await openBase(settings.base);
    const [tokenizer, template] = [await tokenizerBeside(base), await templateBeside(base, settings.template)];
    await applyPolicy(base.model, policyOf(settings), [], settings.seed);
    return chatDeployment(base, { tokenizer, template, packed: settings.packed });
  },
  async load(settings, limit, onDownload) {
    const { batchSize, seed, epochs, learningRate, base } = settings;
    const loaded = await loadTask({
      ...taskOf(settings),
      batchSize,
      seed,
      limit,
      onProgress: onDownload,
    });
    const { model, fresh, train, writer, images, sound, reader } = loaded;
    const { adapters, callbacks } = await applyPolicy(model, policyOf(settings), fresh, seed);
    const deployment = writer && chatDeployment(loaded.base, { ...writer, packed: settings.packed });
    return {
      model,
      inputs: loaded.inputs,
      facts: { task: loaded.task },
      ...(deployment && { deployed: deployment.deployed, writer: deployment.writer }),
      ...(loaded.classes && { classes: loaded.classes }),
      ...(images && { format: { image: { ...images.image, turns: false }, prepare: images.prepare } }),
      ...(sound && { format: { sound } }),
      ...(reader && { reader }),
      train,
      validation: loaded.validation,
      test: loaded.test,
      ...(loaded.loss && { loss: loaded.loss }),
      ...(loaded.objective && { objective: loaded.objective }),
      ...(loaded.measure && { measure: loaded.measure }),
      metrics: loaded.metrics,
      samples: loaded.samples,
      notes: [...loaded.notes, ...loaded.preview],
      callbacks,
      schedule: cosine({ rate: learningRate, steps: epochs * (train.length ?? 1) }),
      training: { clipNorm: 1 },
      optimizers: { adamw: { weightDecay: 0.01 } },
      ...(adapters && {
        adapters,
        async write(folder: string) {
          await saveAdapter(adapters as AdapterSet<never>, `${folder}/adapter`, { base });
          return ["adapter"];
        },
      }),
    };
  },
});
