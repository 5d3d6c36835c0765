/** The models that the page asks: a few open at once, dropped when idle, opened anew when their files change. */
import { freemem } from "node:os";
import { basename } from "node:path";
import { DataError } from "../../core/errors.ts";
import { openRun } from "../../runs/open/open-run.node.ts";
import { describeOutput } from "../../runs/open/predict-output.ts";
import type { Clock } from "../../serve/batcher.ts";
import { HttpError } from "../../serve/http-error.ts";
import { type Lease, type ModelSource, ModelStore } from "../../serve/models/model-store.ts";
import { modelSource } from "../../serve/models/open-model.node.ts";
import { asFile, endingOfType, jsonOfBody, wordedOfBody } from "../../serve/models/predict-body.node.ts";
import type { ServedOptions } from "../../serve/models/served-options.ts";
import type { PredictService } from "../../serve/served-model.ts";

import type { HowAsked } from "./how-asked.node.ts";

/** Models that are open at once, milliseconds after which one that nobody asks is dropped, and between two looks at their files. */
const [mostOpen, idle, between] = [4, 5 * 60_000, 2000];

const clock: Clock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
  soon: (call) => void setImmediate(call),
};

const options: ServedOptions = {
  batching: { most: 16, wait: 0, clock },
  writing: { rows: 4, context: 4096 },
  compile: { spinning: false },
  adapters: [],
  free: () =>
    Math.min(freemem(), (process.constrainedMemory() || Number.POSITIVE_INFINITY) - process.memoryUsage.rss()),
};

/** The models of runs, by their folders. */
export class AskedModels {
  /** The one that was asked last at the end. */
  readonly #stores = new Map<string, ModelStore>();
  readonly #timer = setInterval(() => this.#look(), between).unref();

  /** A model to ask; give it back. Throws HttpError for one that cannot be opened. */
  async lease(folder: string, { input, byDialogue }: HowAsked): Promise<Lease> {
    const source = () =>
      byDialogue ? dialogueSource(folder, input.kind === "text") : modelSource(basename(folder), folder, options);
    const store = this.#stores.get(folder) ?? new ModelStore([source()], { idle, now: () => performance.now() });
    this.#stores.delete(folder);
    this.#stores.set(folder, store);
    const [oldest] = this.#stores;
    if (oldest && this.#stores.size > mostOpen) {
      this.#stores.delete(oldest[0]);
      // What is asked of it is answered first.
      void oldest[1].close();
    }
    return store.lease();
  }

  /** Lets go of all. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(Array.from(this.#stores.values(), (store) => store.close()));
  }

  #look(): void {
    for (const store of this.#stores.values()) {
      store.dropIdle();
      void store.refresh();
    }
  }
}

const shownType = (type: string): string => (type === "" ? "of no type" : JSON.stringify(type.slice(0, 60)));

/** A run that its recipe, a built-in one, answers for. */
function dialogueSource(folder: string, takesText: boolean): ModelSource {
  // Its files are those of any run.
  const { name, fingerprint } = modelSource(basename(folder), folder, options);
  return {
    ...{ name, fingerprint },
    async open() {
      const run = await openRun(folder);
      const predict: PredictService = async (body) => {
        const ending = endingOfType(body.type);
        const asked = async (question: string) => {
          const answer = await run.ask(question);
          const note = answer.note === undefined ? {} : { note: answer.note };
          if ("output" in answer) return [{ ...describeOutput(answer.output, 0, run.deployment).fields, ...note }];
          return [{ text: answer.text, ...note }];
        };
        // A text is never taken for a path.
        if (!takesText && ending === undefined)
          throw new HttpError(
            415,
            `the input is ${shownType(body.type)}; send an image such as image/png, or audio/wav`,
          );
        if (!takesText)
          return asFile(body.bytes, ending as string, asked).catch((error: unknown) => {
            throw wordedOfBody(error);
          });
        if (body.type !== "application/json")
          throw new HttpError(415, `the input is ${shownType(body.type)}; send a text as application/json`);
        const question = jsonOfBody(body);
        if (typeof question !== "string" || question.trim() === "")
          throw new DataError("the input is no text, or an empty one; write one");
        return asked(question);
      };
      return { platform: "sardonyx_run", description: "", predict, release: () => run.release() };
    },
  };
}
