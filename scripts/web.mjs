/**
 * Makes `dist/web/`, the package for pages: ES modules without bare imports, which bundlers take as they are and a server of files serves.
 * `sardonyx.js` is the entry for pages (`sardonyx/web`), `all.js` and `analyze.js` are what browsers get for `sardonyx` and
 * `sardonyx/analyze`; what they share lies in parts. The engine and its WebAssembly are parts of their own, loaded when something first computes.
 * `worker.js` (`sardonyx/web/worker`) is the entry for pages in one file, without the engine of graphics cards: bundlers that write a worker as one
 * file, as Vite does by default, refuse parts.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./prepare.mjs";

/** The folder of the compiled sources, into which `web/` is written. */
const compiled = resolve(process.argv[2] ?? "dist");
/** Where onnxruntime-web has its files. */
const engineFolder = dirname(fileURLToPath(import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm")));

/** Builds of the engine by the name under which `src/runtime/` imports them: the module, and the files that it loads. */
const engines = {
  "onnxruntime-web": ["ort.wasm.min.mjs", "ort-wasm-simd-threaded"],
  "onnxruntime-web/webgpu": ["ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify"],
};

/** A module that gives what `src/runtime/` takes of an engine, with the engine's files in it. */
function engineModule(name) {
  const [module, files] = engines[name];
  const loader = readFileSync(join(engineFolder, `${files}.mjs`), "utf8");
  const binary = gzipSync(readFileSync(join(engineFolder, `${files}.wasm`))).toString("base64");
  return `
    import * as ort from ${JSON.stringify(join(engineFolder, module))};
    import { withEngineFiles } from ${JSON.stringify(join(compiled, "src/web/engine-files.js"))};
    const loader = ${JSON.stringify(loader)};
    const binary = ${JSON.stringify(binary)};
    export const { env, Tensor } = ort;
    export const InferenceSession = withEngineFiles(ort, { loader, binary });
  `;
}

/**
 * Puts engines with their files in the place of onnxruntime-web, and nothing in that of the engines of Node; `withCard` says whether the engine
 * of graphics cards is among them.
 */
const parts = (withCard) => ({
  name: "engines",
  setup(builder) {
    builder.onResolve({ filter: /^onnxruntime-web(\/webgpu)?$/ }, ({ path }) => ({ path, namespace: "engine" }));
    builder.onLoad({ filter: /.*/, namespace: "engine" }, ({ path }) => ({
      contents: engineModule(path),
      resolveDir: compiled,
    }));
    // Loaded in Node alone, when the device asks for them.
    builder.onResolve({ filter: /^\.{1,2}\/.*\bnode\.js$/ }, ({ path, importer }) =>
      path.endsWith(".node.js") || dirname(importer).endsWith("runtime") ? { path, namespace: "node" } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: "node" }, () => ({ contents: "" }));
    if (!withCard)
      builder.onResolve({ filter: /^\.\/webgpu\.web\.js$/ }, () => ({ path: join(compiled, "src/web/no-webgpu.js") }));
  },
});

/** What both builds have in common. */
const options = {
  outdir: join(compiled, "web"),
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  define: {
    process: "undefined",
    // Of what the engine would look for beside itself nothing is there, nor is a bundler to look for it.
    "import.meta.url": "undefined",
  },
  // Names stay: errors and layers show them.
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: "warning",
  write: false,
  metafile: true,
};

const entries = {
  ...options,
  entryPoints: {
    sardonyx: join(compiled, "src/web/index.js"),
    // A part of its own, so that a page whose worker trains is bundled without what trains.
    "parts/train-in-worker": join(compiled, "src/web/train-in-worker.js"),
    all: join(compiled, "src/index.js"),
    analyze: join(compiled, "src/analyze/index.js"),
  },
  chunkNames: "parts/[name]-[hash]",
  splitting: true,
  plugins: [parts(true)],
};

const oneFile = {
  ...options,
  entryPoints: { worker: join(compiled, "src/web/index.js") },
  plugins: [parts(false)],
};

/** The licences of the packages that builds are made of, as they ask for. */
function licencesOf(builds) {
  const paths = builds
    .flatMap(({ metafile }) => Object.keys(metafile.inputs))
    .map((path) => path.replace(/^engine:/, "node_modules/"));
  const names = paths
    .map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
    .filter((name) => name !== undefined);
  return [...new Set(names)].sort().map((name) => {
    const folder = join(root, "node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((own) => /^licen[cs]e/i.test(own));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : "Its package has no text of its licence."}\n`;
  });
}

const builds = await Promise.all([build(entries), build(oneFile)]);
rmSync(join(compiled, "web"), { recursive: true, force: true });
for (const { outputFiles } of builds)
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    const module = text
      // The engine imports its loader by an address that it has when it runs: bundlers are to leave that alone, as its own comment says, which is lost.
      .replace(/\bimport\(([\w$]+)\)/g, "import(/* webpackIgnore: true */ /* @vite-ignore */ $1)")
      // Modules do nothing when they are loaded, so none is imported for that; bundlers that are told so ("sideEffects") warn of it.
      .replace(/\bimport"\.\/[\w./-]+";/g, "");
    writeFileSync(path, module);
  }
writeFileSync(join(compiled, "web/LICENSES.txt"), licencesOf(builds).join(`\n${"-".repeat(80)}\n\n`));
