/** The keys that a command is given. */
import { existsSync, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { identityFiles, keyVariables } from "../storage/encryption/key-variables.node.ts";
import { shownPath } from "../storage/shown-path.node.ts";
import { type Option, text } from "./command.ts";
import type { Output } from "./output.ts";

/** The option of every command, of whose values there may be several. */
export const identityOption: Option<string> = {
  ...text("FILE", "opens what is encrypted: an identity of age-keygen; default SARDONYX_IDENTITY"),
  repeats: true,
};

/** Takes identities for this process, and for those that it starts. Warns of files that others may read. */
export function useIdentities(given: readonly string[], output: Output): void {
  if (given.length > 0) process.env[keyVariables.identity] = given.map((path) => resolve(path)).join(delimiter);
  // Windows keeps permissions elsewhere.
  if (process.platform === "win32") return;
  for (const path of identityFiles())
    if (existsSync(path) && (statSync(path).mode & 0o077) !== 0)
      output.warn(`Note: others on this machine may read the identity ${shownPath(path)}; chmod 600 keeps it yours.`);
}
