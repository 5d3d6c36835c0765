/** Answers on their way: whole, or event by event, at the pace of who reads. */
import type { ServerResponse } from "node:http";
import type { Answer } from "../exchange.ts";

/** Waits for an event of a response, or the signal. */
function once(response: ServerResponse, events: readonly string[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const done = () => {
      for (const event of events) response.off(event, done);
      signal.removeEventListener("abort", stop);
      resolve();
    };
    const stop = () => {
      for (const event of events) response.off(event, done);
      reject(signal.reason);
    };
    for (const event of events) response.once(event, done);
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** Sends an answer to its end. Returns its bytes. Throws the signal's reason when it is aborted before. */
export async function sendAnswer(
  response: ServerResponse,
  answer: Answer,
  others: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  // Whoever has gone is told by "close".
  response.on("error", () => undefined);
  const headers = { ...others, ...answer.headers };
  if ("body" in answer) {
    const body = typeof answer.body === "string" ? Buffer.from(answer.body) : answer.body;
    response.writeHead(answer.status, { ...headers, "content-length": body.length });
    const sent = once(response, ["finish", "close"], signal);
    response.end(body);
    await sent;
    return body.length;
  }
  response.writeHead(answer.status, headers);
  response.flushHeaders();
  let bytes = 0;
  try {
    for await (const text of answer.events) {
      bytes += Buffer.byteLength(text);
      const isTaken = response.write(text);
      // What ended it before is the last that it tells.
      signal.throwIfAborted();
      // A slow reader holds up its own text alone, and no longer than an answer may take.
      if (!isTaken) await once(response, ["drain", "close"], signal);
    }
  } finally {
    await answer.events.return(undefined);
  }
  const sent = once(response, ["finish", "close"], signal);
  response.end();
  await sent;
  return bytes;
}
