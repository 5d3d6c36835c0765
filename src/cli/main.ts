/** The program `sardonyx`: commands, their options and help from one table; messages and exit codes. */
import { CommanderError, Option as CommanderOption, Command as Program } from "commander";
import { InternalError, SardonyxError, unknownName } from "../core/errors.ts";
import { flagOf } from "../core/printable.ts";
import { version } from "../runs/recipes/package.node.ts";
import { Interrupted } from "../runs/training/interrupted.ts";
import { isSystemError } from "../storage/disk.node.ts";
import type { Command, OptionTable } from "./command.ts";
import { identityOption, useIdentities } from "./identity.ts";

import { honourNohup, statusOf } from "./interrupt.ts";
import { type Output, standardOutput } from "./output.ts";
import { EndedElsewhere, leaveRanks, outputOfRank, tellsMistake } from "./ranks.ts";

interface Listed {
  /** One sentence. */
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

/** The commands in the order of the help. What one needs is loaded when it is called: all of them together are a thousand modules. */
const commands: Readonly<Record<string, Listed>> = {
  train: {
    summary: "Train a recipe, test it and save what it learned",
    load: () => import("./commands/train.ts"),
  },
  eval: {
    summary: "Measure a run's model on its test data",
    load: () => import("./commands/eval.ts"),
  },
  predict: {
    summary: "Apply a run's model to new inputs: images, sounds, numbers, sentences",
    load: () => import("./commands/predict.ts"),
  },
  explain: {
    summary: "Show why a model predicts what it does: pixels, words, columns; and whether to believe it",
    load: () => import("./commands/explain.ts"),
  },
  generate: {
    summary: "Continue a text with a run's language model",
    load: () => import("./commands/generate.ts"),
  },
  embed: {
    summary: "Texts, images or sounds as vectors, whose cosines say how alike they are",
    load: () => import("./commands/embed.ts"),
  },
  serve: {
    summary: "Answer other programs over HTTP: Open Inference Protocol, OpenAI's, plain JSON",
    load: () => import("./commands/serve.ts"),
  },
  export: {
    summary: "Write a run's model as an ONNX or safetensors file",
    load: () => import("./commands/export.ts"),
  },
  merge: {
    summary: "Merge models of one architecture: mean, SLERP, task arithmetic, TIES, DARE",
    load: () => import("./commands/merge.ts"),
  },
  compress: {
    summary: "Prune a model, or quantize it to 8 or 4 bits, and measure what it costs",
    load: () => import("./commands/compress.ts"),
  },
  inspect: {
    summary: "Show how deep a network is, where its parameters are, and what it costs",
    load: () => import("./commands/inspect.ts"),
  },
  compare: {
    summary: "Show networks side by side: depth, parameters by kind, cost, memory",
    load: () => import("./commands/compare.ts"),
  },
  estimate: {
    summary: "Estimate the time and memory that training would take",
    load: () => import("./commands/estimate.ts"),
  },
  download: {
    summary: "Fetch a model of Hugging Face's hub into its cache, for every other command",
    load: () => import("./commands/download.ts"),
  },
  studio: {
    summary: "Open a page on which runs are looked at, compared and started",
    load: () => import("./commands/studio.ts"),
  },
  finetune: {
    summary: "Train a pretrained model on your own data",
    load: () => import("./commands/finetune.ts"),
  },
  data: {
    summary: "Profile data: types, missing values, duplicates, leaks, near-duplicates, an honest split",
    load: () => import("./commands/data.ts"),
  },
  keygen: {
    summary: "Make a key, as age-keygen does, that opens what is encrypted to it",
    load: () => import("./commands/keygen.ts"),
  },
  encrypt: {
    summary: "Encrypt files and folders, as age does: to public keys, or by a passphrase",
    load: () => import("./commands/encrypt.ts"),
  },
  decrypt: {
    summary: "Decrypt files and folders that this program or age encrypted",
    load: () => import("./commands/decrypt.ts"),
  },
  new: {
    summary: "Make a project of your own that runs: a typed recipe, data, a test",
    load: () => import("./commands/new.ts"),
  },
  devices: {
    summary: "List where graphs can be computed here, with measured rates",
    load: () => import("./commands/devices.ts"),
  },
  federate: {
    summary: "Learn from data that stay with several clients: coordinate, take part, or simulate",
    load: () => import("./commands/federate.ts"),
  },
  recipes: {
    summary: "List the built-in recipes with their default settings",
    load: () => import("./commands/recipes.ts"),
  },
};

/** What the exit status means; that of an interruption is in interrupt.ts. */
const exitCodes = { done: 0, defect: 1, mistake: 2 } as const;

const exitHelp = `
Exit status: 0 done; 2 a mistake in the input, reported in one sentence;
130, 143 or 129 stopped by Ctrl-C, kill or a closed terminal, after saving;
1 a defect of Sardonyx.`;

/** Runs a command line (without node and script) and returns the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const output = outputOfRank(standardOutput(args.includes("--json")), textsOf(args, ["rankLogs"])["rankLogs"]);
  honourNohup();
  let taken: string | undefined;
  try {
    const [name = ""] = args;
    // Commander would answer --help with the help of all commands, as if the name were none.
    if (name !== "" && !name.startsWith("-") && !Object.hasOwn(commands, name))
      throw unknownName("command", name, Object.keys(commands));
    useIdentities(valuesOf(args, "identity"), output);
    const called = await calledBy(args);
    taken = called?.taken;
    const program = buildProgram(output, called, args);
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: "user" });
    await leaveRanks(exitCodes.done);
    return exitCodes.done;
  } catch (error) {
    const status = report(error, (await tellsMistake(error)) ? standardOutput(output.json) : output, taken);
    await leaveRanks(status, error);
    return status;
  }
}

/** A command that is called. */
interface Called {
  readonly name: string;
  readonly command: Command;
  /** What stands for its first argument, which was not given. */
  readonly taken?: string | undefined;
}

/** The command that is called, with the options that come with its first argument. */
async function calledBy([name = "", ...args]: readonly string[]): Promise<Called | undefined> {
  if (!Object.hasOwn(commands, name)) return undefined;
  const { command } = await (commands[name] as Listed).load();
  const { optionsOf, unnamed, options, namedBy = 0 } = command;
  if (!optionsOf) return { name, command };
  const own = await unnamed?.argument(textsOf(args, unnamed.options));
  const known = own === undefined ? options : { ...options, ...(await optionsOf(own)) };
  // Where data say which recipe it is, what follows an option that this recipe does not have is no other recipe.
  const argument = argumentAt(namedBy, args, known, { afterUnknown: own === undefined }) ?? own;
  if (argument === undefined) return { name, command };
  const taken = argument === own ? own : undefined;
  return { name, command: { ...command, options: { ...(await optionsOf(argument)), ...options } }, taken };
}

/** What is given to some options, as it is written. */
function textsOf(args: readonly string[], names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const given = valuesOf(args, name).at(-1);
      return given === undefined ? [] : [[name, given]];
    }),
  );
}

/** What is given to an option, each time that it is. */
function valuesOf(args: readonly string[], name: string): readonly string[] {
  const flag = flagOf(name);
  return args.flatMap((arg, i) => {
    const given = arg === flag ? args[i + 1] : arg.startsWith(`${flag}=`) ? arg.slice(flag.length + 1) : undefined;
    return given === undefined ? [] : [given];
  });
}

/** One of the arguments that are neither an option nor an option's value, by its place; what follows options that nobody knows counts where it may. */
function argumentAt(
  place: number,
  args: readonly string[],
  options: OptionTable,
  { afterUnknown }: { readonly afterUnknown: boolean },
): string | undefined {
  const all = { ...options, identity: identityOption };
  const known = new Map(Object.entries(all).map(([name, { placeholder }]) => [flagOf(name), placeholder]));
  known.set("--json", undefined);
  const isValue = (before = ""): boolean => {
    if (known.has(before)) return known.get(before) !== undefined;
    return !afterUnknown && before.startsWith("--") && !before.includes("=");
  };
  return args.filter((arg, i) => !arg.startsWith("-") && !isValue(args[i - 1]))[place];
}

function buildProgram(output: Output, called: Called | undefined, line: readonly string[]): Program {
  const program = new Program("sardonyx")
    .description("Trains, inspects and compares deep-learning models, on ONNX Runtime.")
    .version(version())
    .helpCommand(false)
    .addHelpText("after", `${exitHelp}\n\nBegin with: sardonyx train lenet-mnist`);
  strict(program);
  for (const [name, { summary }] of Object.entries(commands)) {
    const sub = program.command(name).summary(summary).description(summary);
    strict(sub);
    if (called?.name === name) define(sub, called.command, output, line);
  }
  return program;
}

/** Gives a command its arguments, options, examples and action. */
function define(sub: Program, command: Command, output: Output, line: readonly string[]): void {
  for (const { name, description, variadic, optional } of command.arguments) {
    const shown = variadic ? `${name}...` : name;
    sub.argument(optional ? `[${shown}]` : `<${shown}>`, description);
  }
  for (const [name, { placeholder, description, parse, repeats }] of Object.entries({
    ...command.options,
    identity: identityOption,
  })) {
    const flag = flagOf(name);
    const option = new CommanderOption(placeholder ? `${flag} <${placeholder}>` : flag, description);
    const parsed = (value: string, before: unknown) =>
      repeats && before !== undefined ? `${before},${parse(value, flag)}` : parse(value, flag);
    sub.addOption(placeholder ? option.argParser(parsed) : option);
  }
  sub.option("--json", "print JSON lines, one a record, and nothing else on standard output");
  const width = Math.max(...command.examples.map(([example]) => example.length)) + 2;
  const examples = command.examples.map(([example, meaning]) =>
    width + meaning.length > 76 ? `  ${example}\n      ${meaning}` : `  ${example.padEnd(width)}${meaning}`,
  );
  sub.addHelpText("after", `\nExamples:\n${examples.join("\n")}`);
  sub.action((...given: unknown[]) => {
    const operands = given.slice(0, command.arguments.length).flat() as string[];
    const { json: _, identity: __, ...options } = sub.opts();
    return command.run({ arguments: operands, options, output, line });
  });
}

/** Mistakes come back as exceptions instead of ending the process. */
function strict(program: Program): void {
  program.exitOverride().configureOutput({ writeErr: () => undefined, outputError: () => undefined });
  program.configureHelp({ helpWidth: 80 }).allowExcessArguments(false).showSuggestionAfterError(true);
}

/** Reports an error in the way its kind deserves, and returns the exit status. @param taken recipe that data were taken to be for */
function report(error: unknown, output: Output, taken?: string): number {
  if (error instanceof Interrupted) return statusOf(error.cause);
  if (error instanceof EndedElsewhere) return error.status;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.done;
    const sentence = error.message
      .replace(/^error: /, "")
      .replace(/\n\(Did you mean (.*)\?\)/s, '; did you mean "$1"?');
    const whose = taken === undefined ? "" : ` (the data are taken for those of the recipe ${taken})`;
    return mistake(output, "USAGE", `${sentence}${whose}${sentence.endsWith("?") ? "" : ";"} see: sardonyx --help`);
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
  output.warn(`sardonyx: ${message} [${code}]`, "bad");
  return exitCodes.mistake;
}
