/** Which route a request is for. */

import type { Route } from "./exchange.ts";
import { HttpError } from "./http-error.ts";

/** A route, and the parts of its path that vary. */
export interface Found {
  readonly route: Route;
  readonly parts: Readonly<Record<string, string>>;
}

/** A part of a path as text. Throws HttpError for percent signs that stand for nothing. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpError(400, "the path has a percent sign that stands for no character; write it as %25");
  }
}

function partsOf(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== given.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [i, name] of wanted.entries()) {
    const part = given[i] ?? "";
    if (name.startsWith(":") && part !== "") parts[name.slice(1)] = decoded(part);
    else if (name !== part) return undefined;
  }
  return parts;
}

/** The route of a method and a path. Throws HttpError where there is none. */
export function findRoute(routes: readonly Route[], method: string, path: string): Found {
  const trimmed = path.length > 1 ? path.replace(/\/$/, "") : path;
  const found = routes.flatMap((route) => {
    const parts = partsOf(route.path, trimmed);
    return parts ? [{ route, parts }] : [];
  });
  const own = found.find(({ route }) => route.method === method || (route.method === "GET" && method === "HEAD"));
  if (own) return own;
  const methods = found.map(({ route }) => route.method);
  if (methods.length > 0)
    throw new HttpError(405, `this address takes ${methods.join(" and ")}, got ${method.slice(0, 20)}`, {
      allow: methods.join(", "),
    });
  throw new HttpError(404, "there is nothing at this address; GET / lists what there is");
}
