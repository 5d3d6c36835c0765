/** The files of the pages: the studio's own, its experiments, and the package for pages that these compute by. */
import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FileError } from "../../core/errors.ts";
import { HttpError } from "../../serve/http-error.ts";
import type { Answered } from "./routes.ts";
import { computingHeaders, pageHeaders } from "./session.node.ts";

/** The first of some places, seen from the compiled module and from its source, that is there. */
export const placeOf = (...places: readonly string[]): string | undefined =>
  places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path));

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

/** Where compiled code lies; `scripts/studio.mjs` and `scripts/web.mjs` build what is served of it. */
const built = placeOf("../../../dist", "../../../../dist");

/** Folders that are served, by how addresses in them begin, and what their files may do. No other is. */
const folders: readonly (readonly [begin: string, folder: string, headers: Readonly<Record<string, string>>])[] = [
  ["/experiments/", "studio/experiments", computingHeaders],
  ["/web/parts/", "web/parts", computingHeaders],
  ["/web/", "web", computingHeaders],
  ["/", "studio", pageHeaders],
];

/** A file of a page. Throws HttpError for what is none. */
export function assetOf(path: string): Answered {
  if (built === undefined || !existsSync(join(built, "studio/index.html")))
    throw new FileError("the studio's page is not built; run: npm run build");
  const [begin = "/", folder = "studio", headers = pageHeaders] = folders.find(([own]) => path.startsWith(own)) ?? [];
  const name = path === "/" ? "index.html" : path.slice(begin.length);
  const place = join(built, folder, name);
  const type = types[extname(name)];
  // Names without folders: what is one lies directly in its folder.
  if (!/^[\w-]+(\.web)?\.\w+$/.test(name) || !type || !existsSync(place))
    throw new HttpError(404, `the studio has no ${path.slice(0, 100)}`);
  return { bytes: readFileSync(place), type, headers };
}
