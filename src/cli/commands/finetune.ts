/** `sardonyx finetune`: a pretrained model trained on your own data. */
import { byteSize } from "../../core/byte-size.ts";
import { OptionError } from "../../core/errors.ts";
import { type FinetuneChoices, noChoices, policyOf, taskOf } from "../../finetune/tasks/choices.ts";
import { taskNameOf } from "../../finetune/tasks/load-task.node.ts";
import { hasNewHead, taskNames } from "../../finetune/tasks/task.ts";
import { loadRecipe } from "../../runs/recipes/recipes.node.ts";
import { runOptionsSchema } from "../../runs/recipes/run-options.ts";
import { givenSettingsShape } from "../../runs/recipes/settings.ts";
import { makePlan } from "../../runs/training/plan.node.ts";
import { defineCommand, oneOf, text, toggle, wholeNumber } from "../command.ts";
import { encryptToOption } from "../encryption.ts";
import { isConfigured, type PlannedRun, planned, requireMemory, showDryRun } from "../finetune/dry-run.ts";
import { ranksOf, ranksOptions, requireNoClearLogs } from "../ranks.ts";
import { batchSizeOption, optionsFrom, sizeOf } from "../setting-option.ts";
import { curvesOption, runTraining } from "../train/run.ts";

const { options: _, repeats: __, ...settings } = givenSettingsShape;
const { profile: ___, ...runOptions } = runOptionsSchema.shape;

/** What is trained where no rate is given: small steps for what was learned before, larger ones for what is new. */
const usualRates = { everything: 5e-5, adapters: 5e-4, head: 1e-3 } as const;

export const command = defineCommand({
  arguments: [
    {
      name: "BASE",
      description: "a model's file or folder, a run, or owner/name on Hugging Face's hub, downloaded once",
    },
  ],
  options: {
    data: text(
      "PATH",
      "records (.jsonl, .json, .csv, .tsv, .parquet, .conll), or a folder of images or sounds by class",
    ),
    task: oneOf("what is learned; default by the data", taskNames),
    freeze: text("PATTERNS", "freeze these parameters, with commas, * for any letters"),
    unfreezeLast: wholeNumber("train so many of the last blocks and the head alone", 0),
    gradual: wholeNumber("train one block more each so many epochs, from the head on", 1),
    lora: wholeNumber("train adapters of this rank beside frozen weights", 1),
    qlora: wholeNumber("as --lora, beside weights in 4 bits", 1),
    alpha: wholeNumber("adapters count alpha/rank times; default twice the rank", 1),
    targets: text("LAYERS", "layers to adapt, with commas; default all dense layers but the head"),
    dora: toggle("train magnitudes beside the adapters (DoRA)"),
    at: text("LAYER", "the layer whose output a new head takes; default what the model's own scores are made of"),
    length: wholeNumber("tokens of a text at most; default what the model reads, up to 512", 2),
    rate: wholeNumber("of sounds: samples a second; default what the model's files say, else 16000", 1000),
    template: text("NAME", "chat template: chatml, llama2, zephyr, alpaca, plain; default that of the model"),
    learned: oneOf("of conversations; default answers", ["answers", "last", "all"]),
    packed: toggle("several conversations share a row, apart from each other"),
    curves: curvesOption,
    ...ranksOptions,
    dryRun: toggle("show what would be trained, memory and samples, and train nothing"),
    ...optionsFrom(settings),
    batchSize: batchSizeOption,
    ...optionsFrom(runOptions),
    encryptTo: encryptToOption,
  },
  examples: [
    ["sardonyx finetune ./bert --data reviews.csv --unfreeze-last 2", "classes of texts"],
    ["sardonyx finetune Qwen/Qwen2.5-0.5B --data chats.jsonl --qlora 8", "how to answer, in little memory"],
    ["sardonyx finetune mobilenet.onnx --data flowers --freeze base", "a new head on a network for images"],
    ["sardonyx finetune ./all-MiniLM-L6-v2 --data pairs.jsonl", "vectors of texts, by anchor and positive"],
    ["sardonyx finetune ./bert --data names.conll", "tags of words"],
    ["sardonyx finetune ./bert --data reviews.csv --lora 8 --dry-run", "what it would take"],
  ],
  async run({ arguments: [base = ""], options, output, line }) {
    const { out, resume, from, encryptTo, checkpointSeconds, dryRun, curves, processes, rankLogs, ...given } = options;
    requireNoClearLogs(rankLogs, encryptTo);
    const communicator = dryRun ? undefined : await ranksOf({ processes }, line, output);
    const {
      epochs,
      batchSize,
      learningRate,
      optimizer,
      seed,
      device,
      threads,
      limit,
      memory,
      parts,
      normalization,
      sharded,
      exchange,
      buckets,
      precision,
      watchLayers,
      watchSamples,
      ...own
    } = given;
    const choosesParts = batchSize === "auto";
    if (own.data === undefined && !resume)
      throw new OptionError(
        "name the data to learn from: --data reviews.csv, chats.jsonl, or a folder of images or sounds by class",
      );
    const isAdapted = own.lora !== undefined || own.qlora !== undefined;
    const isFrozen = own.freeze !== undefined || own.unfreezeLast === 0;
    const named = Object.fromEntries(Object.entries({ ...own, base }).filter(([, value]) => value !== undefined));
    const loaded = await loadRecipe("finetune");
    const { defaults } = loaded.recipe;
    let rate: number = isAdapted ? usualRates.adapters : usualRates.everything;
    // A run that goes on keeps its choices, and has fitted before.
    if (!resume) {
      const choices = { ...noChoices, ...named } as FinetuneChoices;
      const run: PlannedRun = {
        task: {
          ...taskOf(choices),
          batchSize: choosesParts ? defaults.batchSize : (batchSize ?? defaults.batchSize),
          seed: seed ?? defaults.seed,
          limit,
        },
        policy: policyOf(choices),
        optimizer: optimizer ?? defaults.optimizer,
        memory: memory === undefined || choosesParts ? undefined : byteSize(memory, "--memory"),
      };
      if (dryRun) return showDryRun(run, output);
      // Of what a config describes, before weights are loaded.
      if (isConfigured(base) && !choosesParts) requireMemory(await planned(run), run);
      if (isFrozen && !isAdapted && hasNewHead(await taskNameOf(run.task))) rate = usualRates.head;
    }
    const plan = await makePlan(loaded, "finetune", {
      given: {
        epochs,
        ...sizeOf(batchSize),
        memory,
        parts,
        normalization,
        sharded,
        exchange,
        buckets,
        precision,
        watchLayers,
        watchSamples,
        learningRate: learningRate ?? (resume ? undefined : rate),
        optimizer,
        seed,
        device,
        threads,
        limit,
        options: named,
      },
      out,
      resume,
      from,
      encryptTo,
      choosesParts,
      communicator,
    });
    for (const note of plan.notes) output.warn(note);
    await runTraining(plan, { output, checkpointSeconds: checkpointSeconds ?? 30, curves, profile: undefined });
  },
});
