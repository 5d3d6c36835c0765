/**
 * The engine's files, carried in modules, so that no bundler has to find them beside what it writes. `scripts/web.mjs` puts this in place
 * of `onnxruntime-web` where it builds `dist/web/`.
 */
import { OptionError } from "../core/errors.ts";
import type { OrtModule } from "../runtime/ort.ts";
import { gunzip } from "../storage/gzip.ts";

/** The two files that a build of onnxruntime-web loads beside itself. */
export interface EngineFiles {
  /** The text of the module that starts the WebAssembly, also in each of its threads. */
  readonly loader: string;
  /** The WebAssembly, packed by gzip, in base64. */
  readonly binary: string;
}

/** What is set of onnxruntime-web before its first session. */
interface EngineSettings {
  readonly wasm: { wasmBinary?: ArrayBufferLike | Uint8Array | undefined; wasmPaths?: unknown };
}

function fromBase64(text: string): Uint8Array {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/**
 * The sessions of a build of onnxruntime-web, which are given its files before the first of them. Each refuses with OptionError where the
 * page may not run the engine, and outside a browser.
 */
export function withEngineFiles(
  { env, InferenceSession }: Pick<OrtModule, "InferenceSession"> & { readonly env: EngineSettings },
  { loader, binary }: EngineFiles,
): OrtModule["InferenceSession"] {
  let installed: Promise<void> | undefined;
  const install = async () => {
    if (typeof document === "undefined" && !("WorkerGlobalScope" in globalThis))
      throw new OptionError('sardonyx/web computes in browsers; in Node import from "sardonyx"');
    env.wasm.wasmBinary = await gunzip(fromBase64(binary), "the engine");
    // Threads load it too, so it stays.
    env.wasm.wasmPaths = { mjs: URL.createObjectURL(new Blob([loader], { type: "text/javascript" })) };
  };
  return {
    async create(model, options) {
      installed ??= install();
      await installed;
      try {
        const session = await InferenceSession.create(model, options);
        // The engine runs, and needs its file no more.
        env.wasm.wasmBinary = undefined;
        return session;
      } catch (cause) {
        const words = cause instanceof Error ? cause.message : String(cause);
        if (!/no available backend|dynamically imported module|wasm-unsafe-eval|CompileError/i.test(words)) throw cause;
        throw new OptionError(
          `the engine does not start in this page (${words}); where the page has a Content-Security-Policy, let script-src have blob: and 'wasm-unsafe-eval', and worker-src blob:`,
          { cause },
        );
      }
    },
  };
}
