/** What changes, told to open pages as it happens (server-sent events). */
import type { ServerResponse } from "node:http";

/** Milliseconds from one word to the next, where nothing changes: what lies between keeps silent connections. */
const beat = 15_000;

/** The pages that listen. */
export class EventStream {
  readonly #pages = new Set<ServerResponse>();
  readonly #timer = setInterval(() => this.#write(": still here\n\n"), beat);

  /** How many there are. */
  get size(): number {
    return this.#pages.size;
  }

  /** A page listens from now on. */
  add(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    response.writeHead(200, { ...headers, "content-type": "text/event-stream" });
    response.write("retry: 1000\n\n");
    this.#pages.add(response);
    response.on("close", () => this.#pages.delete(response));
    response.on("error", () => this.#pages.delete(response));
  }

  /** Tells all pages. One that does not read is let go: it connects again, and asks for all. */
  tell(event: string, data: unknown): void {
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  #write(text: string): void {
    for (const page of this.#pages) {
      if (page.writableLength > 1024 * 1024) {
        page.destroy();
        continue;
      }
      page.write(text);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const page of this.#pages) page.end();
  }
}
