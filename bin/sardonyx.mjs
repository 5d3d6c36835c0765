#!/usr/bin/env node
/** Runs the compiled command line. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = new URL("../dist/src/cli/main.js", import.meta.url);
if (Number(process.versions.node.split(".")[0]) < 20) {
  console.error(`sardonyx: this is Node ${process.versions.node}, Sardonyx needs Node 20 or newer; see nodejs.org`);
  process.exitCode = 2;
} else if (existsSync(fileURLToPath(main))) {
  process.exitCode = await (await import(main.href)).main(process.argv.slice(2));
} else {
  console.error("sardonyx: the compiled code (dist/) is missing; run: npm install && npm run build");
  process.exitCode = 2;
}
