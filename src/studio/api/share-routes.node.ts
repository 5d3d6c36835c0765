/** What the page asks to be saved: runs as one page of HTML. */
import type { Route } from "../http/routes.ts";
import { fileHeaders } from "../http/session.node.ts";
import { axes, type Drawing } from "../runs/curve.ts";
import type { RunLibrary } from "../runs/run-library.node.ts";
import { sharedPage } from "../share/shared-page.node.ts";

/** How curves are drawn, by the address; what it does not say as at first. */
const drawingOf = (query: URLSearchParams): Drawing => ({
  axis: axes.find((axis) => axis === query.get("axis")) ?? "step",
  smoothing: Math.min(0.999, Math.max(0, Number(query.get("smoothing")) || 0)),
  logarithmic: query.get("logarithmic") === "true",
});

/** The routes. The page is a file to be kept: no browser shows it here. */
export function shareRoutes(library: RunLibrary): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/api/page",
      async answer({ query }) {
        const html = await sharedPage(library, query.getAll("run"), drawingOf(query));
        const headers = { ...fileHeaders, "content-disposition": 'attachment; filename="runs.html"' };
        return { bytes: new TextEncoder().encode(html), type: "text/html; charset=utf-8", headers };
      },
    },
  ];
}
