/** `npm test`: installs and compiles what is missing, then lint, type check and every test; stops at the first failure. */
import { build, checkNode, install, run } from "./prepare.mjs";

/** Installs what only some tests need, which are skipped without it. */
function installOptional(folder, what) {
  if (!install(folder)) console.error(`${what} cannot be installed; the tests that need them are skipped.`);
  return true;
}

checkNode();
const chosen = process.argv.slice(2);
const vitest =
  chosen.length > 0
    ? [["tests", () => run("npx", ["vitest", "run", ...chosen]) === 0]]
    : [
        // Two files at a time fill two cores: more threads in each would only get in each other's way.
        [
          "tests",
          () =>
            run("npx", ["vitest", "run", "--exclude", "test/timed/**"], { environment: { OMP_NUM_THREADS: "1" } }) ===
            0,
        ],
        // Alone, since they measure.
        ["timed tests", () => run("npx", ["vitest", "run", "test/timed"]) === 0],
      ];
const steps = [
  ["installation", install],
  ["installation of published models", () => installOptional("test/published", "The published models")],
  ["installation of bundlers", () => installOptional("test/bundlers", "webpack and Rollup")],
  ["build", build],
  ["lint", () => run("npx", ["biome", "check", "--error-on-warnings", "."]) === 0],
  ["type check", () => run("npx", ["tsc", "-p", "tsconfig.json", "--noEmit"]) === 0],
  ...vitest,
];
for (const [name, step] of steps)
  if (!step()) {
    console.error(`npm test: failed at the ${name}.`);
    process.exit(1);
  }
