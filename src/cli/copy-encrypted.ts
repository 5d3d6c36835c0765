/** Encrypted and decrypted copies as a person asks for them. */
import { resolve } from "node:path";
import { OptionError } from "../core/errors.ts";
import { plural } from "../core/number-text.ts";
import { Interrupted } from "../runs/training/interrupted.ts";
import { copyEncrypted } from "../storage/encryption/encrypted-copy.node.ts";
import type { EncryptTo } from "../storage/encryption/recipients.node.ts";
import { shownPath } from "../storage/shown-path.node.ts";
import { onInterrupt } from "./interrupt.ts";
import type { Output } from "./output.ts";

/** What is copied, and how. */
export interface AskedCopies {
  readonly paths: readonly string[];
  readonly out: string | undefined;
  /** To whom; `undefined` decrypts. */
  readonly to: EncryptTo | undefined;
  /** Where a copy goes that nobody said. Throws OptionError where that is not clear. */
  placeOf(path: string): string;
}

/** Copies one after the other. Throws Interrupted where a signal ends it, with nothing half written. */
export async function copyAll({ paths, out, to, placeOf }: AskedCopies, output: Output): Promise<void> {
  if (out !== undefined && paths.length > 1)
    throw new OptionError(`--out names one copy, and there are ${paths.length}; leave it out, or copy one at a time`);
  const interruption = onInterrupt(() => output.warn("\nStopping; what is not whole is not kept."));
  const { signal } = interruption;
  try {
    for (const path of paths) {
      const copied = await copyEncrypted(resolve(path), { to, signal, out: resolve(out ?? placeOf(path)) });
      output.record(to ? "encrypted" : "decrypted", { path: resolve(path), ...copied });
      const what = copied.files === 1 ? "" : `${plural(copied.files, "file")}, `;
      output.line(
        `${to ? "Encrypted" : "Decrypted"}: ${shownPath(copied.out)} (${what}${plural(copied.bytes, "byte")})`,
        "good",
      );
    }
  } catch (error) {
    if (signal.aborted) throw new Interrupted("the copy", { cause: signal.reason });
    throw error;
  } finally {
    interruption.release();
  }
}
