/** `sardonyx encrypt`: files and folders encrypted in the format of age. */
import { OptionError } from "../../core/errors.ts";
import { encryptTo } from "../../storage/encryption/recipients.node.ts";
import { encryptedEnding } from "../../storage/ending.ts";
import { defineCommand, text } from "../command.ts";
import { copyAll } from "../copy-encrypted.ts";
import { encryptToOption } from "../encryption.ts";

export const command = defineCommand({
  arguments: [
    {
      name: "PATH",
      description: "a file; or a folder, such as a run: all files below it, under their names",
      variadic: true,
    },
  ],
  options: {
    encryptTo: encryptToOption,
    out: text("PATH", "where to; default beside it, its name with .age"),
  },
  examples: [
    ["sardonyx encrypt patients.csv --encrypt-to age1…", "patients.csv.age, which train --data reads"],
    ["sardonyx encrypt photos --encrypt-to team.txt --out sealed", "a folder, for all whose keys team.txt lists"],
    ["sardonyx encrypt runs/iris --encrypt-to passphrase", "a run, opened by a passphrase"],
    ["sardonyx encrypt runs/a --out runs/b --encrypt-to age1…", "an encrypted run for another key, by its own"],
  ],
  async run({ arguments: paths, options: { encryptTo: to, out }, output }) {
    if (to === undefined)
      throw new OptionError(
        "say who may read it: --encrypt-to age1…, the public key that age-keygen prints, or --encrypt-to passphrase",
      );
    const placeOf = (path: string) => {
      if (!path.toLowerCase().endsWith(encryptedEnding)) return `${path.replace(/[\\/]+$/, "")}${encryptedEnding}`;
      throw new OptionError(`${path} ends with .age as what is encrypted does; name the copy: --out PATH`);
    };
    await copyAll({ paths, out, to: encryptTo(to), placeOf }, output);
    output.prose(
      "What it was made of is still there; where that is in the clear, remove it once the copy opens.",
      0,
      "soft",
    );
  },
});
