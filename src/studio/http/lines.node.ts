/** Answers that come line by line: JSON (NDJSON), at the pace of who reads. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { httpErrorOf } from "../../serve/http-error.ts";

/** Sends lines as they come. What goes wrong before the first one is thrown; behind it, it is a line `{"error": …}`. Who goes ends them. */
export async function sendLines(
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  lines: AsyncGenerator<unknown>,
): Promise<void> {
  const first = await lines.next();
  response.writeHead(200, { ...headers, "content-type": "application/x-ndjson; charset=utf-8" });
  try {
    for (let next = first; !next.done && !response.destroyed; next = await lines.next())
      if (!response.write(`${JSON.stringify(next.value)}\n`))
        await Promise.race([once(response, "drain"), once(response, "close")]);
  } catch (error) {
    response.write(`${JSON.stringify({ error: httpErrorOf(error).message })}\n`);
  } finally {
    await lines.return(undefined);
  }
  response.end();
}
