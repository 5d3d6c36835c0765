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

/** The parts of a path that vary, where it is of a pattern; both are split at their slashes. */
function partsOf(pattern: readonly string[], path: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (pattern.length !== path.length) return undefined;
  if (!pattern.every((name, i) => name === path[i] || (name.startsWith(":") && path[i] !== ""))) return undefined;
  const parts: Record<string, string> = {};
  for (const [i, name] of pattern.entries()) if (name.startsWith(":")) parts[name.slice(1)] = decoded(path[i] ?? "");
  return parts;
}

/** Finds the route of a method and a path. What it gives throws HttpError where there is none. */
export function routerOf(routes: readonly Route[]): (method: string, path: string) => Found {
  const patterns = routes.map((route) => ({ route, pattern: route.path.split("/") }));
  return (method, path) => {
    const given = (path.length > 1 ? path.replace(/\/$/, "") : path).split("/");
    const found = patterns.flatMap(({ route, pattern }) => {
      const parts = partsOf(pattern, given);
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
  };
}
