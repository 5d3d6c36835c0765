/** `sardonyx keygen`: an identity, as age-keygen makes one. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { OptionError } from "../../core/errors.ts";
import { encryptTo, newIdentity, sealedTo } from "../../storage/encryption/recipients.node.ts";
import { writeSecretFile } from "../../storage/secret-file.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { defineCommand } from "../command.ts";
import { encryptToOption } from "../encryption.ts";

export const command = defineCommand({
  arguments: [{ name: "FILE", description: "the file to write, which opens what is encrypted to it: keep it secret" }],
  options: { encryptTo: encryptToOption },
  examples: [
    ["sardonyx keygen key.txt", "prints the public key, age1…, to encrypt to"],
    ["sardonyx keygen key.age --encrypt-to passphrase", "a key that a passphrase opens"],
  ],
  async run({ arguments: [file = ""], options: { encryptTo: to }, output }) {
    const path = resolve(file);
    if (existsSync(path))
      throw new OptionError(
        `${shownPath(path)} is there already, and what it opens would be lost with it; name another file`,
      );
    const { recipient, text } = await newIdentity();
    await writeSecretFile(path, text, to === undefined ? undefined : sealedTo(encryptTo(to)));
    output.record("identity", { path, recipient });
    output.line(`Public key: ${recipient}`);
    output.prose(
      `Saved ${shownPath(path)}. Keep a copy where it is safe: without it, what is encrypted to it stays so.`,
      2,
    );
  },
});
