/** Which route a request is for, and what is said of the others. */
import { expect, test } from "vitest";
import type { Route } from "./exchange.ts";
import { routerOf } from "./router.ts";

const route = (method: Route["method"], path: string): Route => ({
  ...{ method, path, refusal: () => "" },
  handle: async () => ({ status: 200, body: "" }),
});
const routes = [route("GET", "/"), route("GET", "/v2/models/:model"), route("POST", "/v2/models/:model/infer")];
const findRoute = routerOf(routes);

test("parts that vary are read, percent signs decoded", () => {
  expect(findRoute("POST", "/v2/models/a%20b/infer")).toEqual({ route: routes[2], parts: { model: "a b" } });
  expect(findRoute("HEAD", "/v2/models/x/").route).toBe(routes[1]);
  expect(findRoute("GET", "/").parts).toEqual({});
});

test.each([
  ["GET", "/v2/models/x/infer", 405, "this address takes POST, got GET"],
  ["GET", "/v2/models/", 404, "GET / lists what there is"],
  ["GET", "/v2/models//infer", 404, "GET / lists what there is"],
  ["POST", "/v2/models/%ZZ/infer", 400, "write it as %25"],
])("%s %s is refused with %i", (method, path, status, message) => {
  expect(() => findRoute(method, path)).toThrow(
    expect.objectContaining({ status, message: expect.stringContaining(message) }),
  );
});
