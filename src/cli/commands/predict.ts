/** `sardonyx predict`: what a run's model predicts for new inputs. */

import { basename, extname, join } from "node:path";
import { DataError, InternalError, SardonyxError } from "../../core/errors.ts";
import type { OpenRun } from "../../runs/open/open-run.node.ts";
import { readInput } from "../../runs/open/predict-input.node.ts";
import { describeOutput } from "../../runs/open/predict-output.ts";
import { textsOfArgument } from "../../runs/open/text-input.node.ts";
import { writeFileAtomic } from "../../storage/atomic.node.ts";
import { shownPath } from "../../storage/shown-path.node.ts";
import { animate } from "../animation.ts";
import { defineCommand } from "../command.ts";
import { computeOptions, openNamed } from "../open-run.ts";
import type { Output } from "../output.ts";

export const command = defineCommand({
  arguments: [
    { name: "RUN", description: "folder of the run, or its name below runs/" },
    {
      name: "INPUT",
      description: "PNG, JPEG, WAV or JSON files, JSON arrays, texts; or what the recipe asks for",
      variadic: true,
    },
  ],
  options: computeOptions,
  examples: [
    ["sardonyx predict runs/lenet-mnist seven.png two.jpg", "digits in images"],
    ["sardonyx predict runs/iris '[5.1, 3.5, 1.4, 0.2]'", "a flower's measures"],
    ["sardonyx predict iris flowers.json --json", "many at once, as JSON lines"],
    ["sardonyx predict runs/texts 'I loved it' more.csv", "texts, and those of a file"],
  ],
  async run({ arguments: [name = "", ...inputs], options, output }) {
    const run = await openNamed(name, options, output);
    if (run.deployment.dialogue) return converse(run, inputs, output);
    await forEach(inputs, output, async (given) => {
      const { name, samples, inverted, note } = await readInput(given, run.network);
      const y = await run.predict(samples);
      const rows = samples.shape[0] ?? 1;
      for (let row = 0; row < rows; row++) {
        const label = rows === 1 ? name : `${name}[${row}]`;
        const { text, fields } = describeOutput(y, row, run.deployment);
        output.record("prediction", { input: label, ...fields, ...(inverted && { inverted }), ...(note && { note }) });
        const shown = inverted ? "dark on light: inverted first" : note;
        output.line(`${label}: ${text}${shown === undefined ? "" : `   (${shown})`}`);
      }
    });
  },
});

/** Answers each input; one that is broken is reported, and those after it are answered all the same. Throws DataError at the end where there was one. */
async function forEach(
  inputs: readonly string[],
  output: Output,
  answer: (input: string) => Promise<void>,
): Promise<void> {
  if (inputs.length === 1) return answer(inputs[0] as string);
  let broken = 0;
  for (const input of inputs)
    try {
      await answer(input);
    } catch (error) {
      if (!(error instanceof SardonyxError) || error instanceof InternalError) throw error;
      broken++;
      output.record("error", { input, code: error.code, message: error.message });
      output.warn(`sardonyx: ${error.message} [${error.code}]`);
    }
  if (broken > 0)
    throw new DataError(
      `${broken} of ${inputs.length} inputs could not be predicted, as said above; mend ${broken === 1 ? "it and predict it" : "them and predict them"} again`,
    );
}

/** A question with what names it. */
interface Question {
  readonly name: string;
  readonly question: string;
}

/** The questions of an argument; of a model that reads whole texts, those of a file. */
async function questionsOf({ deployment: { reader } }: OpenRun, argument: string): Promise<readonly Question[]> {
  const readsTexts = reader !== undefined && (reader.gives ?? "scores") === "scores";
  if (!readsTexts) return [{ name: argument, question: argument }];
  const { name, texts } = await textsOfArgument(argument, reader.column ?? "text");
  return texts.map((question, i) => {
    if (question === argument) return { name: argument, question };
    return { name: texts.length === 1 ? name : `${name}[${i}]`, question };
  });
}

/** Asks each question; what is drawn of an answer goes into the run's folder. */
async function converse(run: OpenRun, given: readonly string[], output: Output): Promise<void> {
  await forEach(given, output, async (argument) => {
    for (const question of await questionsOf(run, argument)) await answerOne(run, question, output);
  });
}

async function answerOne(run: OpenRun, { name, question }: Question, output: Output): Promise<void> {
  const answer = await run.ask(question);
  const { text, fields } = "output" in answer ? describeOutput(answer.output, 0, run.deployment) : answer;
  if (output.terminal && "frames" in answer) await animate(answer.frames ?? [], process.stdout);
  const { note } = answer;
  output.record("prediction", { input: name, ...fields, ...(note !== undefined && { note }) });
  output.line(`${name}: ${text}${note === undefined ? "" : `   (${note})`}`);
  for (const [kind, drawing] of Object.entries(("drawings" in answer && answer.drawings) || {})) {
    const path = join(run.folder, `${basename(name, extname(name)).slice(0, 60)}-${kind}`);
    await writeFileAtomic(path, drawing);
    output.record("drawing", { input: name, path });
    output.line(`drawn in ${shownPath(path)}`);
  }
}
