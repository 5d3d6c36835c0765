/** Tables of any dialect, and what is told of them and of folders of files. */

import { profilePage } from "../../src/cli/data/html.ts";
import { showProfile } from "../../src/cli/data/terminal.ts";
import { textOutput } from "../../src/cli/output.ts";
import { encodeWav } from "../../src/data/sound/wav.ts";
import { inferColumnTypes } from "../../src/data/tables/column-kinds.ts";
import { readTable } from "../../src/data/tables/table-file.node.ts";
import { profileData } from "../../src/tasks/kinds/profile-data.node.ts";
import { pick } from "../mutate/bytes.ts";
import { jsonIn, jsonLineIn } from "../mutate/json.ts";
import { type Files, type Input, type Mutation, readAll, type Target } from "../target.ts";
import { fixture, oneFile, utf8 } from "./fixtures.ts";
import { cellsIn } from "./tables.ts";

/** Profiles a path and shows what was found in every form. */
async function profileAndShow(path: string, target?: string): Promise<void> {
  const profile = await profileData(path, { samples: 2, ...(target !== undefined && { target }) });
  JSON.stringify(profile);
  profilePage(profile);
  showProfile(profile, textOutput(80));
}

const onlyFile = ({ files }: Input): string => Object.keys(files)[0] ?? "";

const utf16 = (text: string): Uint8Array => {
  const bytes = new Uint8Array(2 * text.length + 2);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xfeff, true);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i + 2, text.charCodeAt(i), true);
  return bytes;
};

/** Rows of every kind of column. */
const rows = Array.from(
  { length: 30 },
  (_, i) =>
    `${i};${(i * 7) % 5},5;${["red", "green", "blue"][i % 3]};0${(i % 9) + 1}.02.202${i % 3};"a text of ${i} ""words"", and\nmore";img/${i}.png;"{""a"":[${i}]}"`,
).join("\n");
const kinds = `id;size;colour;day;text;image;record\n${rows}\n`;

export const tables: Target = {
  name: "table",
  reads: "tables of any dialect: `openTable`, `inferColumnTypes`, `profileData`, its page",
  share: 0.3,
  seeds: (): readonly Files[] => [
    ...oneFile("data.csv", "data/passengers.csv"),
    { "data.csv": utf8(kinds) },
    { "data.csv": utf8(kinds.replaceAll("\n", "\r\n")) },
    { "data.csv": utf16("a\tb\r\n1\tx\r\n2\ty\r\n3\tx\r\n") },
    { "data.csv": Uint8Array.from("name,n\nM\xfcller,1\nK\xf6hler,2\n", (letter) => letter.charCodeAt(0)) },
    { "data.jsonl": utf8('{"a":1,"b":[1,2],"c":"x"}\n{"a":2,"d":null}\n') },
    { "data.json": utf8('{"a":{"0":1,"1":2},"b":{"0":"x","1":"y"}}') },
  ],
  mutations: [
    (files, random) => {
      const [name = ""] = Object.keys(files);
      if (name === "data.json") return jsonIn(name)(files, random);
      return (name === "data.jsonl" ? jsonLineIn(name) : cellsIn(name))(files, random);
    },
  ] satisfies readonly Mutation[],
  read: (input) => {
    const path = input.path(onlyFile(input));
    return readAll(
      async () => {
        const { file, rows: own } = await readTable(path);
        return inferColumnTypes(file.names, own, file);
      },
      () => profileAndShow(path),
      async () => {
        const { file } = await readTable(path);
        for (const name of file.names.slice(-2)) await profileAndShow(path, name);
      },
    );
  },
};

const tone = encodeWav({ rate: 8000, channels: [Float32Array.from({ length: 800 }, (_, i) => Math.sin(i / 5))] });

const scene = fixture("data/images/7/0.png");
/** An image with boxes, in each of the forms that they are read in. */
const boxes: readonly Files[] = [
  { "a.png": scene, "a.txt": utf8("0 0.5 0.5 0.2 0.2\n1 0.9 0.9 0.5 0.5\n"), "classes.txt": utf8("ink\npaper\n") },
  {
    "a.png": scene,
    "annotations.json": utf8(
      '{"images":[{"id":1,"file_name":"a.png","width":28,"height":28}],"annotations":[{"image_id":1,"category_id":2,"bbox":[3,4,9,9]}],"categories":[{"id":2,"name":"ink"}]}',
    ),
  },
  {
    "a.png": scene,
    "metadata.jsonl": utf8('{"file_name":"a.png","objects":{"bbox":[[3,4,9,9]],"categories":["ink"]}}\n'),
  },
];

export const folders: Target = {
  name: "data-folder",
  reads: "folders of images, of images with boxes, texts and WAV files: `profileData`, its page",
  share: 0.3,
  seeds: (): readonly Files[] => [
    { "a.png": fixture("data/images/7/0.png"), "b.jpg": fixture("data/images/1/2.jpg"), "c.png": new Uint8Array(0) },
    { "a.txt": utf8("one text of some words"), "b.txt": utf8("one text of some words!"), "c.md": utf8("\u00e9") },
    { "a.wav": tone, "b.wav": tone },
    ...boxes,
  ],
  mutations: [
    (files, random) => {
      const name = pick(random, Object.keys(files));
      const bytes = Uint8Array.from(files[name] ?? []);
      if (bytes.length > 0) bytes[random.integer(bytes.length)] = random.integer(256);
      return { ...files, [name]: random.integer(4) === 0 ? bytes.slice(0, random.integer(bytes.length + 1)) : bytes };
    },
  ],
  read: (input) => profileAndShow(input.folder()),
};
