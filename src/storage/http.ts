/** HTTP requests: redirects followed within limits, a token for one server alone, silence and faults that another try may mend. */
import { FileError } from "../core/errors.ts";

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a bearer token to the server of the address, and to no other to which it redirects. */
  readonly token?: string | undefined;
  /** Seconds without a byte after which a server is given up. */
  readonly stallSeconds: number;
}

/** What a server answered. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Headers of the last answer of the server of the address, before it redirected to another. */
  readonly own: Headers;
  /** The body as it arrives; RequestError where it stops. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Ends the connection. */
  close(): void;
}

/** Why a request failed. */
export class RequestError extends Error {
  /** The server's answer, if there was one. */
  readonly reply: { readonly status: number; readonly headers: Headers } | undefined;
  /** `passing`: another try may succeed; `unreachable`: no server was found; `final`: neither. */
  readonly kind: "passing" | "unreachable" | "final";

  constructor(message: string, kind: RequestError["kind"], reply?: RequestError["reply"]) {
    super(message);
    this.kind = kind;
    this.reply = reply;
  }
}

const mostRedirects = 8;
const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);
/** Statuses of servers that are busy or broken for a while. */
const isPassing = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/** Codes of connections that broke, and of servers that are not there. */
const broken = /^(ECONNRESET|EPIPE|ETIMEDOUT|UND_ERR_SOCKET|UND_ERR_\w+_TIMEOUT)$/;
const absent = /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ENETDOWN)$/;

/** What fetch hides behind "fetch failed" and "terminated". */
function faultOf(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  const { code, message = String(error) } = ((error as { cause?: unknown }).cause ?? error) as NodeJS.ErrnoException;
  const kind = absent.test(code ?? "") ? "unreachable" : broken.test(code ?? "") ? "passing" : "final";
  return new RequestError([code, message].filter(Boolean).join(": "), kind);
}

/**
 * Asks for an address. The reply is that of the last server to which it was redirected. Throws RequestError for a status from 400,
 * for more than 8 redirects or one to something other than HTTP, for silence and for broken connections.
 */
export async function request(address: string, { headers, token, stallSeconds }: RequestOptions): Promise<Reply> {
  const abort = new AbortController();
  const stalled = new RequestError(`nothing arrived for ${stallSeconds} s`, "passing");
  let timer = setTimeout(() => abort.abort(stalled), stallSeconds * 1000);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(stalled), stallSeconds * 1000);
  };
  const close = () => {
    clearTimeout(timer);
    abort.abort();
  };
  const { origin } = new URL(address);
  try {
    let [url, own] = [new URL(address), new Headers()];
    for (let redirects = 0; ; redirects++) {
      const isOwn = url.origin === origin;
      const response = await fetch(url, {
        redirect: "manual",
        signal: abort.signal,
        headers: {
          // Lengths and ranges are those of the file, not of a packed one.
          "accept-encoding": "identity",
          "user-agent": "sardonyx",
          ...headers,
          ...(token !== undefined && isOwn && { authorization: `Bearer ${token}` }),
        },
      });
      alive();
      const { status } = response;
      if (isOwn) own = response.headers;
      const location = response.headers.get("location");
      if (!isRedirect(status) || location === null) {
        if (status < 200 || status >= 300)
          throw new RequestError(`HTTP status ${status}`, isPassing(status) ? "passing" : "final", response);
        return { status, headers: response.headers, own, chunks: () => chunksOf(response), close };
      }
      await response.body?.cancel();
      if (redirects === mostRedirects)
        throw new RequestError(`it redirects more than ${mostRedirects} times, last to ${location}`, "final");
      url = new URL(location, url);
      if (!/^https?:$/.test(url.protocol))
        throw new RequestError(`it redirects to ${url.protocol}, which is not HTTP`, "final");
    }
  } catch (error) {
    close();
    throw faultOf(error);
  }

  async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response.body ?? []) {
        alive();
        yield chunk;
        alive(); // A slow disk is no silent server.
      }
    } catch (error) {
      // A body that breaks off may go on elsewhere, whatever broke it.
      const { message } = faultOf(error);
      throw new RequestError(message, "passing");
    } finally {
      close();
    }
  }
}

/** The text of a reply. Throws RequestError for one of more than `limit` bytes. */
export async function textOf(reply: Reply, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let [text, received] = ["", 0];
  for await (const chunk of reply.chunks()) {
    received += chunk.length;
    if (received > limit) throw new RequestError(`its answer has more than ${limit} bytes`, "final");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Seconds before the first further try; they double from try to try, up to the most. */
const [firstWait, longestWait] = [0.5, 8];
/** The longest that a server may ask to wait. */
const longestAsked = 120;

/** Seconds that a busy server asks to wait: a number, or a date (RFC 9110, section 10.2.3). */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const value = headers.get("retry-after");
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}

/**
 * Tries until it succeeds, waiting longer from time to time, or as long as the server asks. Throws the last failure: one that no
 * other try mends, or that of the last of `attempts` in a row that brought nothing.
 * @param progress grows where a try that failed brought something
 */
export async function persistently<T>(
  attempt: () => Promise<T>,
  { attempts, progress = () => 0 }: { readonly attempts: number; readonly progress?: () => number },
): Promise<T> {
  let before = progress();
  for (let failed = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RequestError) || error.kind !== "passing") throw error;
      failed = progress() > before ? 1 : failed + 1;
      before = progress();
      const asked = error.reply && retryAfter(error.reply.headers, Date.now());
      if (asked !== undefined && asked > longestAsked)
        throw new FileError(`the server is busy and asks to wait ${Math.ceil(asked)} s; run it again then`);
      if (failed >= attempts) throw error;
      const seconds = asked ?? Math.min(longestWait, firstWait * 2 ** (failed - 1));
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }
}
