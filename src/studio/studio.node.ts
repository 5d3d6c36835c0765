/** The studio: a page on which runs are looked at, compared and started, served from this machine. */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { resolve } from "node:path";
import { OptionError } from "../core/errors.ts";
import { functionOf, having, objectOf, string } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import { bodyParts, HeldBytes, readBody } from "../serve/http/body.node.ts";
import { HttpError, httpErrorOf } from "../serve/http-error.ts";
import { isLoopback, type ListenPlace, listen } from "../storage/listen.node.ts";
import { askRoutes } from "./api/ask-routes.node.ts";
import { dataRoutes } from "./api/data-routes.node.ts";
import { finetuneRoutes } from "./api/finetune-routes.node.ts";
import { inspectRoutes } from "./api/inspect-routes.node.ts";
import { layerRoutes } from "./api/layer-routes.node.ts";
import { runRoutes } from "./api/run-routes.node.ts";
import { sampleRoutes } from "./api/sample-routes.node.ts";
import { shareRoutes } from "./api/share-routes.node.ts";
import { trainingRoutes } from "./api/training-routes.node.ts";
import { AskedModels } from "./asking/asked-models.node.ts";
import { Uploads } from "./data/uploads.node.ts";
import { assetOf, placeOf } from "./http/assets.node.ts";
import { EventStream } from "./http/events.node.ts";
import { sendLines } from "./http/lines.node.ts";
import type { Answered, Route } from "./http/routes.ts";
import { cookieOf, pageHeaders, requireOwnPage, requireSession, type SessionRules } from "./http/session.node.ts";
import { JobQueue } from "./jobs/job-queue.node.ts";
import { ReportMaker } from "./jobs/report-command.node.ts";
import { RunLibrary } from "./runs/run-library.node.ts";
import { DroppedFiles } from "./understanding/dropped-files.node.ts";
import { InspectedModels } from "./understanding/inspected-models.node.ts";

/** Options of `openStudio`. */
export interface StudioOptions {
  /** The folder whose runs are shown, also those in folders of it; default `runs`. */
  readonly root?: string;
  /** Where to listen; default any free port of 127.0.0.1. */
  readonly listen?: ListenPlace;
  /** What opens the studio beyond this machine, from 12 characters: needed where `listen` is. Default a token that is made. */
  readonly password?: string;
  /** Ends it when it is aborted; trainings that it started end with checkpoints. */
  readonly signal?: AbortSignal;
  /** Told what went wrong within, which is a defect. */
  readonly onDefect?: (error: unknown) => void;
}

const checkOptions = optionsOf<StudioOptions>("openStudio", {
  root: string,
  listen: objectOf<ListenPlace>("where to listen: { port }"),
  password: string,
  signal: having("addEventListener", "an AbortSignal"),
  onDefect: functionOf("(error) => …"),
});

/** A studio that is open. */
export interface Studio {
  /** The address to open, with the token in it. */
  readonly url: string;
  /** Done when it is closed. */
  readonly closed: Promise<void>;
}

/** Milliseconds between two looks at what is trained, and at everything. */
const [quickly, slowly] = [250, 2000];

/** The most bytes of a request, and of all that are under way. */
const [mostBody, mostHeld] = [64 * 1024 * 1024, 256 * 1024 * 1024];

/** The command line. */
const command = [
  process.execPath,
  placeOf("../../../bin/sardonyx.mjs", "../../../../bin/sardonyx.mjs") ?? "sardonyx",
] as const satisfies readonly [string, ...string[]];

/**
 * Opens a studio. Its folder is made by the first training. Throws OptionError for an address that cannot be listened on, and for one beyond this machine without a password.
 * @example
 * const { url, closed } = await openStudio({ root: "runs" });
 * console.log(url);
 * await closed;
 */
export async function openStudio(options: StudioOptions = {}): Promise<Studio> {
  const { root = "runs", listen: place = { port: 0 }, password, signal, onDefect } = checkOptions(options);
  const { host = "127.0.0.1", tls } = place;
  if (password !== undefined && password.length < 12)
    throw new OptionError(`the password has ${password.length} characters; take 12 or more`);
  if (!isLoopback(host) && password === undefined)
    throw new OptionError(
      `${host} can be reached from other machines, whose people could train and delete here; pass a password for it`,
    );
  const { server, authority } = await listen(place, { requestTimeout: 600_000, headersTimeout: 20_000 });
  const address = server.address();
  const rules: SessionRules = {
    token: password ?? randomBytes(24).toString("hex"),
    ...{ host, port: typeof address === "object" && address ? address.port : place.port, secure: tls !== undefined },
  };
  const studio = new StudioServer(resolve(root), rules, onDefect);
  server.on("request", (request, response) => void studio.answer(request, response));
  const scheme = tls ? "https" : "http";
  const ended = new Promise<void>((done) => {
    if (signal?.aborted) done();
    signal?.addEventListener("abort", () => done(), { once: true });
  });
  const closed = ended.then(async () => {
    const end = new Promise<void>((done) => server.close(() => done()));
    await studio.close();
    server.closeAllConnections();
    await end;
  });
  return { url: `${scheme}://${authority}/?token=${encodeURIComponent(rules.token)}`, closed };
}

class StudioServer {
  readonly #rules: SessionRules;
  readonly #onDefect: ((error: unknown) => void) | undefined;
  readonly #library: RunLibrary;
  readonly #queue: JobQueue;
  readonly #models = new AskedModels();
  readonly #uploads: Uploads;
  readonly #inspected = new InspectedModels({ root: process.cwd(), program: command });
  readonly #dropped = new DroppedFiles();
  readonly #events = new EventStream();
  readonly #routes: readonly Route[];
  readonly #held = new HeldBytes(mostHeld);
  readonly #ending = new AbortController();
  readonly #timers: readonly ReturnType<typeof setInterval>[];

  constructor(root: string, rules: SessionRules, onDefect: ((error: unknown) => void) | undefined) {
    this.#rules = rules;
    this.#onDefect = onDefect;
    this.#library = new RunLibrary(root);
    this.#uploads = new Uploads(root);
    this.#queue = new JobQueue({
      root,
      program: command,
      onChange: () => {
        this.#events.tell("jobs", { jobs: this.#queue.jobs });
        this.#look("all");
      },
    });
    this.#library.refresh();
    const reports = new ReportMaker({ root: process.cwd(), program: command });
    this.#routes = [
      ...runRoutes(this.#library, () => this.#look("all")),
      ...layerRoutes(this.#library),
      ...sampleRoutes(this.#library),
      ...shareRoutes(this.#library),
      ...trainingRoutes(this.#library, this.#queue),
      ...dataRoutes({ library: this.#library, queue: this.#queue, uploads: this.#uploads, reports }),
      ...finetuneRoutes({ library: this.#library, queue: this.#queue, reports }),
      ...inspectRoutes({ library: this.#library, reports, models: this.#inspected, files: this.#dropped }),
      ...askRoutes(this.#library, this.#models, reports),
    ];
    // Nobody is told where no page is open; whoever opens one asks for all.
    this.#timers = [
      setInterval(() => this.#events.size > 0 && this.#look("training"), quickly),
      setInterval(() => this.#events.size > 0 && this.#look("all"), slowly),
    ];
  }

  #look(what: "all" | "training"): void {
    const { changed, gone } = this.#library.refresh(what);
    if (changed.length === 0 && gone.length === 0) return;
    const names = new Set(changed);
    this.#events.tell("runs", { runs: this.#library.runs.filter(({ id }) => names.has(id)), gone });
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => undefined);
    const gone = new AbortController();
    response.once("close", () => gone.abort(new HttpError(503, "whoever asked has gone")));
    try {
      const answered = await this.#answered(request, response, gone.signal);
      if (!answered) return;
      if ("lines" in answered) {
        await sendLines(response, pageHeaders, answered.lines);
        return;
      }
      const [bytes, type] =
        "json" in answered
          ? [Buffer.from(JSON.stringify(answered.json)), "application/json"]
          : [answered.bytes, answered.type];
      const headers = "json" in answered ? undefined : answered.headers;
      response.writeHead(200, { ...pageHeaders, ...headers, "content-type": type, "content-length": bytes.length });
      response.end(bytes);
    } catch (error) {
      const told = httpErrorOf(error);
      if (told.status === 500) this.#onDefect?.(error);
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const bytes = Buffer.from(JSON.stringify({ error: told.message }));
      response.writeHead(told.status, {
        ...pageHeaders,
        ...told.headers,
        ...{ "content-type": "application/json", "content-length": bytes.length, connection: "close" },
      });
      response.end(bytes);
    }
  }

  /** The answer; nothing where it is on its way already. */
  async #answered(
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<Answered | undefined> {
    const { method = "GET", headers } = request;
    const url = addressOf(request.url);
    requireOwnPage(method, headers, this.#rules);
    if (url.pathname === "/" && url.searchParams.has("token")) {
      requireSession({ authorization: `Bearer ${url.searchParams.get("token")}` }, this.#rules);
      // The token is not left in the history of the browser.
      response.writeHead(303, { ...pageHeaders, "set-cookie": cookieOf(this.#rules), location: "/" });
      response.end();
      return undefined;
    }
    requireSession(headers, this.#rules);
    if (method === "GET" && url.pathname === "/api/events") {
      this.#events.add(response, pageHeaders);
      return undefined;
    }
    if (method === "GET" && !url.pathname.startsWith("/api/")) return assetOf(url.pathname);
    const route = this.#routes.find(({ path }) => path === url.pathname);
    if (!route) throw new HttpError(404, `the studio has no ${url.pathname.slice(0, 100)}`);
    if (route.method !== method)
      throw new HttpError(405, `${route.path} is asked by ${route.method}`, { allow: route.method });
    // A file that came on disk a moment ago is there.
    if (route.path === "/api/runs") this.#library.refresh();
    if ("receive" in route) return await route.receive(url.searchParams, bodyParts(request, this.#ending.signal));
    const { bytes, held } = await readBody(request, mostBody, this.#held, this.#ending.signal);
    try {
      const [type = ""] = (headers["content-type"] ?? "").split(";");
      return await route.answer({ query: url.searchParams, body: bytes, type: type.trim().toLowerCase(), signal });
    } finally {
      this.#held.give(held);
    }
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#ending.abort(new HttpError(503, "the studio ends"));
    await this.#uploads.close();
    await this.#queue.close();
    await this.#models.close();
    this.#inspected.close();
    this.#dropped.close();
    this.#events.close();
  }
}

/** The address of a request. Throws HttpError for what is none. */
function addressOf(url: string | undefined): URL {
  try {
    return new URL(url ?? "/", "http://studio");
  } catch (cause) {
    throw new HttpError(400, "the address of the request makes no sense", { cause: String(cause) });
  }
}
