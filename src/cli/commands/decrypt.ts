/** `sardonyx decrypt`: files and folders in the clear again. */
import { OptionError } from "../../core/errors.ts";
import { plainName } from "../../storage/ending.ts";
import { defineCommand, text } from "../command.ts";
import { copyAll } from "../copy-encrypted.ts";

export const command = defineCommand({
  arguments: [{ name: "PATH", description: "a file, or a folder such as a run: all files below it", variadic: true }],
  options: { out: text("PATH", "where to; default beside it, its name without .age") },
  examples: [
    ["sardonyx decrypt patients.csv.age --identity key.txt", "patients.csv"],
    [
      "sardonyx decrypt runs/iris --out plain --identity key.txt",
      "a run, for programs that read it, such as TensorBoard",
    ],
  ],
  async run({ arguments: paths, options: { out }, output }) {
    const placeOf = (path: string) => {
      const place = plainName(path.replace(/[\\/]+$/, ""));
      if (place !== path) return place;
      throw new OptionError(`${path} does not end with .age, so that its copy has no name; name it: --out PATH`);
    };
    await copyAll({ paths, out, to: undefined, placeOf }, output);
  },
});
