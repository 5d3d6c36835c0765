/**
 * Builds the demo site into `site-dist/`: pages for any server of files, in any folder of it, without another address. `npm run site` compiles
 * the package first. A folder elsewhere may be named: `node --import tsx site/build.ts FOLDER`.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { encodeOnnx, keyOf, models } from "../src/index.ts";
import { digitsFile } from "./digits/digits-file.ts";
import { excerpt } from "./gpt/excerpt.ts";
import { copyStyles, htmlOf, sources } from "./page-html.ts";
import { pages, type SitePage } from "./pages.ts";
import { networkFile, networkLicence } from "./transfer/network-file.ts";

const out = resolve(process.argv[2] ?? fileURLToPath(new URL("../site-dist", import.meta.url)));
const fileOf = ({ name }: SitePage) => `${name}.html`;
const links = (current: SitePage) =>
  pages.map(
    (page) => `<a href="${fileOf(page)}"${page === current ? ' aria-current="page"' : ""}>{{${page.link}}}</a>`,
  );
const cards = pages.flatMap((page) =>
  page.about ? [`<li><a href="${fileOf(page)}">{{${page.link}}}</a><p>{{${page.about}}}</p></li>`] : [],
);

/** What inspects is bundled of our sources and computes nothing: the engines that these would load are left out. */
const withoutEngines: Plugin = {
  name: "without-engines",
  setup(builder) {
    builder.onResolve({ filter: /^\.{1,2}\/.*\.node\.ts$/ }, ({ path }) => ({ path, namespace: "engine" }));
    builder.onResolve({ filter: /^\.\/(webgpu\.)?(node|web)\.ts$/ }, ({ path, importer }) =>
      dirname(importer).endsWith(join("src", "runtime")) ? { path, namespace: "engine" } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: "engine" }, () => ({ contents: "" }));
  },
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await build({
  entryPoints: Object.fromEntries(
    pages.flatMap(({ name, hasWorker }) => [
      [name, join(sources, name, "main.ts")],
      ...(hasWorker ? [[`${name}-worker`, join(sources, name, "worker.ts")]] : []),
    ]),
  ),
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  // Names stay: errors and layers show them.
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: "warning",
  plugins: [withoutEngines],
});
for (const page of pages) writeFileSync(join(out, fileOf(page)), htmlOf(page, links(page).join(""), cards.join("\n")));
copyStyles(out);
const network = await networkFile();
const licences = [
  readFileSync(join(sources, "../dist/web/LICENSES.txt"), "utf8"),
  ...(network.length > 0 ? [networkLicence()] : []),
];
writeFileSync(join(out, "LICENSES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
writeFileSync(join(out, "features.bin"), network);
writeFileSync(join(out, "digits.bin"), await digitsFile());
writeFileSync(join(out, "moby-dick.txt"), await excerpt());
const inputs = { dtype: "float32", shape: [1, 1, 28, 28] } as const;
const lenet = new models.LeNet5();
lenet.initialize(keyOf(1), inputs);
writeFileSync(join(out, "lenet5.onnx"), encodeOnnx(lenet, { inputs }).bytes);
console.log(
  `Built ${pages.length} pages in ${out}; serve it with any server of files, such as npx vite preview --outDir site-dist`,
);
