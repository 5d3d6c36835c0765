/** The server: each request checked, answered by its route, measured and logged; an end that finishes what began. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { handedServer, type ListenPlace, listen } from "../../storage/listen.node.ts";
import type { Answer, Exchange, Notes, Route } from "../exchange.ts";
import { busy, HttpError, httpErrorOf } from "../http-error.ts";
import { type ServeLimits, settledLimits } from "../limits.ts";
import type { Metrics } from "../metrics.ts";
import type { Lease, ModelStore } from "../models/model-store.ts";
import { type Found, routerOf } from "../router.ts";
import { type AccessRules, originHeaders, preflightHeaders, requireHost, requireToken } from "./access.node.ts";
import { HeldBytes, readBody } from "./body.node.ts";
import { sendAnswer } from "./send.node.ts";

/** A request in the log: never what was sent. */
export interface RequestRecord extends Notes {
  readonly time: string;
  readonly id: string;
  readonly method: string;
  /** The route's path, not the one that was asked. */
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The code of what went wrong, and of a defect where. */
  readonly error?: string;
  readonly stack?: string;
}

/** What is served, and how. */
export interface ModelServerOptions {
  readonly routes: readonly Route[];
  readonly store: ModelStore;
  readonly metrics: Metrics;
  readonly listen: ListenPlace;
  /** Of a worker: the host and port where its primary listens, which hands it connections; the server itself does not listen. */
  readonly authority?: string | undefined;
  readonly access: Omit<AccessRules, "host">;
  readonly limits?: ServeLimits;
  readonly log?: (record: RequestRecord) => void;
}

/** A server that takes requests. */
export interface ModelServer {
  /** `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Answers on a connection that another process accepted. */
  take(connection: Socket): void;
  /** Takes no more requests, finishes those under way, and lets go of all. */
  stop(): Promise<void>;
}

/** Milliseconds between looks at files of models, and at models that are idle. */
const lookEvery = 2000;

/** The most connections at once, and requests that one may have under way: those that are sent before the answers of others are read. */
const [mostConnections, mostOnConnection] = [4096, 64] as const;

/** Requests after which a connection to a worker is closed, so that its client comes back to whichever worker has the fewest. */
const mostAtWorker = 1000;

const unknownRoute = { path: "unknown", refusal: ({ message }: HttpError) => JSON.stringify({ error: message }) };

/** Starts a server. Throws OptionError for an address that cannot be listened on. */
export async function serveModels(options: ModelServerOptions): Promise<ModelServer> {
  const limits = settledLimits(options.limits ?? {});
  const settings = {
    requestTimeout: 1000 * limits.arrival,
    headersTimeout: Math.min(1000 * limits.arrival, 10_000),
    connectionsCheckingInterval: Math.min(250 * limits.arrival, 5000),
    keepAliveTimeout: 65_000,
    maxHeaderSize: 16_384,
  };
  const { server, authority } =
    options.authority === undefined
      ? await listen(options.listen, settings)
      : { server: handedServer(options.listen, settings), authority: options.authority };
  if (options.authority !== undefined) server.maxRequestsPerSocket = mostAtWorker;
  const connections = new Set<Socket>();
  server.on("connection", (connection: Socket) => {
    if (connections.size >= mostConnections) return connection.destroy();
    connections.add(connection);
    connection.once("close", () => connections.delete(connection));
  });
  const handler = new Handler(options, limits);
  server.on("request", (request, response) => {
    handler.handle(request, response).catch(() => response.destroy());
  });
  server.on("clientError", refuseClient);
  const timer = setInterval(() => {
    options.store.dropIdle();
    void options.store.refresh();
  }, lookEvery);
  return {
    url: `${options.listen.tls ? "https" : "http"}://${authority}`,
    take: (connection) => void server.emit("connection", connection),
    async stop() {
      clearInterval(timer);
      handler.isEnding = true;
      const late = setTimeout(() => {
        for (const connection of connections) connection.destroy();
      }, 1000 * limits.grace);
      server.close();
      server.closeIdleConnections();
      await Promise.all(Array.from(connections, (own) => new Promise((resolve) => own.once("close", resolve))));
      clearTimeout(late);
      await options.store.close();
    },
  };
}

/** Answers what is no request of HTTP, or does not come in time. */
function refuseClient(error: Error & { readonly code?: string }, socket: Duplex): void {
  const [status, text] =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? ["408 Request Timeout", "the request did not arrive in time; send it at once"]
      : error.code === "HPE_HEADER_OVERFLOW"
        ? ["431 Request Header Fields Too Large", "the headers are larger than 16 KiB; send fewer"]
        : ["400 Bad Request", "this is no HTTP request; send one"];
  const body = JSON.stringify({ error: text });
  if (socket.writable)
    socket.end(
      `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  else socket.destroy();
}

class Handler {
  readonly #options: ModelServerOptions;
  readonly #limits: ReturnType<typeof settledLimits>;
  readonly #rules: AccessRules;
  readonly #room: HeldBytes;
  readonly #route: (method: string, path: string) => Found;
  /** By connection, its requests that are under way. */
  readonly #underWay = new WeakMap<Socket, Set<Work>>();
  #inFlight = 0;
  isEnding = false;

  constructor(options: ModelServerOptions, limits: ReturnType<typeof settledLimits>) {
    this.#options = options;
    this.#limits = limits;
    this.#rules = { ...options.access, host: options.listen.host ?? "127.0.0.1" };
    this.#room = new HeldBytes(limits.bodies);
    this.#route = routerOf(options.routes);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const begun = performance.now();
    const time = new Date().toISOString();
    const id = idOf(request);
    const notes: Notes = {};
    const others = this.#requestsOf(request.socket);
    if (others.size >= mostOnConnection) return void request.socket.destroy();
    const work = new Work(this.#limits.seconds, response);
    others.add(work);
    this.#count(1);
    let route: Pick<Route, "path" | "refusal"> = unknownRoute;
    let cause: unknown;
    let headers: Readonly<Record<string, string>> = {};
    const [path = "/", query = ""] = splitOnce(request.url ?? "/");
    const method = request.method ?? "GET";
    let bytesOut = 0;
    try {
      requireHost(request.headers, this.#rules);
      headers = originHeaders(request.headers, this.#rules);
      let answer: Answer;
      if (method === "OPTIONS" && "access-control-allow-origin" in headers)
        answer = { status: 204, headers: preflightHeaders, body: "" };
      else {
        const found = this.#route(method, path);
        route = found.route;
        if (!found.route.open) requireToken(request.headers, this.#rules);
        if (!found.route.open && this.#inFlight > this.#limits.requests) {
          this.#options.metrics.refused.add({});
          throw busy(`the server answers ${this.#limits.requests} requests at once; send it again in a moment`);
        }
        if (this.isEnding && method === "POST")
          throw busy("the server is ending; send it to another, or again in a moment");
        const exchange = this.#exchange({ request, id, query, notes, work });
        answer = await found.route.handle(exchange, found.parts);
      }
      bytesOut = await sendAnswer(response, answer, { ...headers, "x-request-id": id }, work.signal);
    } catch (error) {
      cause = error;
      const refusal = httpErrorOf(work.signal.aborted ? work.signal.reason : error);
      const shared = { ...headers, "x-request-id": id };
      if (!work.isGone) bytesOut = await this.#refuse(request, response, refusal, route.refusal(refusal), shared);
    } finally {
      others.delete(work);
      work.end();
      this.#room.give(work.held);
      this.#count(-1);
    }
    const seconds = (performance.now() - begun) / 1000;
    const status = work.isGone ? 499 : response.statusCode;
    this.#measure(route.path, status, seconds, notes);
    this.#options.log?.({
      ...{ time, id, method: method.slice(0, 10), route: route.path, status },
      milliseconds: Math.round(1e5 * seconds) / 100,
      bytesIn: Number(request.headers["content-length"] ?? 0) || 0,
      bytesOut,
      ...notes,
      ...(cause !== undefined && whatOf(cause)),
    });
  }

  /** The requests of a connection that are under way, which end with it: an answer that waits behind others is not told of its connection's end. */
  #requestsOf(connection: Socket): Set<Work> {
    const known = this.#underWay.get(connection);
    if (known) return known;
    const works = new Set<Work>();
    this.#underWay.set(connection, works);
    connection.once("close", () => {
      for (const work of works) work.leave();
    });
    return works;
  }

  #count(change: number): void {
    this.#inFlight += change;
    this.#options.metrics.inFlight.set({}, this.#inFlight);
  }

  #measure(route: string, status: number, seconds: number, { model, tokensRead, tokensWritten }: Notes): void {
    const { metrics } = this.#options;
    const own: Record<string, string> = model === undefined ? {} : { model };
    metrics.requests.add({ route, ...own, status: String(status) });
    metrics.duration.observe({ route, ...own }, seconds);
    if (tokensRead !== undefined) metrics.tokensRead.add(own, tokensRead);
    if (tokensWritten !== undefined) metrics.tokensWritten.add(own, tokensWritten);
  }

  #exchange({ request, id, query, notes, work }: Begun): Exchange {
    const { store } = this.#options;
    let body: Promise<Uint8Array> | undefined;
    return {
      id,
      notes,
      query: new URLSearchParams(query),
      signal: work.signal,
      header: (name) => {
        const value = request.headers[name];
        return typeof value === "string" ? value : undefined;
      },
      body: () => {
        body ??= readBody(request, this.#limits.body, this.#room, work.signal, "--max-body").then(({ bytes, held }) => {
          work.held += held;
          return bytes;
        });
        return body;
      },
      model: async (name, version) => {
        const lease = await store.lease(name, version);
        work.leases.push(lease);
        notes.model = lease.name;
        return lease;
      },
    };
  }

  /** Sends a refusal, where nothing is sent yet. A connection whose request was not read to its end is closed. */
  async #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    { status, headers }: HttpError,
    body: string,
    others: Readonly<Record<string, string>>,
  ): Promise<number> {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return 0;
    }
    const close: Record<string, string> = request.complete ? {} : { connection: "close" };
    const answer = { status, headers: { "content-type": "application/json", ...headers, ...close }, body };
    const sent = await sendAnswer(response, answer, others, AbortSignal.timeout(5000)).catch(() => 0);
    if (!request.complete) response.destroy();
    return sent;
  }
}

/** A request that has begun. */
interface Begun {
  readonly request: IncomingMessage;
  readonly id: string;
  readonly query: string;
  readonly notes: Notes;
  readonly work: Work;
}

/** What is held for a request until it is answered, and what ends it before. */
class Work {
  readonly leases: Lease[] = [];
  held = 0;
  /** Whether the client has gone. */
  isGone = false;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #response: ServerResponse;

  constructor(seconds: number, response: ServerResponse) {
    this.#timer = setTimeout(
      () =>
        this.#controller.abort(
          new HttpError(504, `the answer took more than ${seconds} seconds; ask for less, or raise it: --timeout`),
        ),
      1000 * seconds,
    );
    this.#response = response;
  }

  /** To be called when the client has gone. */
  leave(): void {
    if (this.#response.writableFinished) return;
    this.isGone = true;
    this.#controller.abort(new HttpError(499, "the client has gone; ask again"));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    for (const lease of this.leases) lease.giveBack();
  }
}

/** The client's own name for a request, where it is a plain one; else one of ours. */
function idOf({ headers }: IncomingMessage): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

function splitOnce(url: string): readonly [path: string, query: string] {
  const at = url.indexOf("?");
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
}

/** What went wrong, without its words, which may repeat what was sent; of a defect the places, too. */
function whatOf(cause: unknown): Pick<RequestRecord, "error" | "stack"> {
  const { status } = httpErrorOf(cause);
  const code = (cause as { readonly code?: unknown }).code;
  const error = status === 500 ? "DEFECT" : typeof code === "string" ? code : "UNKNOWN";
  const stack = status === 500 && cause instanceof Error ? cause.stack : undefined;
  const places = stack?.split("\n").filter((line) => /^\s+at /.test(line)).slice(0, 8).join("\n"); // biome-ignore format: one line
  return { error, ...(places && { stack: places }) };
}
