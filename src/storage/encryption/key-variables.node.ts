/** The variables of the environment that hold keys; processes and threads that this one starts have them too. */
import { delimiter } from "node:path";

/** Paths of identities, and a passphrase. */
export const keyVariables = { identity: "SARDONYX_IDENTITY", passphrase: "SARDONYX_PASSPHRASE" } as const;

/** The files that `SARDONYX_IDENTITY` names. */
export const identityFiles = (): readonly string[] =>
  (process.env[keyVariables.identity] ?? "").split(delimiter).filter((path) => path !== "");
