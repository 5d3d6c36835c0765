/** Pages for tests in Chromium: a server of a folder, isolated from others or not, and what a page leaves in its title. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { expect } from "vitest";

/** The Chromium of this machine, without which these tests are skipped; `.ci/run` installs it. */
export const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);
const flags =
  "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync";

/** Starts Chromium, with further flags; those of a graphics card take the place of the one that switches it off. */
export function startChromium(more: readonly string[] = []): Promise<Browser> {
  const hasCard = more.some((flag) => flag.includes("webgpu"));
  const own = flags.split(" ").filter((flag) => !(hasCard && flag === "--disable-gpu"));
  return chromium.launch({ executablePath: executablePath ?? "", args: [...own, ...more] });
}

const types: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
const isolation = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** A folder that is served. */
export interface Served {
  /** Its address, which ends in "/". */
  readonly address: string;
  close(): void;
}

/** Serves a folder, by default isolated from other origins, so that several threads may compute. */
export async function serve(folder: string, headers: Readonly<Record<string, string>> = isolation): Promise<Served> {
  const server: Server = createServer(({ url = "/" }, response) => {
    const name = decodeURI(url.split("?")[0] ?? "/");
    const path = join(folder, name.endsWith("/") ? `${name}index.html` : name);
    const isThere = existsSync(path);
    // Browsers ask for an icon by themselves.
    const status = isThere ? 200 : name === "/favicon.ico" ? 204 : 404;
    response.writeHead(status, { ...headers, "content-type": types[extname(path)] ?? "text/plain" });
    response.end(isThere ? readFileSync(path) : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** What a page has done once it set its title. */
export interface Visited<T> {
  /** The title, as JSON. */
  readonly result: T;
  /** Addresses that it asked for. */
  readonly requests: readonly string[];
  /** What it wrote to the console as warnings. */
  readonly warnings: readonly string[];
  /** Workers that run in it at the end: threads beside the first, and its own. */
  readonly workers: number;
}

/** Opens a page that leaves its result in the title; fails where it throws or asks for what is not there. */
export async function visit<T>(browser: Browser | BrowserContext, address: string): Promise<Visited<T>> {
  const page = await browser.newPage();
  const errors: string[] = [];
  const requests: string[] = [];
  const warnings: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "warning") warnings.push(message.text());
    if (message.type() === "error") errors.push(`${message.text()} (${message.location().url})`);
  });
  page.on("request", (request) => requests.push(request.url()));
  try {
    await page.goto(address);
    // While it loads, a page may be titled by its address.
    const settled = async () => errors.length > 0 || /^[[{"\d]/.test(await page.title());
    await expect.poll(settled, { timeout: 200_000 }).toBe(true);
    expect(errors).toEqual([]);
    return { result: JSON.parse(await page.title()), requests, warnings, workers: page.workers().length };
  } finally {
    await page.close();
  }
}
