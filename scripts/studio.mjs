/** Makes `studio/` in the folder of the compiled sources: the page of the studio, in one script and one style sheet, and its experiments, which are loaded when they are asked for. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { tsImport } from "tsx/esm/api";
import { root } from "./prepare.mjs";

const out = join(resolve(process.argv[2] ?? "dist"), "studio");
mkdirSync(out, { recursive: true });
await build({
  entryPoints: { app: join(root, "studio/main.tsx") },
  outdir: out,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "eof",
  logLevel: "warning",
});
copyFileSync(join(root, "studio/index.html"), join(out, "index.html"));
const { buildExperiments } = await tsImport("../site/studio.ts", import.meta.url);
await buildExperiments(join(out, "experiments"));
