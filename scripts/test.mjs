/** `npm test`: installs and compiles what is missing, then lint, type check and every test; stops at the first failure. */
import { build, checkNode, install, run } from "./prepare.mjs";

checkNode();
const steps = [
  ["installation", install],
  ["build", build],
  ["lint", () => run("npx", ["biome", "check", "--error-on-warnings", "."]) === 0],
  ["type check", () => run("npx", ["tsc", "-p", "tsconfig.json", "--noEmit"]) === 0],
  ["tests", () => run("npx", ["vitest", "run", ...process.argv.slice(2)]) === 0],
];
for (const [name, step] of steps)
  if (!step()) {
    console.error(`npm test: failed at the ${name}.`);
    process.exit(1);
  }
