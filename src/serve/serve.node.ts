/** A server of models, put together: the store, the protocols, what is counted, and the network. */
import { randomInt } from "node:crypto";
import { freemem } from "node:os";
import { OptionError } from "../core/errors.ts";
import { quoted } from "../core/printable.ts";
import type { CompileOptions } from "../jit/compile.ts";
import { version } from "../runs/recipes/package.node.ts";
import type { ListenPlace } from "../storage/listen.node.ts";
import type { Clock } from "./batcher.ts";
import type { Route } from "./exchange.ts";
import type { AccessRules } from "./http/access.node.ts";
import { type ModelServer, type RequestRecord, serveModels } from "./http/server.node.ts";
import type { ServeLimits } from "./limits.ts";
import { Metrics } from "./metrics.ts";
import { type ModelEvent, type ModelSource, ModelStore } from "./models/model-store.ts";
import { modelSource } from "./models/open-model.node.ts";
import { processCounts } from "./process-counts.node.ts";
import { openInferenceRoutes } from "./protocols/open-inference/routes.ts";
import { openAiRoutes } from "./protocols/openai/routes.ts";
import { plainRoutes } from "./protocols/plain.ts";
import type { WorkerLink } from "./workers/worker.node.ts";

/** A model to serve: where it lies, and what it is called. */
export interface NamedPath {
  readonly name: string;
  /** A run, a file, or the folder of a pretrained model. */
  readonly path: string;
}

/** How models are served. */
export interface ServingOptions {
  readonly models: readonly NamedPath[];
  /** Adapters on the only pretrained language model among them; a request asks for one as `model:adapter`. */
  readonly adapters?: readonly NamedPath[];
  readonly listen: ListenPlace;
  readonly access?: Partial<Omit<AccessRules, "host">>;
  readonly limits?: ServeLimits;
  /** Samples of a batch at most (default 16), milliseconds that one waits for others (2), texts that are written at once (8), tokens of a prompt and what is written (4096). */
  readonly work?: {
    readonly batch?: number;
    readonly wait?: number;
    readonly texts?: number;
    readonly context?: number;
  };
  /** Seconds after which a model that nobody asks is dropped; default never. */
  readonly idle?: number | undefined;
  readonly open?: {
    readonly best?: boolean | undefined;
    readonly recipe?: string | undefined;
    readonly compile?: CompileOptions;
  };
  /** Of a worker: its primary, which hands it connections once the models are loaded, and sums what all count. */
  readonly worker?: WorkerLink | undefined;
  readonly onRequest?: (record: RequestRecord) => void;
  readonly onModel?: (event: ModelEvent) => void;
}

/** The machine's clock, and Node's event loop. */
const machineClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds);
    return () => clearTimeout(timer);
  },
  // What has arrived is read between two turns of the loop.
  soon: (call) => void setImmediate(() => setImmediate(call)),
};

/** Bytes of memory that there are to take: those of a container, where it has fewer than the machine. */
function freeMemory(): number {
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return Math.min(freemem(), limit - process.memoryUsage.rss());
}

/**
 * Opens models and serves them over HTTP, by the Open Inference Protocol, OpenAI's and a plain one. Throws OptionError for two models of one
 * name, a port in use and a model that does not fit; FileError for models that are not there.
 */
export async function serve(options: ServingOptions): Promise<ModelServer> {
  const { models, adapters = [], work = {}, open = {}, idle, worker, onModel, onRequest } = options;
  const { batch = 16, wait = 2, texts = 8, context = 4096 } = work;
  const metrics = new Metrics();
  const names = models.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new OptionError(`two models are called ${quoted(twice)}; give one another name: OTHER=PATH`);
  const sources = models.map(
    ({ name, path }): ModelSource =>
      modelSource(name, path, {
        batching: {
          most: batch,
          wait,
          clock: machineClock,
          onBatch: (rows) => metrics.batchRows.observe({ model: name }, rows),
        },
        writing: {
          rows: texts,
          context,
          observer: { onStep: (count) => metrics.decodedTexts.observe({ model: name }, count) },
        },
        // Clients on the same machine want the cores, too.
        compile: { spinning: false, ...open.compile },
        ...{ best: open.best, recipe: open.recipe, adapters, free: freeMemory },
      }),
  );
  const bases = sources.filter((source) => source.adapters && source.adapters.length > 0);
  if (adapters.length > 0 && bases.length !== 1)
    throw new OptionError(
      `adapters are for one pretrained language model, and ${bases.length} of the models are pretrained; serve one with them`,
    );
  const store = new ModelStore(sources, {
    now: () => performance.now(),
    ...(idle !== undefined && { idle: 1000 * idle }),
    onEvent(event) {
      if (event.kind === "loaded") metrics.loads.add({ model: event.model });
      metrics.loaded.set({ model: event.model }, store.isModelReady(event.model) ? 1 : 0);
      onModel?.(event);
    },
  });
  const own = version();
  const routes: readonly Route[] = [
    ...plainRoutes(store, own),
    ...openInferenceRoutes(store, own),
    ...openAiRoutes(store, {
      now: () => Math.round(Date.now() / 1000),
      seed: () => randomInt(2 ** 32),
      created: Math.round(Date.now() / 1000),
    }),
    metricsRoute(() => worker?.metrics() ?? textOf(metrics)),
  ];
  const server = await serveModels({
    ...{ routes, store, metrics, listen: options.listen, authority: worker?.authority },
    access: { tokens: [], origins: [], ...options.access },
    ...(options.limits && { limits: options.limits }),
    ...(onRequest && { log: onRequest }),
  });
  try {
    if (idle === undefined) await store.loadAll();
  } catch (error) {
    await server.stop();
    throw error;
  }
  worker?.begin(server, () => processCounts(metrics));
  return server;
}

/** What one process counts, as text. */
function textOf(metrics: Metrics): string {
  processCounts(metrics);
  return metrics.text();
}

/** GET /metrics. */
const metricsRoute = (text: () => string | Promise<string>): Route => ({
  method: "GET",
  path: "/metrics",
  async handle() {
    return {
      status: 200,
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      body: await text(),
    };
  },
  refusal: ({ message }) => `# ${message}\n`,
});
