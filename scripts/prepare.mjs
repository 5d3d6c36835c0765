/** Installs and compiles what is missing or older than its sources. Plain Node, no dependencies. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const windows = process.platform === "win32";

/** Ends the process with a sentence when Node is too old. */
export function checkNode() {
  if (Number(process.versions.node.split(".")[0]) >= 20) return;
  console.error(`This is Node ${process.versions.node}, Sardonyx needs Node 20 or newer: https://nodejs.org`);
  process.exit(2);
}

/** Runs a command, by default with the terminal as ours, and gives its exit status. */
export function run(command, args, { stdio = "inherit", environment = {} } = {}) {
  // npm and npx are scripts on Windows, which only a shell starts.
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio,
    env: { ...process.env, ...environment },
    shell: windows,
  });
  if (error) console.error(`${command} cannot be started: ${error.message}`);
  return status ?? 1;
}

/** Standard output is kept for what comes after: it may be read by a program. */
const onErrorStream = { stdio: ["inherit", 2, "inherit"] };

export const timeOf = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** The latest change of a file below a folder, tests left out. */
function latestChange(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) latest = Math.max(latest, latestChange(path));
    else if (!entry.name.includes(".test.")) latest = Math.max(latest, timeOf(path));
  }
  return latest;
}

/** Installs the packages of a folder when they are missing or older than its lock file. Returns whether that went well. */
export function install(folder = ".") {
  const at = join(root, folder);
  if (timeOf(join(at, "node_modules/.package-lock.json")) >= timeOf(join(at, "package-lock.json"))) return true;
  console.error(`Installing the packages${folder === "." ? "" : ` of ${folder}`} (npm ci) …`);
  return run("npm", ["ci", "--prefix", folder, "--no-audit", "--no-fund"], onErrorStream) === 0;
}

/** Compiles, and builds the package for pages and the studio's page, when dist/ is missing or older than the sources. Returns whether that went well. */
export function build() {
  const sources = Math.max(
    latestChange(join(root, "src")),
    latestChange(join(root, "recipes")),
    latestChange(join(root, "studio")),
    latestChange(join(root, "site/depth")),
    latestChange(join(root, "site/shared")),
    timeOf(join(root, "site/studio.ts")),
    timeOf(join(root, "tsconfig.json")),
    timeOf(join(root, "tsconfig.build.json")),
    timeOf(join(root, "scripts/web.mjs")),
    timeOf(join(root, "scripts/studio.mjs")),
  );
  const dist = join(root, "dist");
  if (timeOf(join(dist, "src/cli/main.js")) >= sources) return true;
  console.error("Compiling (tsc) …");
  // Beside dist/, as deep (source maps are relative), then in its place: what is half compiled is never run, and what has no source any more is gone.
  const fresh = join(root, "dist.new");
  rmSync(fresh, { recursive: true, force: true });
  if (run("npx", ["tsc", "-p", "tsconfig.build.json", "--outDir", fresh], onErrorStream) !== 0) return false;
  for (const script of ["scripts/web.mjs", "scripts/studio.mjs"])
    if (run(process.execPath, [join(root, script), fresh], onErrorStream) !== 0) return false;
  rmSync(dist, { recursive: true, force: true });
  renameSync(fresh, dist);
  return true;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  checkNode();
  process.exitCode = install() && build() ? 0 : 1;
}
