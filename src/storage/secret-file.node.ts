/** Files that only their owner may read: tokens and keys. */
import { rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder, onDisk } from "./disk.node.ts";

/** Writes a secret in place of what is there, readable by its owner alone from the first byte on. Throws FileError for what the disk refuses. */
export const writeSecretFile = (path: string, text: string): Promise<void> =>
  onDisk(path, async () => {
    makeFolder(dirname(path));
    await rm(path, { force: true });
    await writeFile(path, text, { mode: 0o600, flag: "wx" });
  });
