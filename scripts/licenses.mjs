/**
 * The licences of what Sardonyx needs at run time, from the lock file: npm run licenses. Ends with 1 for a licence that is not among those
 * that may be passed on with a program under MIT.
 */
import { readFileSync } from "node:fs";

/** Licences that ask for no more than to be named (SPDX identifiers). */
const permissive = [
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "ISC",
  "MIT",
  "MIT-0",
  "Unlicense",
];

/** Libraries under another licence, loaded as they are, that whoever installs may leave out (`--omit=optional`). */
const optional = ["LGPL-3.0-or-later"];

const { packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"));
const needed = Object.entries(packages).filter(
  ([path, { dev, devOptional, peer }]) => path !== "" && !dev && !devOptional && !peer,
);

/** Whether an expression (SPDX, annex D) of a package is allowed. */
function isAllowed(expression, known) {
  return expression
    .replace(/[()]/g, "")
    .split(/ or /i)
    .some((choice) => choice.split(" AND ").every((one) => known.includes(one.trim())));
}

const rows = needed.map(([path, { version, license = "none", optional: isOptional = false }]) => {
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  return {
    name,
    version,
    license,
    isOptional,
    ok: isAllowed(license, isOptional ? [...permissive, ...optional] : permissive),
  };
});
const widest = (of) => Math.max(...rows.map((row) => of(row).length));
const [names, versions] = [widest(({ name }) => name), widest(({ version }) => version)];
for (const { name, version, license, isOptional, ok } of rows.sort((a, b) => (a.name < b.name ? -1 : 1)))
  console.log(
    `${name.padEnd(names)}  ${version.padEnd(versions)}  ${license}${isOptional ? " (optional)" : ""}${ok ? "" : "  NOT ALLOWED"}`,
  );
const bad = rows.filter(({ ok }) => !ok);
console.log(`${rows.length} packages, ${bad.length} under a licence that is not allowed`);
process.exitCode = bad.length === 0 ? 0 : 1;
