/** Sentences of words that each have a tag, such as the name that a word is part of. */
import { DataError, OptionError } from "../../core/errors.ts";
import { listOf, string } from "../../core/option-types.ts";
import { optionsOf } from "../../core/options.ts";
import { type FileRecord, shownValue } from "../tables/json-records.ts";
import { fieldOf } from "../tables/record-fields.ts";
import { classesOf } from "./labelled-records.ts";

/** Options of `taggedWords`. */
export interface TaggedWordsOptions {
  /** The field of the words; default "tokens", or "words" where the first record has that. */
  readonly words?: string;
  /** The field of the tags; default the first of "tags", "labels", "ner_tags" and "pos_tags" that the first record has. */
  readonly tags?: string;
  /** Names of all tags, in the order of their numbers; default those that occur, numbers by value, names by alphabet. */
  readonly classes?: readonly string[];
}

const checkOptions = optionsOf<TaggedWordsOptions>("taggedWords", {
  words: string,
  tags: string,
  classes: listOf(string, "names of tags"),
});

/** One sentence. */
export interface TaggedSentence {
  /** Its words. */
  readonly words: readonly string[];
  /** Of each the place of its tag in `classes`. */
  readonly tags: readonly number[];
}

/** Sentences with tags. */
export interface TaggedSentences {
  /** In the order of the records. */
  readonly sentences: readonly TaggedSentence[];
  /** Names of the tags. */
  readonly classes: readonly string[];
}

/** Fields that hold tags, by the names that data sets give them. */
export const tagFields = ["tags", "labels", "ner_tags", "pos_tags"] as const;

/** A field that is a list. Throws DataError for anything else, and for an empty one. */
function listFieldOf(record: FileRecord, name: string, option: string): readonly unknown[] {
  const value = fieldOf(record, name, option);
  if (Array.isArray(value) && value.length > 0) return value;
  throw new DataError(
    `${record.where}: "${name}" is ${Array.isArray(value) ? "empty" : shownValue(value)}, expected a list with one item for each word; correct or remove the record`,
  );
}

function wordsOf(record: FileRecord, field: string): string[] {
  return listFieldOf(record, field, "words").map((word, i) => {
    if (typeof word === "string" && word.trim() !== "") return word;
    throw new DataError(
      `${record.where}: word ${i + 1} of "${field}" is ${typeof word === "string" ? "empty" : shownValue(word)}, expected a text; correct it, or remove it with its tag`,
    );
  });
}

function namesOf(record: FileRecord, field: string, words: number): string[] {
  const tags = listFieldOf(record, field, "tags");
  if (tags.length !== words)
    throw new DataError(
      `${record.where}: has ${words} words and ${tags.length} tags, expected a tag for each word; correct or remove the record`,
    );
  return tags.map((tag, i) => {
    if (typeof tag === "string" && tag.trim() !== "") return tag.trim();
    if (typeof tag === "number" && Number.isInteger(tag) && tag >= 0) return String(tag);
    throw new DataError(
      `${record.where}: tag ${i + 1} of "${field}" is ${typeof tag === "string" ? "empty" : shownValue(tag)}, expected a name or a whole number from 0; correct it`,
    );
  });
}

/**
 * The sentences of records: lists of words, and of their tags as names or whole numbers. Pass the `classes` of the training set for other
 * sets of the same data. Throws DataError naming the record of a field that is missing or no list, a word without a tag, an empty word, and
 * a tag that is none of the classes.
 * @example
 * taggedWords(parseJsonRecords('{"tokens":["Ada","spoke"],"tags":["B-PER","O"]}', "a.jsonl")).classes // ["B-PER", "O"]
 */
export function taggedWords(records: readonly FileRecord[], options: TaggedWordsOptions = {}): TaggedSentences {
  const first = records[0]?.fields ?? {};
  const usual = Object.hasOwn(first, "tokens") || !Object.hasOwn(first, "words") ? "tokens" : "words";
  const {
    words: wordField = usual,
    tags = tagFields.find((name) => Object.hasOwn(first, name)) ?? "tags",
    classes,
  } = checkOptions(options);
  if (classes && (classes.length === 0 || new Set(classes).size !== classes.length))
    throw new OptionError(`taggedWords: classes are [${classes.join(", ")}]; pass different names`);
  const sentences = records.map((record) => {
    const words = wordsOf(record, wordField);
    return { words, names: namesOf(record, tags, words.length) };
  });
  const known = classes ?? classesOf(sentences.flatMap(({ names }) => names));
  const places = new Map(known.map((name, place) => [name, place]));
  const placeOf = (name: string, where: string): number => {
    const place = places.get(name) ?? (/^\d+$/.test(name) && Number(name) < known.length ? Number(name) : undefined);
    if (place !== undefined) return place;
    throw new DataError(
      `${where}: has the tag ${shownValue(name)}, expected one of ${known.join(", ")}; correct it, or add it to \`classes\``,
    );
  };
  return {
    sentences: sentences.map(({ words, names }, i) => ({
      words,
      tags: names.map((name) => placeOf(name, records[i]?.where ?? "")),
    })),
    classes: known,
  };
}
