// Owns the pages of the browser's contenders: one bundle each, as esbuild makes it, in a folder that is served.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const packages = fileURLToPath(new URL("../node_modules/", import.meta.url));

/** What a page loads before its module: js-pytorch's own files, which assign to variables that modules may not. */
const before = {
  "js-pytorch": '<script src="js-pytorch/utils.js"></script><script src="js-pytorch/js-pytorch-browser.js"></script>',
};

/** Modules that their pages run in a worker, as the guide of Sardonyx says. */
const inWorker = new Set(["sardonyx"]);

const scriptOf = (name) =>
  inWorker.has(name)
    ? `<script type="module">
const worker = new Worker("${name}.js" + location.search, { type: "module" });
worker.onmessage = ({ data }) => report(data);
worker.onerror = ({ message }) => report({ skipped: message });
</script>`
    : `<script type="module" src="${name}.js"></script>`;

/** Builds the pages of these modules into a folder. Throws where a package is not installed. */
export async function buildPages(folder, names) {
  await build({
    entryPoints: names.map((name) => join(here, `${name}.mjs`)),
    outdir: folder,
    bundle: true,
    splitting: true,
    // Names stay: errors show them.
    minifySyntax: true,
    minifyWhitespace: true,
    format: "esm",
    target: "es2022",
    // What libraries ask of Node where they are in Node.
    external: ["fs", "path", "util", "crypto", "worker_threads", "perf_hooks", "os", "string_decoder"],
    define: { global: "globalThis" },
    logLevel: "error",
  });
  for (const name of names) {
    const html = `<!doctype html><meta charset="utf-8"><title>${name}</title>${before[name] ?? ""}${scriptOf(name)}`;
    writeFileSync(join(folder, `${name}.html`), html);
  }
  writeFileSync(join(folder, "probe.html"), "<!doctype html><title>probe</title>");
  cpSync(join(packages, "js-pytorch/dist"), join(folder, "js-pytorch"), { recursive: true });
  cpSync(join(packages, "@tensorflow/tfjs-backend-wasm/dist"), join(folder, "tfjs-wasm"), {
    recursive: true,
    filter: (path) => !/\.[a-z]+$/.test(path) || path.endsWith(".wasm"),
  });
}

/** The version of a package of the benchmark, or of Sardonyx. */
export function versionOf(name) {
  const folder = name === "sardonyx" ? new URL("../../", import.meta.url) : new URL(`${name}/`, `file://${packages}`);
  return JSON.parse(readFileSync(new URL("package.json", folder), "utf8")).version;
}
