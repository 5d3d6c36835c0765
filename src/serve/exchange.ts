/** A request and its answer as protocols see them, without the network. */
import type { HttpError } from "./http-error.ts";
import type { ServedModel } from "./served-model.ts";

/** What is noted of a request for the log and the metrics: never what was sent. */
export interface Notes {
  model?: string;
  rows?: number;
  tokensRead?: number;
  tokensWritten?: number;
}

/** A model that is in use, and which version of it. */
export interface LeasedModel {
  readonly name: string;
  readonly version: string;
  readonly model: Omit<ServedModel, "adapters" | "release">;
}

/** A request under way. */
export interface Exchange {
  /** Names it in the log and to its client. */
  readonly id: string;
  readonly query: URLSearchParams;
  /** Aborted when the client has gone, or the time is up. */
  readonly signal: AbortSignal;
  readonly notes: Notes;
  /** A header, by its name in lower case. */
  header(name: string): string | undefined;
  /** The whole body. Throws HttpError for one that is too large or does not come. */
  body(): Promise<Uint8Array>;
  /** A model, which stays until the answer is sent. Throws HttpError for one that there is not. */
  model(name: string | undefined, version?: string): Promise<LeasedModel>;
}

/** An answer: whole, or events as they come (server-sent events, HTML standard, sec. 9.2). */
export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
} & ({ readonly body: string | Uint8Array } | { readonly events: AsyncGenerator<string> });

/** What a protocol answers at an address. */
export interface Route {
  readonly method: "GET" | "POST";
  /** Its path, with `:name` for a part that varies: `/v2/models/:model/infer`. */
  readonly path: string;
  /** Whether it needs no token, as probes of health do not. */
  readonly open?: boolean;
  handle(exchange: Exchange, parts: Readonly<Record<string, string>>): Promise<Answer>;
  /** The body of an answer that says no. */
  refusal(error: HttpError): string;
}

/** An answer of JSON. */
export const json = (body: unknown, status = 200): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body: typeof body === "string" ? body : JSON.stringify(body),
});
