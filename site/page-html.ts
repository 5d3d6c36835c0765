/** The HTML of a page around its body, with its sentences in English: those of other languages come in as the page runs. */
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SitePage } from "./pages.ts";
import { commonTexts, type Texts } from "./shared/language.ts";

/** Where the pages have their sources. */
export const sources = fileURLToPath(new URL(".", import.meta.url));
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

/** The choice of what computes, of pages that train. */
const deviceChoice = `<div class="row">
  <label for="device">{{computeOn}}</label>
  <select id="device"><option value="auto">{{automatic}}</option><option value="webgpu">{{byWebGpu}}</option><option value="wasm">{{byWasm}}</option></select>
  <output id="on" class="soft" for="device"></output>
</div>`;

/** Copies the looks of the pages into their folder. */
export function copyStyles(out: string): void {
  for (const name of ["style.css", "colors.css"]) copyFileSync(join(sources, "shared", name), join(out, name));
}

/** The page around a body. @param links to other pages, in HTML with `{{key}}` for what they say @param cards what a first page says of the others */
export function htmlOf(page: SitePage, links: string, cards = ""): string {
  const body = readFileSync(join(sources, page.name, "body.html"), "utf8")
    .replace("<!-- cards -->", cards)
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
<header><nav aria-label="{{pages}}">${links}</nav><button type="button" id="language">中文</button></header>
<main>
${body}</main>
<footer>{{local}}</footer>
</body>
</html>
`,
    page,
  );
}
