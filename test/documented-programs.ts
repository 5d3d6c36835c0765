/** Programs in documents: what their comments say that they print, and whether they type-check. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** The lines that a program prints by its own comments: `console.log(…); // what is printed`. */
export const expectedLines = (code: string): (string | undefined)[] =>
  [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map((match) => match[1]);

/** What the compiler says, as strict as it is of the library, of the programs in a folder of the repository; "" where all is well. */
export function typeErrors(folder: string): string {
  const compilerOptions = { rootDir: join(folder, ".."), noEmit: true, paths: {} };
  const config = { extends: "../tsconfig.json", compilerOptions, include: ["*.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  return spawnSync("npx", ["tsc", "-p", folder], { encoding: "utf8" }).stdout;
}
