/**
 * Makes the package that is published: npm run pack [-- FOLDER].
 *
 * It installs without a script, so that npm has none to warn of. What has one travels in it (`bundleDependencies`): onnxruntime-node without the
 * script by which it would fetch CUDA's libraries from another server, and without what only that script needs; tsx with its esbuild without the
 * script that makes its command start faster. esbuild's programs for each platform are optional packages of this one instead, since npm fetches
 * none of those that a bundled package lacks.
 */
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, checkNode, install, root, run } from "./prepare.mjs";

checkNode();
if (!install() || !build()) process.exit(1);

const modules = join(root, "node_modules");
/** Packages that travel without their scripts, and dependencies that only those need. */
const stripped = { "onnxruntime-node": ["adm-zip", "global-agent"], esbuild: [], tsx: [] };

/** Changes the package.json of a folder, and gives what writes it back. */
function rewrite(folder, change) {
  const path = join(folder, "package.json");
  const published = readFileSync(path);
  writeFileSync(path, `${JSON.stringify(change(JSON.parse(published.toString())), null, 2)}\n`);
  // npm looks at the packages themselves, and not at its own list of them, where a folder is newer than that.
  const { atime, mtime } = statSync(dirname(path));
  utimesSync(dirname(path), new Date(), new Date());
  return () => {
    writeFileSync(path, published);
    utimesSync(dirname(path), atime, mtime);
  };
}

const withoutScripts =
  (unneeded) =>
  ({ scripts: _, devDependencies: __, optionalDependencies: ___, dependencies = {}, ...manifest }) => ({
    ...manifest,
    dependencies: Object.fromEntries(Object.entries(dependencies).filter(([own]) => !unneeded.includes(own))),
  });

const undo = [];
try {
  const { optionalDependencies: programs } = JSON.parse(readFileSync(join(modules, "esbuild/package.json"), "utf8"));
  for (const [name, unneeded] of Object.entries(stripped))
    undo.push(rewrite(join(modules, name), withoutScripts(unneeded)));
  undo.push(
    rewrite(root, ({ optionalDependencies, ...manifest }) => ({
      ...manifest,
      optionalDependencies: { ...optionalDependencies, ...programs },
    })),
  );
  process.exitCode = run("npm", ["pack", "--pack-destination", process.argv[2] ?? "."]);
} finally {
  for (const back of undo.reverse()) back();
}
