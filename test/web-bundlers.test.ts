/**
 * `sardonyx/web` in the bundlers without settings, and as plain modules from a server of files: the page trains, on as many threads as it
 * may, and asks for nothing that is not there. Skipped without Chromium; webpack and Rollup without the packages of `test/bundlers`.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build as esbuild } from "esbuild";
import type { Browser } from "playwright-core";
import { build as vite, createServer as viteServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Tensor, tensor } from "../src/core/tensor.ts";
import { fromTensors } from "../src/data/index.ts";
import { crossEntropy, dense, sequential } from "../src/nn/index.ts";
import { adam, fit } from "../src/train/index.ts";
import { executablePath, serve, startChromium, type Visited, visit } from "./pages.ts";

/** A page that trains on two threads, if it may. */
const program = `
import { adam, crossEntropy, dense, fit, fromTensors, sequential, Tensor, tensor } from "sardonyx/web";
const model = sequential([dense(16, { activation: "tanh" }), dense(2)]);
const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
const { history } = await fit(model, fromTensors({ x, y: new Tensor("int32", [4], Int32Array.of(0, 1, 1, 0)) }).batch(4), {
  loss: crossEntropy(), optimizer: adam({ learningRate: 0.05 }), epochs: 5, training: { compile: { threads: 2 } },
});
document.title = JSON.stringify(history.map(({ loss }) => loss));
`;

/** Browsers look for an icon, which no bundler writes. */
const head = '<!doctype html><link rel="icon" href="data:," />';

/** The losses of that program in Node. */
async function lossesInNode(): Promise<readonly number[]> {
  const model = sequential([dense(16, { activation: "tanh" }), dense(2)]);
  const x = tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
  const { history } = await fit(
    model,
    fromTensors({ x, y: new Tensor("int32", [4], Int32Array.of(0, 1, 1, 0)) }).batch(4),
    {
      loss: crossEntropy(),
      optimizer: adam({ learningRate: 0.05 }),
      epochs: 5,
    },
  );
  return history.map(({ loss }) => loss ?? Number.NaN);
}

/** A package of `test/bundlers`, as Node finds it there. */
const bundlers = resolve("test/bundlers");
const requireThere = createRequire(join(bundlers, "package.json"));
const hasBundlers = existsSync(join(bundlers, "node_modules/webpack"));
const importThere = (name: string) => import(pathToFileURL(requireThere.resolve(name)).href);

describe.skipIf(executablePath === undefined)("sardonyx/web", () => {
  const folder = mkdtempSync(join(tmpdir(), "sardonyx-bundlers-"));
  const main = join(folder, "main.js");
  let browser: Browser;
  let expected: readonly number[];

  beforeAll(async () => {
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(main, program);
    // The files themselves, as npm installs them: bundlers treat a link as source.
    const installed = join(folder, "node_modules/sardonyx");
    mkdirSync(installed, { recursive: true });
    cpSync("package.json", join(installed, "package.json"));
    cpSync("dist/web", join(installed, "dist/web"), { recursive: true });
    writeFileSync(join(folder, "index.html"), `${head}<script type="module" src="./main.js"></script>`);
    browser = await startChromium();
    expected = await lossesInNode();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  /** What the page does that a bundler wrote into a folder, served isolated and not. */
  async function expectTraining(bundled: string, script = "main.js"): Promise<Visited<readonly number[]>> {
    const page = join(bundled, "index.html");
    if (!existsSync(page)) writeFileSync(page, `${head}<script type="module" src="./${script}"></script>`);
    const isolated = await serve(bundled);
    const open = await serve(bundled, {});
    try {
      const two = await visit<readonly number[]>(browser, isolated.address);
      expect([two.workers, two.warnings]).toEqual([1, []]);
      const one = await visit<readonly number[]>(browser, open.address);
      expect([one.workers, one.warnings]).toEqual([
        0,
        [expect.stringMatching(/^Sardonyx: one thread computes.*Cross-Origin-Opener-Policy/)],
      ]);
      for (const { result } of [one, two])
        for (const [epoch, loss] of expected.entries()) expect(result[epoch]).toBeCloseTo(loss, 5);
      return two;
    } finally {
      isolated.close();
      open.close();
    }
  }

  test("as plain modules, by an import map", async () => {
    const plain = join(folder, "plain");
    mkdirSync(plain);
    cpSync("dist/web", join(plain, "sardonyx"), { recursive: true });
    const map = '<script type="importmap">{ "imports": { "sardonyx/web": "./sardonyx/sardonyx.js" } }</script>';
    writeFileSync(join(plain, "index.html"), `${head}${map}<script type="module">${program}</script>`);
    const { requests } = await expectTraining(plain);
    // Of the two engines the page loads the one that it computes on.
    const own = requests.filter((address) => address.includes("/sardonyx/"));
    expect(own.filter((address) => /\/web[-.]/.test(address))).toHaveLength(1);
    expect(own.filter((address) => /webgpu/.test(address))).toEqual([]);
  });

  test("built by Vite, and served by it", async () => {
    await vite({ root: folder, logLevel: "error" });
    await expectTraining(join(folder, "dist"));
    const server = await viteServer({ root: folder, logLevel: "error", server: { port: 0, host: "127.0.0.1" } });
    try {
      await server.listen();
      const { result } = await visit<readonly number[]>(browser, server.resolvedUrls?.local[0] ?? "");
      expect(result[4]).toBeCloseTo(expected[4] ?? Number.NaN, 5);
    } finally {
      await server.close();
    }
  });

  test.each([false, true])("built by esbuild, splitting: %s", async (splitting) => {
    const outdir = join(folder, splitting ? "esbuild-split" : "esbuild");
    await esbuild({ entryPoints: [main], bundle: true, format: "esm", splitting, outdir, logLevel: "error" });
    await expectTraining(outdir);
  });

  test.skipIf(!hasBundlers)("built by webpack", async () => {
    const { default: webpack } = await importThere("webpack");
    const output = { path: join(folder, "webpack") };
    const stats = await new Promise<{ hasErrors(): boolean; toString(): string }>((done, fail) =>
      webpack(
        { context: folder, entry: "./main.js", mode: "production", output },
        (error: Error | null, stats: never) => (error ? fail(error) : done(stats)),
      ),
    );
    expect(stats.hasErrors() ? stats.toString() : "").toBe("");
    await expectTraining(output.path);
  });

  test.skipIf(!hasBundlers)("built by Rollup", async () => {
    const { rollup } = await importThere("rollup");
    const { nodeResolve } = await importThere("@rollup/plugin-node-resolve");
    const warnings: string[] = [];
    const build = await rollup({
      input: main,
      plugins: [nodeResolve()],
      onwarn: ({ message }: Error) => warnings.push(message),
    });
    await build.write({ dir: join(folder, "rollup") });
    await build.close();
    expect(warnings).toEqual([]);
    await expectTraining(join(folder, "rollup"));
  });
});
