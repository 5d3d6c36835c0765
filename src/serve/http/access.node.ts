/** Who may ask: tokens, the names that a server answers to, and pages of other sites. */
import { isLoopback, sameToken } from "../../storage/listen.node.ts";
import { HttpError } from "../http-error.ts";

/** What is checked of every request. */
export interface AccessRules {
  /** Clients show one of them, as `Authorization: Bearer …`; none are asked for where there are none. */
  readonly tokens: readonly string[];
  /** The host that is listened on. */
  readonly host: string;
  /** Origins of pages that may ask, or `*` for all; default none. */
  readonly origins: readonly string[];
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const textOf = (headers: Headers, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
};

/** Throws HttpError for a request without a token that is known. */
export function requireToken(headers: Headers, { tokens }: AccessRules): void {
  if (tokens.length === 0) return;
  const [, given = ""] = /^Bearer (.+)$/i.exec(textOf(headers, "authorization") ?? "") ?? [];
  // All are compared, whichever it is.
  const isKnown = tokens.map((token) => sameToken(given, token)).includes(true);
  if (isKnown) return;
  throw new HttpError(
    401,
    `${given === "" ? "the request shows no token" : "the token is another one"}; send Authorization: Bearer TOKEN with one of the server's --token-file`,
    { "www-authenticate": "Bearer" },
  );
}

/**
 * Throws HttpError for a request under a name that is not this machine's, where only this machine is listened on: a page may have made its own
 * name point here (DNS rebinding).
 */
export function requireHost(headers: Headers, { host }: AccessRules): void {
  if (!isLoopback(host)) return;
  const asked = textOf(headers, "host") ?? "";
  if (isLoopback(asked.replace(/:\d+$/, ""))) return;
  throw new HttpError(
    421,
    "the server is asked under another name than localhost; ask http://localhost, or serve it beyond this machine by --host",
  );
}

/** The headers that let a page of another site read the answer. Throws HttpError for one that may not ask. */
export function originHeaders(headers: Headers, { origins }: AccessRules): Readonly<Record<string, string>> {
  const origin = textOf(headers, "origin");
  if (origin === undefined) return {};
  const isAllowed = origins.includes("*") || origins.includes(origin);
  if (isAllowed) return { "access-control-allow-origin": origins.includes("*") ? "*" : origin, vary: "origin" };
  const [, , own = ""] = origin.split("/");
  if (own !== "" && own === textOf(headers, "host")) return {};
  throw new HttpError(403, "pages of other sites may not ask this server; allow theirs by --cors ORIGIN");
}

/** The answer to a page that asks whether it may ask (CORS preflight). */
export const preflightHeaders: Readonly<Record<string, string>> = {
  "access-control-allow-methods": "GET, POST",
  "access-control-allow-headers": "authorization, content-type, inference-header-content-length, x-request-id",
  "access-control-max-age": "600",
};
