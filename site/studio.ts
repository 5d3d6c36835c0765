/**
 * The pages of the site that the studio has too, in a folder of its own: `scripts/studio.mjs` builds them. They share the package for pages, `dist/web/`,
 * which the studio serves below `/web/`, so that the engine is there once.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { copyStyles, htmlOf, sources } from "./page-html.ts";
import { pages } from "./pages.ts";

/** Where the studio has the modules that pages import by the package's names. */
const served: Readonly<Record<string, string>> = { sardonyx: "/web/all.js", "sardonyx/web": "/web/sardonyx.js" };

const byAddress: Plugin = {
  name: "by-address",
  setup(builder) {
    builder.onResolve({ filter: /^sardonyx(\/web)?$/ }, ({ path }) => ({ path: served[path] ?? path, external: true }));
  },
};

/** Builds the experiments on depth into a folder. */
export async function buildExperiments(out: string): Promise<void> {
  mkdirSync(out, { recursive: true });
  const [page] = pages.filter(({ name }) => name === "depth");
  if (!page) throw new Error("the site has no page of the depth");
  await build({
    entryPoints: { depth: join(sources, "depth/main.ts"), "depth-worker": join(sources, "depth/worker.ts") },
    outdir: out,
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    logLevel: "warning",
    plugins: [byAddress],
  });
  writeFileSync(join(out, "depth.html"), htmlOf(page, '<a href="/#/understand">{{backToStudio}}</a>'));
  copyStyles(out);
}
