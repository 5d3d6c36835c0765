/** Who may use the studio: whoever opens the address with its token, in one browser, and nothing that a page of another site sends. */
import type { IncomingHttpHeaders } from "node:http";
import { HttpError } from "../../serve/http-error.ts";
import { isLoopback, sameToken } from "../../storage/listen.node.ts";

/** What requests are held against. */
export interface SessionRules {
  /** In the address that is opened, and then in a cookie that no page can read. */
  readonly token: string;
  /** The host that is listened on, and the port, by which the cookies of two studios differ. */
  readonly host: string;
  readonly port: number;
  /** Whether it is reached by TLS. */
  readonly secure: boolean;
}

const cookieName = ({ port }: SessionRules): string => `sardonyx-studio-${port}`;

/** The header that remembers a browser: for this site alone, for no script, until the browser ends. */
export const cookieOf = (rules: SessionRules): string =>
  `${cookieName(rules)}=${rules.token}; HttpOnly; SameSite=Strict; Path=/${rules.secure ? "; Secure" : ""}`;

/** The token that a request shows: in its cookie, or as a program does it, `Authorization: Bearer …`. */
function shownToken(headers: IncomingHttpHeaders, rules: SessionRules): string {
  const [, bearer] = /^Bearer (.+)$/i.exec(headers.authorization ?? "") ?? [];
  if (bearer !== undefined) return bearer;
  const cookies = (headers.cookie ?? "").split(";").map((part) => part.trim().split("="));
  return cookies.find(([name]) => name === cookieName(rules))?.[1] ?? "";
}

/** Throws HttpError for a request that does not show the token. */
export function requireSession(headers: IncomingHttpHeaders, rules: SessionRules): void {
  if (sameToken(shownToken(headers, rules), rules.token)) return;
  throw new HttpError(401, "open the address that the command sardonyx studio printed, with its token");
}

/**
 * Throws HttpError for what a page of another site sends: under a name of its own that it made point here (DNS rebinding), or as a form or a script of it (CSRF).
 */
export function requireOwnPage(method: string, headers: IncomingHttpHeaders, { host }: SessionRules): void {
  const asked = headers.host ?? "";
  if (isLoopback(host) && !isLoopback(asked.replace(/:\d+$/, "")))
    throw new HttpError(421, "the studio is asked under another name than localhost; open http://localhost");
  const { origin } = headers;
  if (origin !== undefined && origin.replace(/^https?:\/\//, "") !== asked)
    throw new HttpError(403, "pages of other sites may not use the studio");
  const site = headers["sec-fetch-site"];
  if (method !== "GET" && site !== undefined && site !== "same-origin" && site !== "none")
    throw new HttpError(403, "pages of other sites may not use the studio");
}

/** What every answer says: nothing is loaded from elsewhere, nothing is framed by others, nothing is taken for what it is not. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src blob:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** What pages that compute may do beside: run the engine, which is WebAssembly that comes in a module, and train in a worker. */
export const computingHeaders: Readonly<Record<string, string>> = {
  ...pageHeaders,
  "content-security-policy":
    "default-src 'none'; script-src 'self' blob: 'wasm-unsafe-eval'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

/** What is said of files of runs beside: they are shown, in a frame of the studio, and nothing in them runs. */
export const fileHeaders: Readonly<Record<string, string>> = {
  ...pageHeaders,
  "content-security-policy":
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'",
};
