/**
 * Builds the demo site into `site-dist/`: pages for any server of files, in any folder of it, without another address. `npm run site` compiles
 * the package first. A folder elsewhere may be named: `node --import tsx site/build.ts FOLDER`.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { encodeOnnx, keyOf, models } from "../src/index.ts";
import { digitsFile } from "./digits/digits-file.ts";
import { excerpt } from "./gpt/excerpt.ts";
import { pages, type SitePage } from "./pages.ts";
import { commonTexts, type Texts } from "./shared/language.ts";
import { networkFile, networkLicence } from "./transfer/network-file.ts";

const sources = fileURLToPath(new URL(".", import.meta.url));
const out = resolve(process.argv[2] ?? fileURLToPath(new URL("../site-dist", import.meta.url)));
const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");

/** Fills in `{{key}}`, the whole of an element or of its label, in English, and notes the key for other languages; a key without a text is an error of the page. */
function filled(html: string, page: SitePage): string {
  const texts: Texts = { ...commonTexts, ...page.texts };
  const english = (key: string) => {
    const text = texts[key];
    if (!text) throw new Error(`site/${page.name} names the text "${key}", which it does not have`);
    return escaped(text[0]);
  };
  return html
    .replace(/>\{\{(\w+)\}\}</g, (_, key: string) => ` data-text="${key}">${english(key)}<`)
    .replace(/aria-label="\{\{(\w+)\}\}"/g, (_, key: string) => `data-label="${key}" aria-label="${english(key)}"`);
}

const fileOf = ({ name }: SitePage) => `${name}.html`;
const links = (current: SitePage) =>
  pages.map(
    (page) => `<a href="${fileOf(page)}"${page === current ? ' aria-current="page"' : ""}>{{${page.link}}}</a>`,
  );
const cards = pages.flatMap((page) =>
  page.about ? [`<li><a href="${fileOf(page)}">{{${page.link}}}</a><p>{{${page.about}}}</p></li>`] : [],
);

/** The choice of what computes, of pages that train. */
const deviceChoice = `<div class="row">
  <label for="device">{{computeOn}}</label>
  <select id="device"><option value="auto">{{automatic}}</option><option value="webgpu">{{byWebGpu}}</option><option value="wasm">{{byWasm}}</option></select>
  <output id="on" class="soft" for="device"></output>
</div>`;

/** The page around a body. */
function htmlOf(page: SitePage): string {
  const body = readFileSync(join(sources, page.name, "body.html"), "utf8")
    .replace("<!-- cards -->", cards.join("\n"))
    .replace("<!-- device -->", deviceChoice);
  return filled(
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escaped(page.texts["title"]?.[0] ?? "")}</title>
<link rel="stylesheet" href="style.css">
<script type="module" src="${page.name}.js"></script>
</head>
<body>
<header><nav aria-label="{{pages}}">${links(page).join("")}</nav><button type="button" id="language">中文</button></header>
<main>
${body}</main>
<footer>{{local}}</footer>
</body>
</html>
`,
    page,
  );
}

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
for (const page of pages) writeFileSync(join(out, fileOf(page)), htmlOf(page));
copyFileSync(join(sources, "shared/style.css"), join(out, "style.css"));
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
