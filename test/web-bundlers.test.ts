/**
 * `sardonyx/web` in the bundlers without settings, and as plain modules from a server of files: the page trains, on as many threads as it
 * may, and asks for nothing that is not there. Skipped without Chromium; webpack and Rollup without the packages of `test/bundlers`.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build as esbuild } from "esbuild";
import type { Browser } from "playwright-core";
import { build as vite, createServer as viteServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Tensor, tensor } from "../src/core/tensor.ts";
import { fromTensors } from "../src/data/index.ts";
import { crossEntropy, dense, sequential } from "../src/nn/index.ts";
import { adam, fit } from "../src/train/index.ts";
import { executablePath, serve, startChromium } from "./chromium.ts";
import { visit } from "./pages.ts";

/** Trains on two threads, if it may. */
const training = (entry: string) => `
import { adam, crossEntropy, dense, fit, fromTensors, sequential, Tensor, tensor, trainInWorker, trainingWorker } from "${entry}";
async function train({ epochs }, callbacks) {
  const model = sequential([dense(16, { activation: "tanh" }), dense(2)]);
  const x = tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
  const y = new Tensor("int32", [4], Int32Array.of(0, 1, 1, 0));
  const { history } = await fit(model, fromTensors({ x, y }).batch(4), {
    loss: crossEntropy(), optimizer: adam({ learningRate: 0.05 }), epochs, callbacks, training: { compile: { threads: 2 } },
  });
  return history.map(({ loss }) => loss);
}
`;
/** A page that trains itself, and by its worker. */
const pageProgram = `${training("sardonyx/web")}
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const here = await train({ epochs: 5 }, []);
document.title = JSON.stringify([here, await trainInWorker(worker, { epochs: 5 }).result]);
`;
const workerProgram = (entry: string) => `${training(entry)}
trainingWorker((options, { progress }) => train(options, [progress]));
`;
/** A page whose worker alone trains. */
const callingProgram = `import { trainInWorker } from "sardonyx/web"; globalThis.train = trainInWorker;`;

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
  const inputs = ["main.js", "worker.js"].map((name) => join(folder, name));
  let browser: Browser;
  let expected: readonly number[];

  beforeAll(async () => {
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "main.js"), pageProgram);
    writeFileSync(join(folder, "worker.js"), workerProgram("sardonyx/web/worker"));
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

  /** The losses of the page, and of its worker. */
  type Losses = readonly (readonly number[])[];

  function expectLosses(losses: Losses): void {
    expect(losses).toHaveLength(2);
    for (const own of losses) for (const [epoch, loss] of expected.entries()) expect(own[epoch]).toBeCloseTo(loss, 5);
  }

  /** Trains in the page that a bundler wrote into a folder, served isolated and not. Gives what the isolated one asked for. */
  async function expectTraining(bundled: string): Promise<readonly string[]> {
    const page = join(bundled, "index.html");
    if (!existsSync(page)) writeFileSync(page, `${head}<script type="module" src="./main.js"></script>`);
    const isolated = await serve(bundled);
    const open = await serve(bundled, {});
    try {
      const two = await visit<Losses>(browser, isolated.address);
      // The worker, a further thread of the page, and one of the worker.
      expect([two.workers, two.warnings]).toEqual([3, []]);
      const one = await visit<Losses>(browser, open.address);
      const told = expect.stringMatching(/^Sardonyx: one thread computes.*Cross-Origin-Opener-Policy/);
      expect([one.workers, one.warnings]).toEqual([1, [told, told]]);
      expectLosses(two.result);
      expectLosses(one.result);
      return two.requests;
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
    writeFileSync(join(plain, "index.html"), `${head}${map}<script type="module">${pageProgram}</script>`);
    // Import maps are the page's: workers have none.
    writeFileSync(join(plain, "worker.js"), workerProgram("./sardonyx/worker.js"));
    const requests = await expectTraining(plain);
    // Of the two engines the page loads the one that it computes on.
    expect(requests.filter((address) => /\/parts\/web-/.test(address))).toHaveLength(1);
    expect(requests.filter((address) => /webgpu/.test(address))).toEqual([]);
  });

  test("built by Vite, and served by it", async () => {
    await vite({ root: folder, logLevel: "error" });
    await expectTraining(join(folder, "dist"));
    const server = await viteServer({ root: folder, logLevel: "error", server: { port: 0, host: "127.0.0.1" } });
    try {
      await server.listen();
      expectLosses((await visit<Losses>(browser, server.resolvedUrls?.local[0] ?? "")).result);
    } finally {
      await server.close();
    }
  });

  test.each([false, true])("built by esbuild, splitting: %s", async (splitting) => {
    const outdir = join(folder, splitting ? "esbuild-split" : "esbuild");
    await esbuild({ entryPoints: inputs, bundle: true, format: "esm", splitting, outdir, logLevel: "error" });
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
      input: inputs,
      plugins: [nodeResolve()],
      onwarn: ({ message }: Error) => warnings.push(message),
    });
    await build.write({ dir: join(folder, "rollup") });
    await build.close();
    expect(warnings).toEqual([]);
    await expectTraining(join(folder, "rollup"));
  });

  test("what is in sardonyx alone fits what is in sardonyx/web: they share their parts", async () => {
    const own = join(folder, "both");
    writeFileSync(
      join(folder, "both.js"),
      `import { models, Tensor } from "sardonyx";
      import { keyOf, predict, Tensor as OfPages } from "sardonyx/web";
      const model = models.presetOf("lenet5").build();
      model.initialize(keyOf(0), { dtype: "float32", shape: [1, 1, 28, 28] });
      const scores = await predict(model, new OfPages("float32", [1, 1, 28, 28], new Float32Array(784)));
      document.title = JSON.stringify([Tensor === OfPages, scores.shape]);`,
    );
    mkdirSync(own);
    writeFileSync(join(own, "index.html"), `${head}<script type="module" src="./both.js"></script>`);
    const entryPoints = [join(folder, "both.js")];
    await esbuild({ entryPoints, bundle: true, format: "esm", splitting: true, outdir: own, logLevel: "error" });
    const served = await serve(own);
    expect((await visit(browser, served.address)).result).toEqual([true, [1, 10]]);
    served.close();
  });

  test("a page whose worker trains is bundled without what trains", async () => {
    writeFileSync(join(folder, "calling.js"), callingProgram);
    const built = await esbuild({
      entryPoints: [join(folder, "calling.js")],
      bundle: true,
      minify: true,
      write: false,
    });
    expect(gzipSync(built.outputFiles[0]?.contents ?? "").length).toBeLessThan(30_000);
  });
});

describe("dist/web", () => {
  /** The modules that one imports, itself among them, with their texts; those that it loads later left out. */
  function importedBy(path: string, found = new Map<string, string>()): ReadonlyMap<string, string> {
    if (found.has(path)) return found;
    const text = readFileSync(path, "utf8");
    found.set(path, text);
    for (const [, name = ""] of text.matchAll(/(?:^|[;}\n])(?:import|export)(?:[^"';()]*?from)?\s*"([^"]+)"/g))
      importedBy(join(dirname(path), name), found);
    return found;
  }

  test("the entry for pages has less than 300 KB, compressed, beside the engine", () => {
    const modules = importedBy("dist/web/sardonyx.js");
    expect(modules.size).toBeGreaterThan(2);
    const bytes = [...modules.values()].reduce((sum, text) => sum + gzipSync(text).length, 0);
    expect(bytes).toBeGreaterThan(100_000);
    expect(bytes).toBeLessThan(300_000);
  });

  test("nothing in it is imported by a name of a package or of Node", async () => {
    const entryPoints = ["sardonyx", "worker", "all", "analyze"].map((name) => `dist/web/${name}.js`);
    const common = { entryPoints, outdir: "none", write: false, metafile: true, logLevel: "silent" } as const;
    // Of a neutral platform esbuild refuses what is of Node.
    const { metafile } = await esbuild({ ...common, bundle: true, format: "esm", platform: "neutral" });
    const modules = Object.entries(metafile.inputs);
    expect(modules.length).toBeGreaterThan(8);
    expect(modules.filter(([path]) => !path.startsWith("dist/web/")).map(([path]) => path)).toEqual([]);
    const external = modules.flatMap(([, { imports }]) => imports.filter((each) => each.external));
    // Helpers of esbuild's own.
    expect(external.filter(({ path }) => path !== "<runtime>")).toEqual([]);
  });
});
