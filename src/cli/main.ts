/** The program `sardonyx`: commands, their options and help from one table; messages and exit codes. */
import { CommanderError, Option as CommanderOption, Command as Program } from "commander";
import { InternalError, SardonyxError } from "../core/errors.ts";
import { version } from "../runs/recipes/package.node.ts";
import { Interrupted } from "../runs/training/interrupted.ts";
import { isSystemError } from "../storage/disk.node.ts";
import { type Command, flagOf, type OptionTable } from "./command.ts";
import { command as compareCommand } from "./commands/compare.ts";
import { command as downloadCommand } from "./commands/download.ts";
import { command as embedCommand } from "./commands/embed.ts";
import { command as estimateCommand } from "./commands/estimate.ts";
import { command as evalCommand } from "./commands/eval.ts";
import { command as exportCommand } from "./commands/export.ts";
import { command as finetuneCommand } from "./commands/finetune.ts";
import { command as generateCommand } from "./commands/generate.ts";
import { command as inspectCommand } from "./commands/inspect.ts";
import { command as predictCommand } from "./commands/predict.ts";
import { command as recipesCommand } from "./commands/recipes.ts";
import { command as trainCommand } from "./commands/train.ts";
import { honourNohup, statusOf } from "./interrupt.ts";
import { type Output, standardOutput } from "./output.ts";

export const commands: readonly Command[] = [
  trainCommand,
  evalCommand,
  predictCommand,
  generateCommand,
  embedCommand,
  exportCommand,
  inspectCommand,
  compareCommand,
  estimateCommand,
  downloadCommand,
  finetuneCommand,
  recipesCommand,
];

/** What the exit status means; that of an interruption is in interrupt.ts. */
const exitCodes = { done: 0, defect: 1, mistake: 2 } as const;

const exitHelp = `
Exit status: 0 done; 2 a mistake in the input, reported in one sentence;
130, 143 or 129 stopped by Ctrl-C, kill or a closed terminal, after saving;
1 a defect of Sardonyx.`;

/** Runs a command line (without node and script) and returns the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const output = standardOutput(args.includes("--json"));
  honourNohup();
  try {
    const program = buildProgram(output, await withOwnOptions(args));
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: "user" });
    return exitCodes.done;
  } catch (error) {
    return report(error, output);
  }
}

/** The commands, the one that is called with the options that come with its first argument. */
async function withOwnOptions([name, ...args]: readonly string[]): Promise<readonly Command[]> {
  const called = commands.find((command) => command.name === name);
  const argument = called?.optionsOf && firstArgument(args, called.options);
  if (!called?.optionsOf || argument === undefined) return commands;
  const options = { ...(await called.optionsOf(argument)), ...called.options };
  return commands.map((command) => (command === called ? { ...command, options } : command));
}

/** The first of the arguments that is neither an option nor an option's value. */
function firstArgument(args: readonly string[], options: OptionTable): string | undefined {
  const takesValue = new Set(
    Object.entries(options).flatMap(([name, { placeholder }]) => (placeholder ? [flagOf(name)] : [])),
  );
  return args.find((arg, i) => !arg.startsWith("-") && !takesValue.has(args[i - 1] ?? ""));
}

function buildProgram(output: Output, known: readonly Command[]): Program {
  const program = new Program("sardonyx")
    .description("Trains, inspects and compares deep-learning models, on ONNX Runtime.")
    .version(version())
    .helpCommand(false)
    .addHelpText("after", `${exitHelp}\n\nBegin with: sardonyx train lenet-mnist`);
  strict(program);
  for (const command of known) {
    const sub = program.command(command.name).summary(command.summary).description(command.summary);
    strict(sub);
    for (const { name, description, variadic, optional } of command.arguments) {
      const shown = variadic ? `${name}...` : name;
      sub.argument(optional ? `[${shown}]` : `<${shown}>`, description);
    }
    for (const [name, { placeholder, description, parse }] of Object.entries(command.options)) {
      const flag = flagOf(name);
      const option = new CommanderOption(placeholder ? `${flag} <${placeholder}>` : flag, description);
      sub.addOption(placeholder ? option.argParser((value: string) => parse(value, flag)) : option);
    }
    sub.option("--json", "print JSON lines, one a record, and nothing else on standard output");
    const width = Math.max(...command.examples.map(([line]) => line.length)) + 2;
    const examples = command.examples.map(([line, meaning]) =>
      width + meaning.length > 76 ? `  ${line}\n      ${meaning}` : `  ${line.padEnd(width)}${meaning}`,
    );
    sub.addHelpText("after", `\nExamples:\n${examples.join("\n")}`);
    sub.action((...given: unknown[]) => {
      const operands = given.slice(0, command.arguments.length).flat() as string[];
      const { json: _, ...options } = sub.opts();
      return command.run({ arguments: operands, options, output });
    });
  }
  return program;
}

/** Mistakes come back as exceptions instead of ending the process. */
function strict(program: Program): void {
  program.exitOverride().configureOutput({ writeErr: () => undefined, outputError: () => undefined });
  program.configureHelp({ helpWidth: 80 }).allowExcessArguments(false).showSuggestionAfterError(true);
}

/** Reports an error in the way its kind deserves, and returns the exit status. */
function report(error: unknown, output: Output): number {
  if (error instanceof Interrupted) return statusOf(error.cause);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.done;
    const sentence = error.message
      .replace(/^error: /, "")
      .replace(/\n\(Did you mean (.*)\?\)/s, '; did you mean "$1"?');
    return mistake(output, "USAGE", `${sentence}${sentence.endsWith("?") ? "" : ";"} see: sardonyx --help`);
  }
  if (error instanceof SardonyxError && !(error instanceof InternalError))
    return mistake(output, error.code, error.message);
  if (isSystemError(error)) return mistake(output, "FILE", refused(error));
  const stack = error instanceof Error ? error.stack : String(error);
  output.record("error", { code: "DEFECT", message: String(error) });
  output.warn(`This should not happen: a defect of Sardonyx, or of your own recipe.\n${stack}`);
  return exitCodes.defect;
}

/** What the operating system refused, where nobody said it better. */
const refused = ({ path, syscall, message }: Error & { readonly path?: string; readonly syscall: string }): string =>
  `${path ?? syscall}: the system refused it (${message}); check the path, its permissions and the space on the disk`;

function mistake(output: Output, code: string, message: string): number {
  output.record("error", { code, message });
  output.warn(`sardonyx: ${message} [${code}]`);
  return exitCodes.mistake;
}
