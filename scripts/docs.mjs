/** `npm run docs`: installs what is missing and writes the API reference into docs/reference/. */
import { checkNode, install, run } from "./prepare.mjs";

checkNode();
const folder = "docs/api";
const typedoc = () =>
  run(process.execPath, [`${folder}/node_modules/typedoc/bin/typedoc`, "--options", `${folder}/typedoc.config.mjs`]) ===
  0;
process.exitCode = install() && install(folder) && typedoc() ? 0 : 1;
