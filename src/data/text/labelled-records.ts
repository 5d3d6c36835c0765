/** Labelled texts of records: sentences with the classes that they belong to, or with numbers to be predicted. */
import { DataError, OptionError } from "../../core/errors.ts";
import { listOf, oneOf, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { type FileRecord, shownValue } from "../tables/json-records.ts";
import { fieldOf, textFieldOf } from "../tables/record-fields.ts";

/** Options of `labelledTexts` and `loadLabelledTexts`. */
export interface LabelledTextsOptions {
  /** The field of the texts; default "text". */
  readonly text?: string;
  /** The field of the labels; default "label". */
  readonly label?: string;
  /** Whether labels are classes, or numbers to be predicted, such as ratings; default "classes". */
  readonly kind?: "classes" | "numbers";
  /** Names of all classes, in the order of the labels; default those that occur, numbers by value, names by alphabet. */
  readonly classes?: readonly string[];
}

const checkOptions = optionsOf<LabelledTextsOptions>("labelledTexts", {
  text: string,
  label: string,
  kind: oneOf("classes", "numbers"),
  classes: listOf(string, "names of classes"),
});

/** Texts and what each is to be recognized as. */
export interface TextsWithLabels {
  /** The texts, in the order of the records. */
  readonly texts: readonly string[];
  /** Of each the place of its class in `classes`; for `kind: "numbers"` its number. */
  readonly labels: readonly number[];
  /** Names of the classes; none for `kind: "numbers"`. */
  readonly classes: readonly string[];
}

/** A label as it is written: numbers and booleans as text. Throws DataError for what is missing, or no label. */
function nameOf(record: FileRecord, field: string): string {
  const value = fieldOf(record, field, "label");
  const name = typeof value === "string" ? value.trim() : "";
  if (name !== "") return name;
  if (Number.isFinite(value) || typeof value === "boolean") return String(value);
  throw new DataError(
    `${record.where}: "${field}" is ${typeof value === "string" ? "empty" : shownValue(value)}, expected a label; fill it in, or remove the record`,
  );
}

function numberOf(record: FileRecord, field: string): number {
  const name = nameOf(record, field);
  if (Number.isFinite(Number(name))) return Number(name);
  throw new DataError(
    `${record.where}: "${field}" is ${shownValue(name)}, expected a finite number; correct it, or choose kind: "classes"`,
  );
}

/** Different names, numbers by value and others by alphabet. */
export function classesOf(names: readonly string[]): string[] {
  const different = [...new Set(names)];
  const areNumbers = different.every((name) => Number.isFinite(Number(name)));
  return different.sort(areNumbers ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1));
}

/** Throws DataError where labels are numbers with fractions, which are hardly classes. */
function checkNames(names: readonly string[], records: readonly FileRecord[], field: string): void {
  const at = names.findIndex((name) => Number.isFinite(Number(name)) && !Number.isInteger(Number(name)));
  if (at >= 0)
    throw new DataError(
      `${records[at]?.where}: "${field}" is ${names[at]}, no whole number, expected a class; choose kind: "numbers" to predict it`,
    );
}

/** The places of labels among given classes; a whole number that names none of them is such a place. */
function placesOf(
  names: readonly string[],
  classes: readonly string[],
  records: readonly FileRecord[],
  field: string,
): number[] {
  const places = new Map(classes.map((name, place) => [name, place]));
  return names.map((name, i) => {
    const place = places.get(name) ?? (/^\d+$/.test(name) && Number(name) < classes.length ? Number(name) : undefined);
    if (place !== undefined) return place;
    throw new DataError(
      `${records[i]?.where}: "${field}" is ${shownValue(name)}, expected one of ${classes.join(", ")}; correct it, or add it to \`classes\``,
    );
  });
}

/**
 * The texts of records with their labels: names, whole numbers or true and false for classes, any numbers for `kind: "numbers"`. Pass
 * the `classes` of the training set for other sets of the same data. Nothing is left out: throws DataError naming the record of a
 * field that is missing (with those that there are), a text or label that is empty, and a label that is none of the classes.
 * @example labelledTexts(parseJsonRecords('{"text":"Fine.","label":"good"}', "a.jsonl")) // { texts: ["Fine."], labels: [0], classes: ["good"] }
 */
export function labelledTexts(records: readonly FileRecord[], options: LabelledTextsOptions = {}): TextsWithLabels {
  const { text = "text", label = "label", kind = "classes", classes: given } = checkOptions(options);
  if (given && (kind === "numbers" || new Set(given).size !== given.length || given.length === 0))
    throw new OptionError(
      `labelledTexts: classes are [${given.join(", ")}]${kind === "numbers" ? " for numbers" : ""}; pass different names, for kind: "classes"`,
    );
  const texts = records.map((record) => textFieldOf(record, text, "text"));
  if (kind === "numbers") return { texts, labels: records.map((record) => numberOf(record, label)), classes: [] };
  const names = records.map((record) => nameOf(record, label));
  if (!given) checkNames(names, records, label);
  const classes = given ?? classesOf(names);
  return { texts, labels: placesOf(names, classes, records, label), classes };
}
