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
/** A graphics card of software. */
const withCard =
  "--enable-unsafe-webgpu --use-webgpu-adapter=swiftshader --enable-features=Vulkan --use-vulkan=swiftshader";
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
  /** What the page asked for last. */
  let loaded: string[] = [];

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
    loaded = [];
    page.on("request", (request) => loaded.push(request.url()));
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
    expect(rightOf(await trained(dist))).toBeGreaterThan(90);
    // Of the engine's two builds the page loads the one that it computes on.
    expect(readdirSync(join(dist, "assets")).filter((name) => name.endsWith(".wasm"))).toHaveLength(2);
    expect(loaded.filter((name) => name.endsWith(".wasm"))).toEqual([
      expect.stringMatching(/ort-wasm-simd-threaded-[^.]*\.wasm$/),
    ]);
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

  /** What a program that leaves it in the title computes in a page of a browser. */
  async function computed(program: string, more = ""): Promise<unknown> {
    served = join(project, "card");
    writeFileSync(join(project, "card.ts"), program);
    await bundle({
      entryPoints: [join(project, "card.ts")],
      bundle: true,
      format: "esm",
      outdir: served,
      logLevel: "error",
    });
    const engine = resolve("node_modules/onnxruntime-web/dist");
    for (const name of readdirSync(engine).filter((own) =>
      /^ort-wasm-simd-threaded(\.asyncify)?\.(mjs|wasm)$/.test(own),
    ))
      cpSync(join(engine, name), join(served, name));
    writeFileSync(join(served, "index.html"), '<!doctype html><script type="module" src="./card.js"></script>');
    const own = await chromium.launch({
      executablePath: executablePath ?? "",
      args: `${flags} ${more}`.split(" ").filter((flag) => flag !== "" && !(more && flag === "--disable-gpu")),
    });
    try {
      const page = await own.newPage();
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(String(error)));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await expect.poll(async () => [...errors, await page.title()].join(), { timeout: 200_000 }).not.toBe("");
      expect(errors).toEqual([]);
      return JSON.parse(await page.title());
    } finally {
      await own.close();
    }
  }

  test("on a graphics card, as on WebAssembly", async () => {
    const program = `
      import { adam, conv2d, crossEntropy, dense, flatten, maxPool2d, sequential, Tensor, Trainer } from "sardonyx";
      const images = new Tensor("float32", [4, 1, 8, 8], Float32Array.from({ length: 256 }, (_, i) => Math.sin(i)));
      const batch = { x: images, y: new Tensor("int32", [4], Int32Array.of(0, 1, 2, 1)) };
      async function losses(device) {
        const model = sequential([conv2d(4, 3, { activation: "relu" }), maxPool2d(2), flatten(), dense(3)]);
        const options = { loss: crossEntropy(), optimizer: adam({ learningRate: 0.01 }) };
        const trainer = new Trainer(model, { ...options, training: { clipNorm: 1, compile: { device } } });
        const found = [];
        for (let i = 0; i < 4; i++) found.push((await trainer.step(batch)).loss);
        await trainer.sync();
        found.push(...model.parameters().get("layers.0.bias").value.toNumbers());
        await trainer.release();
        return found;
      }
      document.title = JSON.stringify({ there: await losses("webgpu"), here: await losses("wasm") });
    `;
    const { there, here } = (await computed(program, withCard)) as { there: number[]; here: number[] };
    expect(here[3]).toBeLessThan(here[0] as number);
    for (const [i, expected] of here.entries()) expect(there[i]).toBeCloseTo(expected, 4);
  }, 240_000);

  test("without a card the page is told what to do", async () => {
    const program = `
      import { jit, ops, tensor } from "sardonyx";
      const failed = await jit((x) => ops.add(x, 1), { device: "webgpu" })(tensor([1])).catch((error) => error.message);
      document.title = JSON.stringify(failed);
    `;
    expect(await computed(program)).toMatch(/device "webgpu" .*compute on "wasm"/);
  }, 240_000);
});
