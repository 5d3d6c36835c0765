/** A run as a model that is served: its raw inputs prepared as `predict` does, its texts written, its vectors. */
import type { Tensor } from "../../core/tensor.ts";
import { chatTemplate } from "../../data/chat/chat-template.ts";
import type { Value } from "../../graph/ir.ts";
import type { CompileOptions } from "../../jit/compile.ts";
import { isTensorType, mapTypes } from "../../nn/index.ts";
import { inputTypeOf, rawTypeOf, usualPreparation } from "../../runs/open/input.ts";
import { type OpenRun, openRun } from "../../runs/open/open-run.node.ts";
import { describeOutput } from "../../runs/open/predict-output.ts";
import type { Writer } from "../../runs/recipes/recipe.ts";
import type {
  EmbedService,
  PredictBody,
  PredictService,
  ServedModel,
  TensorService,
  TensorSpec,
} from "../served-model.ts";
import { batchedTensors } from "./batched-tensors.ts";
import { jsonOfBody, rowsOfTexts, samplesOfBody, textsOfBody } from "./predict-body.node.ts";
import type { ServedOptions } from "./served-options.ts";
import { type EngineModel, TensorEngine } from "./tensor-engine.ts";
import { outputOfTexts, type TextInputs, textInputs } from "./text-rows.ts";
import { openWriting, type WritingModel } from "./writing.ts";

/** Opens a run to be served. Throws as `openRun`. */
export async function servedRun(folder: string, options: ServedOptions): Promise<ServedModel> {
  const { best, recipe, batching, writing, compile } = options;
  const { device } = compile;
  const run = await openRun(folder, { best, recipe, ...(device && { device }) });
  const { deployment, record } = run;
  const own: CompileOptions = { ...run.compile, ...compile };
  const { reader, writer } = deployment;
  const texts = reader && textInputs(run.network.model, reader);
  const engine = TensorEngine.open(engineModelOf(run, texts), { most: batching.most, compile: own });
  await engine.warm();
  const tensors = batchedTensors(engine, batching);
  const written = writer && (await openWriting(writingModelOf(run, writer), writing, own));
  const embed = reader?.gives === "vector" && texts ? embedService(tensors, texts, reader.tokenizer) : undefined;
  const predict = predictService(run, tensors, texts);
  return {
    platform: "sardonyx_run",
    description: `a run of ${record.recipe.name}`,
    tensors,
    ...(predict && { predict }),
    ...(written && { write: written.service }),
    ...(embed && { embed }),
    async release() {
      await engine.release();
      await written?.release();
      await run.release();
    },
  };
}

/** The tensors that a run is asked with: raw ones where it is known how they are prepared, ids of tokens, or what its model takes by name. */
function engineModelOf({ network, deployment }: OpenRun, texts: TextInputs | undefined): EngineModel {
  const { model, inputs, format = {} } = network;
  if (texts) return { model, inputs: texts.specs, nest: (given) => (texts.specs.length > 1 ? given : given["x"]) };
  const specs: TensorSpec[] = [];
  mapTypes(inputs, ({ dtype, shape }, path) => {
    specs.push({ name: path === "" ? "x" : path, dtype, shape: [-1, ...shape.slice(1)] });
  });
  const [only, ...others] = specs;
  if (!only || others.length > 0)
    return { model, inputs: specs, nest: (given) => mapTypes(inputs, (_, path) => given[path]) };
  const nested = (value: Value) => (isTensorType(inputs) ? value : mapTypes(inputs, () => value));
  // Sequences of tokens, and of words that are known, may have any length.
  const isSequence = deployment.writer !== undefined || format.text !== undefined;
  const shape = isSequence ? [-1, -1] : only.shape;
  // Each word of a row has its share of runs of characters.
  const multiple = 1 + (format.text?.runs ?? 0);
  if (isSequence)
    return { model, inputs: [{ ...only, shape }], multiple, nest: (given) => nested(given[only.name] as Value) };
  const { dtype } = rawTypeOf(format, inputs);
  const prepare = format.prepare ?? usualPreparation(inputTypeOf(inputs).dtype);
  return {
    model,
    inputs: [{ name: only.name, dtype, shape }],
    nest: (given) => nested(prepare(given[only.name] as Value)),
  };
}

function writingModelOf({ network }: OpenRun, { tokenizer, positions, chat }: Writer): WritingModel {
  const { template, bos, eos } = chat ?? {};
  const tokens = { ...(bos !== undefined && { bos }), ...(eos !== undefined && { eos }) };
  const known = template === undefined ? undefined : chatTemplate(template, tokens);
  return {
    model: network.model,
    tokenizer,
    positions,
    end: eos,
    chatPrompt: known && ((own) => known.renderPrompt(own)),
  };
}

/** Vectors of texts, those of several requests together. */
export function embedService(
  tensors: TensorService,
  texts: TextInputs,
  tokenizer: { encodeWithSpecial(text: string): readonly number[] },
): EmbedService {
  return {
    embed: async (own, signal) => (await outputOfTexts(tensors, texts, own, signal)) as Tensor<"float32">,
    count: (text) => tokenizer.encodeWithSpecial(text).length,
  };
}

/** How a run predicts what is sent; `undefined` of one that only its recipe's own code asks, and of one that writes. */
function predictService(
  run: OpenRun,
  tensors: TensorService,
  texts: TextInputs | undefined,
): PredictService | undefined {
  const { deployment, network } = run;
  const { reader, writer, dialogue } = deployment;
  const described = (output: Tensor) =>
    Array.from({ length: output.shape[0] ?? 1 }, (_, row) => describeOutput(output, row, deployment).fields);
  const asked = async (samples: Tensor, signal: AbortSignal) => {
    const [name = "x"] = tensors.inputs.map((own) => own.name);
    const results = await tensors.infer(new Map([[name, samples]]), signal);
    return described([...results.values()][0] as Tensor);
  };
  if (reader?.gives === "tags" || reader?.gives === "answer")
    return async (body) => {
      const questions = reader.gives === "tags" ? textsOfBody(body) : questionsOfBody(body);
      const answers: Readonly<Record<string, unknown>>[] = [];
      for (const question of questions) {
        const answer = await run.ask(question);
        answers.push({ ...("fields" in answer && answer.fields), ...(answer.note && { note: answer.note }) });
      }
      return answers;
    };
  if (reader && texts)
    return async (body, signal) => {
      const output = await outputOfTexts(tensors, texts, textsOfBody(body), signal);
      if (reader.gives !== "vector") return described(output);
      const [count = 0, width = 0] = output.shape;
      return Array.from({ length: count }, (_, i) => ({
        vector: Array.from((output.data as Float32Array).subarray(i * width, (i + 1) * width)),
      }));
    };
  if (dialogue || writer || tensors.inputs.length !== 1) return undefined;
  const { text } = network.format ?? {};
  if (text) return (body, signal) => asked(rowsOfTexts(textsOfBody(body), text), signal);
  return async (body, signal) => asked(await samplesOfBody(body, network), signal);
}

/** Questions with their texts: objects of JSON, each as `ask` reads it. */
function questionsOfBody(body: PredictBody): readonly string[] {
  const parsed = jsonOfBody(body);
  return (Array.isArray(parsed) ? parsed : [parsed]).map((item) =>
    typeof item === "string" ? item : JSON.stringify(item),
  );
}
