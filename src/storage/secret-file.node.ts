/** Files that only their owner may read: tokens and keys. */
import { rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder, onDisk } from "./disk.node.ts";
import { recipientsAt } from "./encryption/recipients.node.ts";
import { type SealedTo, sealed } from "./encryption/sealer.node.ts";

/** Writes a secret in place of what is there, readable by its owner alone from the first byte on, encrypted to the recipients of its folder. Throws FileError for what the disk refuses. */
export const writeSecretFile = (path: string, text: string, to?: SealedTo): Promise<void> =>
  onDisk(path, async () => {
    makeFolder(dirname(path));
    const content = await sealed(to ?? recipientsAt(path), text);
    await rm(path, { force: true });
    await writeFile(path, content, { mode: 0o600, flag: "wx" });
  });
