/** How TypeDoc makes the API reference of the package's entry points. */
import { spawnSync } from "node:child_process";
import { subjects } from "./subjects.mjs";

/** Where the sources lie, that names may link to them; a clone of a folder has no such place. */
const origin = spawnSync("git", ["remote", "get-url", "origin"], { encoding: "utf8" }).stdout ?? "";

export default {
  name: "Sardonyx",
  entryPoints: ["../../src/index.ts", "../../src/node.ts", "../../src/web/index.ts", "../../src/analyze/index.ts"],
  tsconfig: "tsconfig.json",
  plugin: ["./subjects.mjs"],
  out: "../reference",
  readme: "home.md",
  categoryOrder: Object.keys(subjects),
  // What a reader calls comes before the types that it takes and gives.
  kindSortOrder: ["Namespace", "Function", "Class", "Variable", "Interface", "TypeAlias"],
  navigation: { includeCategories: true },
  excludePrivate: true,
  disableSources: !/^(https?:|git@|ssh:)/.test(origin),
  treatWarningsAsErrors: true,
  // Public types refer to many that a reader never writes: parts of models, schemas behind types, what the engine is made of.
  validation: { notExported: false },
};
