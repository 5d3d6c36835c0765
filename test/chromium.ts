/** Chromium, and a server of a folder for its pages, isolated from others or not: for tests and the benchmark. */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

/** The Chromium of this machine, without which these tests are skipped; `.ci/run` installs it. */
export const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);
const flags =
  "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync";

/** Flags for a graphics card of software, SwiftShader, by WebGPU. */
export const softwareCard: readonly string[] = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
];

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
