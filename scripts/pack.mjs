/**
 * Makes the package that is published: npm run pack [-- FOLDER].
 *
 * It installs without a script. onnxruntime-node travels in it (`bundleDependencies`), without the script by which it would fetch CUDA's
 * libraries from another server, and without what only that script needs.
 */
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, checkNode, install, root, run } from "./prepare.mjs";

checkNode();
if (!install() || !build()) process.exit(1);

const path = join(root, "node_modules/onnxruntime-node/package.json");
const published = readFileSync(path);
const { scripts: _, devDependencies: __, dependencies, ...manifest } = JSON.parse(published.toString());
const { "adm-zip": ___, "global-agent": ____, ...needed } = dependencies;
writeFileSync(path, `${JSON.stringify({ ...manifest, dependencies: needed }, null, 2)}\n`);
// npm looks at the packages themselves, and not at its own list of them, where a folder is newer than that.
const { atime, mtime } = statSync(dirname(path));
utimesSync(dirname(path), new Date(), new Date());
try {
  process.exitCode = run("npm", ["pack", "--pack-destination", process.argv[2] ?? "."]);
} finally {
  writeFileSync(path, published);
  utimesSync(dirname(path), atime, mtime);
}
