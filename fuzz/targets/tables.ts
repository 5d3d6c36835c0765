/** Tables and records: CSV, JSON Lines, Parquet, CoNLL, and what is made of their records. */
import { conversationOf, preferenceOf } from "../../src/data/chat/conversations.ts";
import { parseIris } from "../../src/data/sets/iris.ts";
import { loadMovieLens } from "../../src/data/sets/movielens.node.ts";
import { loadCsv, streamCsv } from "../../src/data/tables/csv.node.ts";
import { loadRecords } from "../../src/data/tables/file-records.node.ts";
import type { FileRecord } from "../../src/data/tables/json-records.ts";
import { parsePreprocessing } from "../../src/data/tables/preprocess.ts";
import { labelledTexts } from "../../src/data/text/labelled-records.ts";
import { parseLabelledText } from "../../src/data/text/labelled-text.ts";
import { questionAnswers } from "../../src/data/text/question-answers.ts";
import { taggedWords } from "../../src/data/text/tagged-words.ts";
import { textPairs } from "../../src/data/text/text-pairs.ts";
import { parseTranslations } from "../../src/data/text/translations.ts";
import { pick } from "../mutate/bytes.ts";
import { jsonIn, jsonLineIn } from "../mutate/json.ts";
import { type Files, type Input, type Mutation, readAll, type Target } from "../target.ts";
import { fixture, oneFile, utf8 } from "./fixtures.ts";

/** What every task makes of records; most records are for one of them. */
const makeAll = (records: readonly FileRecord[]) =>
  readAll(
    () => labelledTexts(records),
    () => textPairs(records),
    () => questionAnswers(records),
    () => taggedWords(records),
    () => records.map(({ fields, where }) => conversationOf(fields, where)),
    () => records.map(({ fields, where }) => preferenceOf(fields, where)),
  );

/** Reads the only file of an input as records. */
const readRecordsOf = (input: Input) => {
  const [name = ""] = Object.keys(input.files);
  return loadRecords(input.path(name)).then(makeAll);
};

const cells: readonly string[] = [
  '"',
  '""',
  ",",
  "\t",
  "\n",
  "\r",
  "\uFEFF",
  "1e999",
  "NaN",
  "-",
  "é",
  "=1+1",
  ";",
  " ",
  "\u0000",
  '"a\nb"',
];

/** Puts what separates and quotes cells anywhere into a text. */
export const cellsIn =
  (name: string): Mutation =>
  (files, random) => {
    let text = new TextDecoder().decode(files[name]);
    for (let i = 1 + random.integer(4); i > 0; i--) {
      const at = random.integer(text.length + 1);
      const lines = text.split("\n");
      const kind = random.integer(4);
      if (kind === 0) text = text.slice(0, at) + pick(random, cells) + text.slice(at + random.integer(3));
      else if (kind === 1) text = text.slice(0, at) + pick(random, cells) + text.slice(at);
      else if (kind === 2) text = [...lines.slice(0, 1 + random.integer(lines.length)), pick(random, lines)].join("\n");
      else text = lines.map((line) => (random.integer(8) === 0 ? line.split(",").slice(1).join(",") : line)).join("\n");
    }
    return { ...files, [name]: utf8(text) };
  };

export const csv: Target = {
  name: "csv",
  reads: "CSV: `loadCsv`, `streamCsv`, `loadRecords`",
  seeds: (): readonly Files[] => [
    ...oneFile("data.csv", "data/passengers.csv"),
    { "data.csv": utf8('survived,age,name\n0,21,a\n1,,"b ""c"""\n1,4.5,"d, e"\n') },
  ],
  mutations: [cellsIn("data.csv"), cellsIn("data.csv")],
  read: (input) => {
    const path = input.path("data.csv");
    return readAll(
      () => loadCsv(path, { label: "survived" }),
      async () => {
        const { all } = await streamCsv(path, { label: "survived", types: { survived: "categorical" } });
        for await (const _ of all.epoch(0));
      },
      () => readRecordsOf(input),
    );
  },
};

const lines = (...records: readonly object[]): Uint8Array =>
  utf8(records.map((record) => `${JSON.stringify(record)}\n`).join(""));

const chats: readonly object[] = [
  {
    messages: [
      { role: "system", content: "Be short." },
      { role: "user", content: "Hi" },
      { role: "assistant", content: "Hello." },
    ],
  },
  {
    messages: [
      { role: "user", content: [{ type: "text", text: "Which way?" }] },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "a", type: "function", function: { name: "way", arguments: '{"to":1}' } }],
      },
      { role: "tool", content: "left", tool_call_id: "a", name: "way" },
      { role: "assistant", content: "Left." },
    ],
    tools: [{ type: "function", function: { name: "way", parameters: {} } }],
  },
  {
    conversations: [
      { from: "human", value: "Hi" },
      { from: "gpt", value: "Hello." },
    ],
    system: "Short.",
  },
  { prompt: "Hi", completion: "Hello." },
  { instruction: "Add", input: "1 2", output: "3" },
  { prompt: "Hi", chosen: "Hello.", rejected: "No." },
  {
    chosen: [
      { role: "user", content: "a" },
      { role: "assistant", content: "b" },
    ],
    rejected: [
      { role: "user", content: "a" },
      { role: "assistant", content: "c" },
    ],
  },
];

const squad = {
  data: [
    {
      title: "t",
      paragraphs: [
        {
          context: "The sky is blue.",
          qas: [{ id: "1", question: "Which?", answers: [{ text: "blue", answer_start: 11 }] }],
        },
      ],
    },
  ],
};

export const records: Target = {
  name: "records",
  reads: "JSON Lines and JSON of texts, pairs, questions, tagged words and conversations",
  seeds: (): readonly Files[] => [
    { "data.jsonl": lines({ text: "Fine.", label: "good" }, { text: "Bad.", label: "bad" }) },
    { "data.jsonl": lines({ anchor: "2 + 2?", positive: "4", negative: "5" }) },
    { "data.jsonl": lines({ tokens: ["Anna", "sings"], tags: ["B-PER", "O"] }) },
    {
      "data.jsonl": lines({
        id: 1,
        question: "Which?",
        context: "It is blue.",
        answers: { text: ["blue"], answer_start: [6] },
      }),
    },
    ...chats.map((chat) => ({ "data.jsonl": lines(chat, chat) })),
    { "data.json": utf8(JSON.stringify(squad, null, 1)) },
    { "data.json": utf8(JSON.stringify(chats.slice(0, 5))) },
  ],
  mutations: [jsonLineIn("data.jsonl"), jsonLineIn("data.jsonl"), jsonIn("data.json")].map(
    (mutation): Mutation =>
      (files: Files, random) =>
        ("data.json" in files ? jsonIn("data.json") : mutation)(files, random),
  ),
  read: readRecordsOf,
};

export const parquet: Target = {
  name: "parquet",
  reads: "Parquet: `loadRecords`",
  // Each needs a thread.
  share: 0.3,
  seeds: (): readonly Files[] => oneFile("data.parquet", "data/records/chats.parquet", "data/records/reviews.parquet"),
  mutations: [],
  read: readRecordsOf,
};

const conllText = "-DOCSTART- -X- O O\n\nAnna NNP B-PER\nsings VBZ O\n\nIn IN O\nBonn NNP B-LOC\n";

export const plainText: Target = {
  name: "text",
  reads: "CoNLL, TSV pairs of sentences, Iris, MovieLens, labelled sentences, preprocessing steps",
  seeds: (): readonly Files[] => [
    { "data.conll": utf8(conllText) },
    { "data.tsv": fixture("data/pairs.tsv") },
    { "iris.data": fixture("data/iris/iris.data") },
    { "movies.csv": fixture("data/movielens/movies.csv"), "ratings.csv": fixture("data/movielens/ratings.csv") },
    { "labelled.json": utf8('[{"text":"Fine.","class":1},{"text":"Bad.","class":0}]') },
    {
      "steps.json": utf8(
        '[{"kind":"rescale","shift":[1],"scale":[2]},{"kind":"impute","values":[0]},{"kind":"clip","low":[0],"high":[1]}]',
      ),
    },
  ],
  mutations: [
    (files, random) => cellsIn(pick(random, Object.keys(files)))(files, random),
    (files, random) => jsonIn(pick(random, Object.keys(files)))(files, random),
  ],
  read(input) {
    const text = (name: string) => input.text(name);
    const [name] = Object.keys(input.files);
    if (name === "data.conll") return readRecordsOf(input);
    if (name === "data.tsv")
      return readAll(
        () => readRecordsOf(input),
        () => parseTranslations(text("data.tsv"), "data.tsv"),
      );
    if (name === "iris.data") return parseIris(text("iris.data"), "iris.data");
    if (name === "labelled.json") return parseLabelledText(text("labelled.json"), "labelled.json");
    if (name === "steps.json") return parsePreprocessing(text("steps.json"));
    return loadMovieLens({ dir: input.folder() });
  },
};
