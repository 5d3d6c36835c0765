/** What the studio answers: a route for each path, with the JSON that it takes. */
import type * as z from "zod";
import { HttpError } from "../../serve/http-error.ts";

/** What was asked. */
export interface Asked {
  readonly query: URLSearchParams;
  /** The bytes that were sent. */
  readonly body: Uint8Array;
  readonly type: string;
  /** Aborted when whoever asked has gone. */
  readonly signal: AbortSignal;
}

/** An answer: JSON, lines of JSON as they come, or bytes of a type. */
export type Answered =
  | { readonly json: unknown }
  | { readonly lines: AsyncGenerator<unknown> }
  | { readonly bytes: Uint8Array; readonly type: string; readonly headers?: Readonly<Record<string, string>> };

/** A path that takes small bodies, whole. */
export interface AnsweringRoute {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly answer: (asked: Asked) => Answered | Promise<Answered>;
}

/** A path that takes bodies of any size as they come. */
export interface ReceivingRoute {
  readonly method: "POST";
  readonly path: string;
  readonly receive: (query: URLSearchParams, content: AsyncIterable<Uint8Array>) => Promise<Answered>;
}

/** One path. */
export type Route = AnsweringRoute | ReceivingRoute;

/** A value of the query. Throws HttpError where it is missing. */
export function queryOf(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (value === null || value === "") throw new HttpError(400, `the address lacks ?${name}=…`);
  return value;
}

/** What was sent, as JSON of a form. Throws HttpError for what is not of that form. */
export function jsonOf<T>({ body, type }: Pick<Asked, "body" | "type">, schema: z.ZodType<T>): T {
  if (type !== "application/json")
    throw new HttpError(415, "the body is no JSON by its Content-Type; send application/json");
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new HttpError(400, `the body is no JSON: ${(cause as Error).message}`);
  }
  const checked = schema.safeParse(parsed);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new HttpError(400, `the body: ${issue?.path.join(".") || "it"}: ${issue?.message}`);
}
