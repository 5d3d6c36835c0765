/** What commands that listen are told on the command line: a certificate, and the tokens that clients show. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { FileError, OptionError } from "../core/errors.ts";
import { readBytes } from "../storage/atomic.node.ts";
import type { ListenPlace } from "../storage/listen.node.ts";
import { writeSecretFile } from "../storage/secret-file.node.ts";
import { shownPath } from "../storage/shown-path.node.ts";
import type { Output } from "./output.ts";

/** The tokens in a file, one on each line; one that is made where there is no file and `makes` says so. Throws FileError for tokens that are too short. */
export async function readTokens(file: string, makes: boolean, output: Output): Promise<readonly string[]> {
  const path = resolve(file);
  if (!existsSync(path) && makes) {
    await writeSecretFile(path, `${randomBytes(32).toString("hex")}\n`);
    output.line(`Made a token, which clients need: ${shownPath(path)}`);
  }
  const lines = new TextDecoder().decode(await readBytes(path, "--token-file")).split(/\r?\n/);
  const tokens = lines.map((line) => line.trim()).filter((line) => line !== "");
  const short = tokens.length === 0 ? "" : tokens.find((token) => token.length < 16);
  if (short !== undefined)
    throw new FileError(`${shownPath(path)} has a token of ${short.length} characters; take one of 16 or more`);
  return tokens;
}

/** The certificate and its key in PEM; none where neither is named. Throws OptionError for one without the other. */
export async function readCertificate(
  cert: string | undefined,
  key: string | undefined,
): Promise<NonNullable<ListenPlace["tls"]> | undefined> {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined)
    throw new OptionError("TLS takes a certificate and its key; pass both: --cert FILE --key FILE");
  return { cert: await readBytes(cert, "--cert"), key: await readBytes(key, "--key") };
}
