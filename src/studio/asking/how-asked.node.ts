/** How a run is asked, from the files of its folder alone: what input it takes, and what its answers are called. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FileError } from "../../core/errors.ts";
import { quoted } from "../../core/printable.ts";
import { type DeploymentRecord, readDeployment } from "../../runs/folder/deployment.node.ts";
import { readRecord, runFiles } from "../../runs/folder/run-folder.node.ts";

/** A column of a table, as a form shows it. */
export interface AskedColumn {
  readonly name: string;
  readonly kind: "number" | "category" | "date" | "text";
  /** Of a category: the values that are known. */
  readonly values?: readonly string[];
  /** A value to begin with. */
  readonly example: string;
}

/** What a run takes. */
export type AskedInput =
  /** An image; a grey one that `turns` is brought to light on dark. */
  | {
      readonly kind: "image";
      readonly height: number;
      readonly width: number;
      readonly channels: number;
      readonly turns: boolean;
    }
  /** A sound; without a rate any that the recipe reads. */
  | { readonly kind: "sound"; readonly rate?: number; readonly seconds?: number }
  | { readonly kind: "text"; readonly what: string; readonly example: string }
  | { readonly kind: "table"; readonly columns: readonly AskedColumn[] }
  /** Numbers of a shape, without the batch. */
  | { readonly kind: "numbers"; readonly shape: readonly number[] }
  /** A prompt that is continued, or of a model that chats answered. */
  | { readonly kind: "write"; readonly example: string; readonly chats: boolean }
  | { readonly kind: "none"; readonly why: string };

/** How a run is asked. */
export interface HowAsked {
  readonly input: AskedInput;
  /** Names of its classes, by their places. */
  readonly classes?: readonly string[];
  /** Whether its answers can be explained. */
  readonly explains: boolean;
  /** Whether its recipe, a built-in one, answers by a dialogue. */
  readonly byDialogue: boolean;
}

/** Dialogues of built-in recipes that open no file which a question names: those of texts, and whether they answer by scores; those of files. */
const textDialogues: Readonly<Record<string, boolean>> = {
  "bert-mlm": false,
  "chat-gpt": false,
  "dqn-maze": false,
  "lstm-sentiment": true,
  ratings: false,
};
const fileDialogues: Readonly<Record<string, "image" | "sound">> = {
  boxes: "image",
  "detect-digits": "image",
  keywords: "sound",
  "transfer-audio": "sound",
};

/** The most values of a category that a form lists. */
const mostValues = 200;

/** How a run is asked. Throws FileError where it has not come so far, or its files are damaged. */
export async function howAsked(folder: string): Promise<HowAsked> {
  if (!existsSync(join(folder, runFiles.record)))
    throw new FileError("these are TensorBoard's event files without a model, which cannot be asked; choose a run");
  const { recipe } = await readRecord(folder);
  const record = await readDeployment(folder);
  const dialogue = record.dialogue && recipe.path === undefined ? recipe.name : undefined;
  const input = record.dialogue ? inputOfDialogue(dialogue, record.dialogue, record.inputs) : inputOf(record);
  const scores =
    dialogue === undefined ? (record.reader?.gives ?? "scores") === "scores" : ownOf(textDialogues, dialogue);
  return {
    input,
    ...(record.classes && { classes: record.classes }),
    explains: input.kind !== "none" && scores === true,
    byDialogue: dialogue !== undefined,
  };
}

const ownOf = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

function inputOfDialogue(
  recipe: string | undefined,
  { what, example }: NonNullable<DeploymentRecord["dialogue"]>,
  inputs: DeploymentRecord["inputs"],
): AskedInput {
  if (recipe === undefined)
    return { kind: "none", why: `it is asked ${what} by code of its own recipe: sardonyx predict RUN --recipe PATH` };
  if (ownOf(textDialogues, recipe) !== undefined) return { kind: "text", what, example };
  const file = ownOf(fileDialogues, recipe);
  if (file === "sound") return { kind: "sound" };
  const [, channels = 3, height = 1, width = 1] = shapesOf(inputs)[0] ?? [];
  if (file === "image") return { kind: "image", height, width, channels, turns: false };
  return { kind: "none", why: `it is asked ${what}, on the command line: sardonyx predict RUN ${quoted(example)}` };
}

function inputOf({ inputs, image, sound, table, text, reader, writer }: DeploymentRecord): AskedInput {
  if (writer) return { kind: "write", example: writer.prompt, chats: writer.chat !== undefined };
  if (reader)
    return reader.gives === "answer"
      ? { kind: "text", what: "question", example: "Who wrote it? || It was written by Ada." }
      : { kind: "text", what: "text", example: "It was a pleasure" };
  if (text) return { kind: "text", what: text.name, example: "It was a pleasure" };
  if (table) return tableInput(table);
  if (image) return { kind: "image", turns: image.turns ?? true, ...sizeOf(image) };
  if (sound) return { kind: "sound", rate: sound.rate, seconds: sound.samples / sound.rate };
  const [only, ...others] = shapesOf(inputs);
  if (!only || others.length > 0)
    return { kind: "none", why: `it takes ${Object.keys(inputs).join(", ")} at once; ask it from code: openRun(RUN)` };
  return { kind: "numbers", shape: only.slice(1) };
}

/** The shapes of the tensors that a model takes. */
const shapesOf = (inputs: DeploymentRecord["inputs"]): readonly (readonly number[])[] =>
  ("shape" in inputs && Array.isArray(inputs.shape) ? [inputs] : Object.values(inputs)).map(({ shape }) => shape);

const sizeOf = ({ height, width, channels }: NonNullable<DeploymentRecord["image"]>) => ({ height, width, channels });

function tableInput({ fields }: NonNullable<DeploymentRecord["table"]>): AskedInput {
  const columns = fields.map((field): AskedColumn | undefined => {
    const { name, kind } = field;
    if (kind === "image") return undefined;
    if (kind === "number") return { name, kind, example: String(Number(field.statistics.fill.toPrecision(6))) };
    if (kind === "date") return { name, kind, example: "" };
    if (kind === "text") return { name, kind, example: field.words.slice(0, 3).join(" ") };
    return { name, kind, values: field.values.slice(0, mostValues), example: field.values[0] ?? "" };
  });
  const own = columns.filter((column) => column !== undefined);
  return own.length === columns.length
    ? { kind: "table", columns: own }
    : { kind: "none", why: "its rows name images; predict them on the command line: sardonyx predict RUN rows.csv" };
}
