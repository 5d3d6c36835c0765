/** `sardonyx new`: a project that runs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { command as shell } from "../../core/printable.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { defineCommand, oneOf } from "../command.ts";
import { makeProject, type TemplateName, templates } from "../new/project.ts";

const names = Object.keys(templates) as TemplateName[];

export const command = defineCommand({
  arguments: [{ name: "FOLDER", description: "the folder of the project, which is made" }],
  options: {
    template: oneOf("what it begins with; default custom", names),
  },
  examples: [
    ["sardonyx new my-project", templates.custom.summary],
    ...names
      .filter((name) => name !== "custom")
      .map((name) => [`sardonyx new my-${name} --template ${name}`, templates[name].summary] as const),
  ],
  async run({ arguments: [folder = ""], options, output }) {
    const template = (options.template ?? "custom") as TemplateName;
    const path = makeProject(folder, template);
    const shown = shownPath(path);
    output.record("project", { folder: path, template });
    output.prose(`Made ${shown}: ${templates[template].summary}.`);
    output.line();
    output.line(`  ${shell`cd ${shown}`}`);
    const readme = readFileSync(join(path, "README.md"), "utf8");
    for (const line of /```sh\n([\s\S]*?)```/.exec(readme)?.[1]?.trimEnd().split("\n") ?? []) output.line(`  ${line}`);
  },
});
