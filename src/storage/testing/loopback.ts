/** Servers on this machine for tests: they answer as a test says, and remember what they were asked. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What was asked. */
export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

export interface Loopback {
  readonly address: string;
  /** Requests so far; emptied by tests. */
  readonly asked: Asked[];
  close(): void;
}

/** Answers one request. */
export type Answer = (path: string, request: IncomingMessage, response: ServerResponse) => void;

/** Starts a server on a free port of 127.0.0.1. */
export async function startLoopback(answer: Answer): Promise<Loopback> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push({ path, headers: request.headers });
    answer(path, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** How a server sends a file. */
export interface Sending {
  readonly etag?: string;
  /** Takes no notice of ranges. */
  readonly ignoresRanges?: boolean;
  /** Breaks the connection after so many bytes of an answer. */
  readonly cutAfter?: number | undefined;
  /** Says nothing more after so many bytes of an answer. */
  readonly holdAfter?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a file, or the part of it that is asked for, as servers of files do (RFC 9110, sections 13.1.5 and 14). */
export function sendFile(
  content: Uint8Array,
  { headers: { range, "if-range": ifRange } }: IncomingMessage,
  response: ServerResponse,
  { etag, ignoresRanges = false, cutAfter, holdAfter, headers }: Sending = {},
): void {
  const [, begin] = /^bytes=(\d+)-$/.exec(range ?? "") ?? [];
  const isPart = begin !== undefined && !ignoresRanges && (ifRange === undefined || ifRange === etag);
  const from = isPart ? Number(begin) : 0;
  if (from >= content.length && from > 0) {
    response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
    return;
  }
  const body = content.subarray(from);
  response.writeHead(isPart ? 206 : 200, {
    "content-length": body.length,
    ...(etag !== undefined && { etag }),
    ...(isPart && { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` }),
    ...headers,
  });
  if (holdAfter !== undefined) response.write(body.subarray(0, holdAfter));
  else if (cutAfter === undefined) response.end(body);
  // What is written has to be read before the connection breaks: readers throw away what they hold then.
  else response.write(body.subarray(0, cutAfter), () => setTimeout(() => response.destroy(), 150));
}
