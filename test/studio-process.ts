/** A studio as people start it, by its command, and requests to it as no browser would send them: for tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";

/** The command line. */
export const program = fileURLToPath(new URL("../bin/sardonyx.mjs", import.meta.url));

/** What is sent. */
export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A studio that runs. */
export interface StudioProcess {
  readonly child: ChildProcess;
  readonly url: URL;
  readonly token: string;
  /** Its exit status, once it has ended. */
  readonly ended: Promise<number | null>;
  readonly ask: (
    path: string,
    asked?: Asked,
  ) => Promise<{ status: number; headers: Readonly<Record<string, unknown>>; text: string }>;
  /** Sends JSON. */
  readonly post: (path: string, body: unknown, headers?: Asked["headers"]) => ReturnType<StudioProcess["ask"]>;
}

/** Starts a studio of a folder, on any port, with variables of its environment beside ours. */
export async function startStudio(
  root: string,
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<StudioProcess> {
  const child = spawn(process.execPath, [program, "studio", root, "--port", "0", "--json"], {
    cwd: folder,
    env: { ...process.env, ...environment },
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let printed = "";
  const url = await new Promise<URL>((resolve) =>
    child.stdout.on("data", (data) => {
      printed += data;
      const [, address] = /"url":"([^"]+)"/.exec(printed) ?? [];
      if (address) resolve(new URL(address));
    }),
  );
  const token = url.searchParams.get("token") ?? "";
  const ask: StudioProcess["ask"] = (path, { method = "GET", headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          ...{ host: "127.0.0.1", port: url.port, path, method },
          headers: { authorization: `Bearer ${token}`, ...headers },
          // A connection that is kept may have been closed meanwhile, where a test waits for a command.
          agent: false,
        },
        (response) => {
          let text = "";
          response.on("data", (data) => {
            text += data;
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        },
      );
      sent.on("error", reject);
      sent.end(body);
    });
  const post: StudioProcess["post"] = (path, body, headers = {}) =>
    ask(path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  return { child, url, token, ended, ask, post };
}

/** The studio's page in English, and what its scripts have failed with so far. */
export async function openStudioPage(
  browser: Browser,
  { url }: Pick<StudioProcess, "url">,
  width = 1280,
): Promise<{ readonly page: Page; readonly wrong: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, locale: "en-US" });
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  await page.goto(url.href);
  return { page, wrong };
}
