/** Changes of JSON documents: what stands at a place, what is missing, what is too much. */
import fc from "fast-check";
import { parseJson } from "../../src/core/json.ts";
import type { Random } from "../../src/core/random.ts";
import type { Files, Mutation } from "../target.ts";
import { pick, wholeNumbers } from "./bytes.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Container = Json[] | { [key: string]: Json };

const isContainer = (value: Json): value is Container => typeof value === "object" && value !== null;

/** Texts that code trips over: names of what objects inherit, control characters, half a character, very long. */
const texts: readonly string[] = [
  "",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "\u001b[31mred\u0007",
  "line\nline\r\n\u0000",
  "\ud800",
  "\u202eabc",
  "../../../etc/passwd",
  "/dev/zero",
  "a".repeat(5000),
  "(a+)+$",
  "(((((",
  "NaN",
  "-1",
  "1e999",
  "0x10",
  "=1+1",
  "😀",
];

const numbers: readonly number[] = [...wholeNumbers, 0.5, -0.5, 1e-320, 1e300, -1e300, 1.5];

/** Stand for text that JSON.stringify does not write; no document has them. */
const marks = { deep: "\u{10fffe}deep", infinite: "\u{10fffe}infinite", repeated: "\u{10fffe}repeated" } as const;

const plain = (random: Random): Json =>
  pick<() => Json>(random, [
    () => null,
    () => random.integer(2) === 0,
    () => pick(random, numbers),
    () => pick(random, numbers),
    () => pick(random, texts),
    () => [],
    () => ({}),
    () => [pick(random, numbers), pick(random, texts), null],
    () => ({ [pick(random, texts)]: pick(random, numbers) }),
    () => Array.from({ length: pick(random, [3, 100, 5000]) }, () => pick(random, [0, 1, 2])),
    () => Object.fromEntries(Array.from({ length: pick(random, [30, 3000]) }, (_, i) => [`key${i}`, i])),
    () => fc.sample(fc.jsonValue({ maxDepth: 3 }), { seed: random.uint32() | 0, numRuns: 1 })[0] as Json,
    () => marks.deep,
    () => marks.infinite,
  ])();

/** Containers of a document, each with its keys: places that can be changed. */
function containersIn(value: Json, found: Container[] = [], most = 20_000): Container[] {
  if (!isContainer(value) || found.length >= most) return found;
  found.push(value);
  for (const inner of Object.values(value)) containersIn(inner, found, most);
  return found;
}

const keyIn = (container: Container, random: Random): string | undefined => pick(random, Object.keys(container));

const get = (container: Container, key: string): Json => (container as Record<string, Json>)[key] ?? null;

/** Also where the key is `__proto__`. */
const put = (container: Container, key: string, value: Json): void => {
  Object.defineProperty(container, key, { value, enumerable: true, configurable: true, writable: true });
};

function remove(container: Container, key: string): void {
  if (Array.isArray(container)) container.splice(Number(key), 1);
  else delete container[key];
}

/** A number near another, of the same type. */
const nearNumber = (value: number, random: Random): number =>
  pick(random, [
    value + 1,
    value - 1,
    -value,
    value * 2,
    value * 1000,
    value / 2,
    0,
    value + 0.5,
    ...numbers.slice(-9),
  ]);

const nearText = (value: string, random: Random): string =>
  pick(random, [
    value.slice(1),
    `${value}${value}`,
    value.toUpperCase(),
    `${value}\u0000`,
    pick(random, texts),
    ` ${value}`,
  ]);

const near = (value: Json, random: Random): Json => {
  if (typeof value === "number") return nearNumber(value, random);
  if (typeof value === "string") return nearText(value, random);
  if (typeof value === "boolean") return !value;
  return plain(random);
};

type Change = (container: Container, key: string, random: Random, all: readonly Container[]) => void;

const changes: readonly Change[] = [
  (container, key, random) => put(container, key, plain(random)),
  (container, key, random) => put(container, key, near(get(container, key), random)),
  (container, key, random) => put(container, key, near(get(container, key), random)),
  (container, key) => remove(container, key),
  // A part of the document in another's place.
  (container, key, random, all) => {
    const other = pick(random, all);
    const from = keyIn(other, random);
    if (from !== undefined) put(container, key, structuredClone(get(other, from)));
  },
  // One more, or another name.
  (container, key, random) => {
    if (Array.isArray(container)) container.splice(Number(key), 0, structuredClone(get(container, key)));
    else
      put(container, random.integer(2) === 0 ? pick(random, texts) : `${key}_`, structuredClone(get(container, key)));
  },
  (container, key, random) => {
    const value = get(container, key);
    if (Array.isArray(container)) container.reverse();
    else {
      remove(container, key);
      put(container, pick(random, texts), value);
    }
  },
  (container, key) => put(container, key, [get(container, key)]),
  (container, key, random) => {
    const value = get(container, key);
    if (Array.isArray(value) && value.length > 0 && value.length < 100)
      put(
        container,
        key,
        Array.from({ length: pick(random, [2, 10, 200]) }, () => structuredClone(pick(random, value))),
      );
    else put(container, key, typeof value === "number" ? String(value) : plain(random));
  },
  (container, key) => {
    if (!Array.isArray(container)) put(container, `${marks.repeated}${key}`, plainCopy(get(container, key)));
  },
];

const plainCopy = (value: Json): Json => (isContainer(value) ? {} : value);

/** The text of a document, with what only text can say. */
function textOf(document: Json, random: Random): string {
  const depth = pick(random, [100, 2000, 50_000]);
  const [open, close] = pick(random, [
    ["[", "]"],
    ['{"a":', "}"],
  ] as const);
  return (JSON.stringify(document) ?? "null")
    .replaceAll(`"${marks.deep}"`, () => `${open.repeat(depth)}1${close.repeat(depth)}`)
    .replaceAll(`"${marks.infinite}"`, () => pick(random, ["1e999", "-1e999", "NaN"]))
    .replaceAll(marks.repeated, "");
}

/** A JSON text with one to four changes of the document; `undefined` for a text that is no JSON, or too deep. */
export function changedJson(text: string, random: Random): string | undefined {
  let document: Json;
  try {
    document = parseJson(text) as Json;
  } catch {
    return undefined;
  }
  // The document itself can be replaced, too.
  const root: { [key: string]: Json } = { document };
  for (let i = pick(random, [1, 1, 1, 2, 4]); i > 0; i--) {
    const all = containersIn(root);
    const container = pick(random, random.integer(40) === 0 ? all : all.slice(1).length > 0 ? all.slice(1) : all);
    const key = keyIn(container, random);
    if (key === undefined) put(container, Array.isArray(container) ? "0" : "name", plain(random));
    else pick(random, changes)(container, key, random, all);
  }
  return textOf(root["document"] ?? null, random);
}

/** Changes the document in the JSON file of a name. */
export const jsonIn =
  (name: string): Mutation =>
  (files: Files, random: Random) => {
    const bytes = files[name];
    const text = bytes && changedJson(new TextDecoder().decode(bytes), random);
    return text === undefined ? files : { ...files, [name]: new TextEncoder().encode(text) };
  };

/** Changes one of the lines of a file of JSON lines. */
export const jsonLineIn =
  (name: string): Mutation =>
  (files: Files, random: Random) => {
    const lines = new TextDecoder().decode(files[name]).split("\n");
    const at = random.integer(lines.length);
    const text = changedJson(lines[at] ?? "", random);
    if (text !== undefined) lines[at] = text;
    return { ...files, [name]: new TextEncoder().encode(lines.join("\n")) };
  };
