/** A new project made from a template: its files in a folder that is whole or not there. */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { packageRoot } from "../../runs/recipes/package.node.ts";
import { makeFolder, onDisk } from "../../storage/disk.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";

/** What is asked of packages, by name. */
type Packages = Readonly<Record<string, string>>;

/** What package.json of this package says that a project needs too. */
interface Manifest {
  readonly version: string;
  readonly dependencies: Packages;
  readonly devDependencies: Packages;
}

/** A kind of project: what npm runs in it, and the packages that it needs beside this one and TypeScript. */
interface Kind {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

/** A recipe that the command line trains. */
const recipe: Kind = {
  scripts: { train: "sardonyx train ./recipe.ts", test: "node --import tsx --test recipe.test.ts", check: "tsc" },
  dependencies: ["zod"],
  devDependencies: ["tsx", "@types/node"],
};

/** A page that trains by itself. */
const page: Kind = {
  scripts: { dev: "vite", build: "vite build", preview: "vite preview", check: "tsc" },
  dependencies: [],
  devDependencies: ["vite", "@types/node"],
};

/** What each template is for. */
export const templates = {
  custom: { summary: "a network of your own, on data of your own", kind: recipe },
  tabular: { summary: "a column of a table, predicted by the others", kind: recipe },
  images: { summary: "classes of images, from a folder for each class", kind: recipe },
  text: { summary: "classes of texts", kind: recipe },
  browser: { summary: "a page in which a network is trained", kind: page },
} as const satisfies Readonly<Record<string, { readonly summary: string; readonly kind: Kind }>>;
/** The name of a template. */
export type TemplateName = keyof typeof templates;

/** Names that npm would leave out of a package, as they stand in a template. */
const renamed: Readonly<Record<string, string>> = { _gitignore: ".gitignore", _npmrc: ".npmrc" };

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, "utf8")) as T;

/** The name of a package that a folder may have: small letters, digits, `-`, `_` and `.`. */
const packageName = (folder: string): string =>
  basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|-+$/g, "")
    .slice(0, 200) || "project";

/** How npm finds this very package: from where it was installed, from its folder, or by its version. */
function sourceOfPackage({ version }: Manifest): string {
  if (existsSync(join(packageRoot, "src"))) return `file:${packageRoot}`;
  const above = join(packageRoot, "../..", "package.json");
  const asked = existsSync(above) ? readJson<Partial<Manifest>>(above).dependencies?.["sardonyx"] : undefined;
  if (asked?.startsWith("file:")) return `file:${resolve(dirname(above), asked.slice("file:".length))}`;
  return `^${version}`;
}

/** Makes the folder of a project, and gives its path. Throws OptionError for one that is not empty, FileError for what the disk refuses. */
export function makeProject(folder: string, template: TemplateName): string {
  const path = resolve(folder);
  if (existsSync(path) && !(statSync(path).isDirectory() && readdirSync(path).length === 0))
    throw new OptionError(`${shownPath(path)} is not an empty folder; name one that is not there yet`);
  makeFolder(dirname(path));
  return onDisk(path, () => {
    const made = mkdtempSync(join(dirname(path), ".sardonyx-new-"));
    try {
      const source = join(packageRoot, "templates");
      for (const name of ["shared", template]) cpSync(join(source, name), made, { recursive: true });
      for (const [from, to] of Object.entries(renamed)) renameSync(join(made, from), join(made, to));
      const readme = join(made, "README.md");
      writeFileSync(readme, readFileSync(readme, "utf8").replace("NAME", basename(path)));
      writeFileSync(
        join(made, "package.json"),
        `${JSON.stringify(manifestOf(path, templates[template].kind), null, 2)}\n`,
      );
      if (existsSync(path)) rmdirSync(path);
      renameSync(made, path);
    } catch (error) {
      rmSync(made, { recursive: true, force: true });
      throw error;
    }
    return path;
  });
}

/** The package.json of a project; the versions of packages are those that this one is tested with. */
function manifestOf(path: string, { scripts, dependencies, devDependencies }: Kind) {
  const own = readJson<Manifest>(join(packageRoot, "package.json"));
  const known: Packages = { ...own.devDependencies, ...own.dependencies };
  const pick = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, known[name]]));
  return {
    name: packageName(path),
    private: true,
    type: "module",
    scripts,
    dependencies: { sardonyx: sourceOfPackage(own), ...pick(dependencies) },
    devDependencies: { ...pick(devDependencies), typescript: ">=5.4" },
  };
}
