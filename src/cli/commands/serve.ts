/** `sardonyx serve`: models over HTTP, for other programs. */
import { basename, extname } from "node:path";
import { byteSize } from "../../core/byte-size.ts";
import { OptionError } from "../../core/errors.ts";
import type { DeviceChoice } from "../../runtime/session.ts";
import type { RequestRecord } from "../../serve/http/server.node.ts";
import type { NamedPath } from "../../serve/serve.node.ts";
import { type WorkerLink, workerLink } from "../../serve/workers/worker.node.ts";
import { isLoopback } from "../../storage/listen.node.ts";
import { defineCommand, type Invocation, number, type OptionValues, text, toggle, wholeNumber } from "../command.ts";
import { aborted } from "../interrupt.ts";
import { readCertificate, readTokens } from "../listening.ts";
import { computeOptions } from "../open-run.ts";
import type { Output } from "../output.ts";
import { EndedElsewhere } from "../ranks.ts";
import { interruptServing, outputOfWorker, serveByWorkers, tellServing } from "../serve-workers.ts";

const { best, recipe, device } = computeOptions;

const options = {
  port: wholeNumber("where to listen; default 8080, 0 for any that is free", 0),
  host: text("HOST", "the address to listen on; default 127.0.0.1, this machine alone"),
  tokenFile: text("FILE", "the tokens that clients show, one a line; one is made where there is no file"),
  open: toggle("listen beyond this machine without a token: whoever reaches it may ask"),
  cert: text("FILE", "a certificate in PEM, for TLS (https://)"),
  key: text("FILE", "its key in PEM"),
  cors: text("ORIGINS", "pages that may ask, such as https://example.org,https://example.net; default none"),
  maxBatch: wholeNumber("samples that are computed together at most (default 16)", 1),
  batchWait: number("milliseconds that a request waits for others at most (default 2)", { low: 0, example: 5 }),
  adapters: text("NAME=DIR,…", "adapters on a pretrained language model, which requests ask for as MODEL:NAME"),
  texts: wholeNumber("texts that a language model writes at once (default 8)", 1),
  context: wholeNumber("tokens of a prompt and what is written, at most (default 4096)", 2),
  maxRequests: wholeNumber("requests that are answered at once, others are told to come again (default 512)", 1),
  maxBody: text("SIZE", "bytes of a request's body at most (default 32MiB)"),
  timeout: number("seconds that an answer may take (default 120)", { low: 0, above: true, example: 30 }),
  workers: wholeNumber("processes that answer, each with the models (default 1); one that dies is started again", 1),
  threads: wholeNumber("threads that compute (default one a core, which the workers share)", 1),
  idle: number("load models when they are asked for, and drop them after so many seconds without a request", {
    low: 0,
    above: true,
    example: 600,
  }),
  quiet: toggle("do not log requests"),
  ...{ best, recipe, device },
};

export const command = defineCommand({
  arguments: [
    {
      name: "MODEL",
      description: "a run, a model file, the folder of a pretrained model; with a name of its own: NAME=PATH",
      variadic: true,
    },
  ],
  options,
  examples: [
    ["sardonyx serve runs/iris", "one run, on http://127.0.0.1:8080"],
    ["sardonyx serve digits=runs/lenet-mnist resnet50.onnx --idle 600", "two models, loaded when asked for"],
    ["sardonyx serve runs/gpt-bpe --texts 16 --context 512", "a language model, for OpenAI's clients"],
    ["sardonyx serve runs/iris --workers 4", "by four processes, on four cores"],
    ["sardonyx serve runs/iris --host 0.0.0.0 --token-file tokens", "beyond this machine"],
  ],
  async run(invocation) {
    const worker = workerLink();
    if (!worker) return answer(invocation);
    try {
      await answer({ ...invocation, output: outputOfWorker(worker, invocation.output) }, worker);
    } catch (error) {
      // The first process says it.
      worker.fail(error);
      throw new EndedElsewhere(2);
    } finally {
      worker.release();
    }
  },
});

/** Answers until a signal or, of a worker, the first process ends it. */
async function answer(
  { arguments: paths, options: given, output, line }: Invocation<OptionValues<typeof options>>,
  worker?: WorkerLink,
): Promise<void> {
  const { host = "127.0.0.1", port = 8080, tokenFile, cert, key, cors, quiet = false, workers = 1 } = given;
  if (!isLoopback(host) && tokenFile === undefined && !given.open)
    throw new OptionError(
      `--host ${host} opens the models to whoever reaches this machine; ask for a token by --token-file FILE, or say that you mean it: --open`,
    );
  const models = paths.map(namedPath);
  const listen = { port, host, tls: await readCertificate(cert, key) };
  const tokens = tokenFile === undefined ? [] : await readTokens(tokenFile, !worker, output);
  if (!worker && !isLoopback(host) && !listen.tls && tokens.length > 0)
    output.warn("Tokens and answers are sent as they are; add TLS by --cert and --key, or a proxy that has it.");
  if (workers > 1 && !worker)
    return serveByWorkers(
      { ...{ count: workers, threads: given.threads, listen, line }, models: models.map(({ name }) => name) },
      output,
    );
  const { maxBatch, batchWait, texts, context, maxRequests, maxBody, timeout, idle } = given;
  const threads = worker?.threads ?? given.threads;
  const ending = worker ?? interruptServing(output);
  // What nobody heard of is a defect, which must not end the answers to all others.
  const onDefect = (error: unknown) => {
    const places = error instanceof Error ? (error.stack ?? "").split("\n").filter((own) => /^\s+at /.test(own)) : [];
    output.record("defect", { places });
    output.warn(`This should not happen: a defect of Sardonyx; the server goes on.\n${places.join("\n")}`, "bad");
  };
  process.on("unhandledRejection", onDefect);
  try {
    // The help needs none of it.
    const { serve } = await import("../../serve/serve.node.ts");
    const server = await serve({
      models,
      adapters: given.adapters === undefined ? [] : given.adapters.split(",").map(namedPath),
      listen,
      access: { tokens, origins: cors === undefined ? [] : cors.split(",").map((own) => own.trim()) },
      limits: {
        requests: maxRequests,
        body: maxBody === undefined ? undefined : byteSize(maxBody, "--max-body"),
        seconds: timeout,
      },
      work: {
        ...(maxBatch !== undefined && { batch: maxBatch }),
        ...(batchWait !== undefined && { wait: batchWait }),
        ...(texts !== undefined && { texts }),
        ...(context !== undefined && { context }),
      },
      idle,
      open: {
        best: given.best,
        recipe: given.recipe,
        compile: {
          ...(given.device !== undefined && { device: given.device as DeviceChoice }),
          ...(threads !== undefined && { threads }),
        },
      },
      worker,
      onModel({ kind, ...event }) {
        output.record(`model-${kind}`, event);
        if (kind === "failed") output.warn(`The model ${event.model} cannot be loaded: ${event.reason}`, "caution");
        else output.line(`Model ${event.model} ${kind}, version ${event.version}`, "soft");
      },
      ...(!quiet && { onRequest: (record) => tellRequest(record, output) }),
    });
    if (!worker) tellServing({ url: server.url, models: models.map(({ name }) => name) }, output);
    await aborted(ending.signal);
    await server.stop();
  } finally {
    process.off("unhandledRejection", onDefect);
    if (!worker) ending.release();
  }
}

/** `NAME=PATH`, or a path that is called by its last part. */
function namedPath(argument: string): NamedPath {
  const [, name, path] = /^([\w.-]+)=(.+)$/s.exec(argument) ?? [];
  if (name !== undefined && path !== undefined) return { name, path };
  const last = basename(argument.replace(/[/\\]+$/, ""));
  const ending = extname(last);
  return {
    name: /^\.(onnx|keras|h5|hdf5|json|safetensors|gguf)$/.test(ending) ? basename(last, ending) : last,
    path: argument,
  };
}

/** A request in the log: a line for a person, a record for a program. */
function tellRequest(record: RequestRecord, output: Output): void {
  output.record("request", { ...record });
  const { time, method, route, model = "", status, milliseconds, error } = record;
  output.line(
    `${time} ${method} ${route} ${model} ${status} ${milliseconds} ms${error === undefined ? "" : ` ${error}`}`,
  );
}
