/** A pretrained model of a folder as a model that is served: one that writes, one that makes vectors of texts, or its tensors alone. */
import { FileError, OptionError } from "../../core/errors.ts";
import { openBase, templateBeside, tokenizerBeside } from "../../finetune/tasks/base.node.ts";
import { vectorModelOf } from "../../runs/open/embedder.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import type { ServedModel, WriteService } from "../served-model.ts";
import { openAdapters } from "./adapters.node.ts";
import { batchedTensors } from "./batched-tensors.ts";
import { servedModule } from "./file-model.node.ts";
import { embedService } from "./run-model.node.ts";
import type { ServedOptions } from "./served-options.ts";
import { TensorEngine } from "./tensor-engine.ts";
import { textInputs } from "./text-rows.ts";
import { openWriting } from "./writing.ts";

/** What a promise gives; nothing where a file is not there. */
const ifThere = <T>(promise: Promise<T>): Promise<T | undefined> =>
  promise.catch((error: unknown) => {
    if (error instanceof FileError) return undefined;
    throw error;
  });

/** A language model with an adapter. */
const adapted = (write: WriteService, path: string, name: string) => ({
  platform: "sardonyx_adapter",
  description: `the adapter ${name} on ${shownPath(path)}`,
  write: { ...write, variant: name },
});

/** Opens a folder with a config.json. Throws as `openBase`. */
export async function servedPretrained(
  path: string,
  architecture: string,
  options: ServedOptions,
): Promise<ServedModel> {
  const { batching, writing, compile, adapters } = options;
  const base = await openBase(path);
  const tokenizer = await ifThere(tokenizerBeside(base));
  const writes = tokenizer !== undefined && /(ForCausalLM|LMHeadModel)$/.test(architecture);
  if (adapters.length > 0 && !writes)
    throw new OptionError(
      `${shownPath(path)} writes no text, and adapters are for models that do; leave --adapters out`,
    );
  if (!tokenizer) return servedModule(path, base.model, options);
  if (writes) {
    const variants = adapters.length > 0 ? await openAdapters(base.model, adapters) : undefined;
    const template = await templateBeside(base, "").catch(() => undefined);
    const opened = await openWriting(
      {
        ...{ model: base.model, tokenizer, positions: base.positions ?? writing.context },
        chatPrompt: template && ((conversation) => template.renderPrompt(conversation)),
        end: template?.eos,
        variants,
      },
      writing,
      compile,
    );
    const engine = TensorEngine.open(
      {
        model: base.model,
        inputs: [{ name: "x", dtype: "int32", shape: [-1, -1] }],
        nest: ({ x }) => x,
      },
      { most: batching.most, compile },
    );
    return {
      platform: "sardonyx_pretrained",
      description: `the language model ${shownPath(path)}`,
      tensors: batchedTensors(engine, batching),
      write: opened.service,
      adapters: new Map(adapters.map(({ name }) => [name, adapted(opened.service, path, name)])),
      async release() {
        await engine.release();
        await opened.release();
      },
    };
  }
  const vectors = await vectorModelOf(base).catch(() => undefined);
  if (!vectors) return servedModule(path, base.model, options);
  const texts = textInputs(vectors.model, vectors.reader);
  const engine = TensorEngine.open(
    { model: vectors.model, inputs: texts.specs, nest: (given) => given },
    { most: batching.most, compile },
  );
  const tensors = batchedTensors(engine, batching);
  return {
    platform: "sardonyx_pretrained",
    description: `vectors of texts by ${shownPath(path)}: ${vectors.source}`,
    tensors,
    embed: embedService(tensors, texts, tokenizer),
    release: () => engine.release(),
  };
}
