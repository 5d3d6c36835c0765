/** The template for browsers: built by Vite and by esbuild, it trains in Chromium. Skipped where Chromium is not installed; `.ci/run` installs it. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { build as bundle } from "esbuild";
import { type Browser, chromium } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeProject } from "../src/cli/new/project.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const flags =
  "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

describe.skipIf(executablePath === undefined)("a page that trains", () => {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-page-"));
  const project = join(folder, "page");
  let browser: Browser;
  let server: Server;
  let served = "";

  beforeAll(async () => {
    makeProject(project, "browser");
    mkdirSync(join(project, "node_modules"));
    symlinkSync(resolve("."), join(project, "node_modules/sardonyx"));
    for (const name of ["vite", "onnxruntime-web"])
      symlinkSync(resolve("node_modules", name), join(project, "node_modules", name));
    server = createServer(({ url = "/" }, response) => {
      const path = join(served, url === "/" ? "index.html" : (url.split("?")[0] ?? ""));
      response.writeHead(existsSync(path) ? 200 : 404, { "content-type": types[extname(path)] ?? "text/plain" });
      response.end(existsSync(path) ? readFileSync(path) : "");
    }).listen(0, "127.0.0.1");
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: flags.split(" ") });
  });
  afterAll(async () => {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true });
  });

  /** What the page in a folder says once it has trained. */
  async function trained(dist: string): Promise<string> {
    served = dist;
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.click("#train");
    await expect.poll(() => page.textContent("#state"), { timeout: 120_000 }).toMatch(/Trained\.|: /);
    await expect.poll(() => page.isEnabled("#train"), { timeout: 120_000 }).toBe(true);
    const said = (await page.textContent("#state")) ?? "";
    await page.close();
    expect(errors).toEqual([]);
    return said;
  }
  const rightOf = (said: string) => Number(/([\d.]+) % right\. Trained\./.exec(said)?.[1]);

  test("built by Vite", async () => {
    await build({ root: project, logLevel: "error" });
    const dist = join(project, "dist");
    // Of the engine, the part for WebAssembly alone.
    const engines = readdirSync(join(dist, "assets")).filter((name) => name.endsWith(".wasm"));
    expect(engines).toEqual([expect.stringMatching(/^ort-wasm-simd-threaded-/)]);
    expect(rightOf(await trained(dist))).toBeGreaterThan(90);
  });

  test("built by esbuild, the engine beside it", async () => {
    const dist = join(project, "plain");
    await bundle({
      entryPoints: [join(project, "main.ts")],
      bundle: true,
      format: "esm",
      outdir: dist,
      logLevel: "error",
    });
    const page = readFileSync(join(project, "index.html"), "utf8").replace("./main.ts", "./main.js");
    const engine = resolve("node_modules/onnxruntime-web/dist");
    for (const name of readdirSync(engine).filter((own) => /^ort-wasm-simd-threaded\.(mjs|wasm)$/.test(own)))
      cpSync(join(engine, name), join(dist, name));
    writeFileSync(join(dist, "index.html"), page);
    expect(rightOf(await trained(dist))).toBeGreaterThan(90);
  });
});
