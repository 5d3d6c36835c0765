/** What stands in the place of the graphics card in the entry for workers, which is one file and so has one engine. */
import { OptionError } from "../core/errors.ts";
import type { Backend } from "../runtime/session.ts";

export const backend: Backend = {
  device: "webgpu",
  memory: Number.POSITIVE_INFINITY,
  blocks: false,
  halfSums: "rounded",
  compile: () =>
    Promise.reject(
      new OptionError(
        'device "webgpu" is not in sardonyx/web/worker; import from "sardonyx/web" in the worker too (Vite then needs worker: { format: "es" }), or compute on "wasm"',
      ),
    ),
};
