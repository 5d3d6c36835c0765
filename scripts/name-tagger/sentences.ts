/** Sentences made up of templates and names, with the places of the names, to train the tagger on. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../src/core/random.ts";
import { chineseSurnames, compoundSurnames, givenCharacters } from "../../src/privacy/redaction/names/chinese-names.ts";
import { givenNames } from "../../src/privacy/redaction/names/given-names.ts";
import { surnames } from "../../src/privacy/redaction/names/surnames.ts";
import * as chinese from "./chinese.ts";
import * as english from "./english.ts";

/** A text, and where names are in it. */
export interface NamedText {
  readonly text: string;
  readonly names: readonly (readonly [start: number, end: number])[];
}

const one = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random.uniform(0, items.length))] as T;
const chance = (random: Random, share: number): boolean => random.uniform() < share;

const onsets =
  "b br c ch cl d dr f fl g gr h j k kl kr l m n ng p pr r s sh st t th tr ts v w y z zh x gh mb nd ny kw".split(" ");
const nuclei = "a e i o u ai au ei ia ie io oa ou ue ya á é í ó ö ü ê".split(" ");
const codas = ["", "", "", "n", "m", "r", "l", "s", "k", "t", "ng", "sh", "ck", "rt", "nd", "x", "z", "th"];
const endings = [
  "son",
  "sen",
  "ski",
  "ska",
  "ova",
  "ov",
  "enko",
  "ez",
  "ini",
  "ello",
  "ides",
  "opoulos",
  "yan",
  "ic",
  "ić",
  "berg",
  "mann",
  "stein",
  "wala",
  "kar",
  "deep",
  "esh",
  "inder",
  "ton",
  "ley",
  "worth",
  "field",
  "ham",
  "wood",
  "land",
  "ia",
  "ina",
  "elle",
  "ette",
  "ah",
  "oluwa",
  "chukwu",
  "uddin",
  "ullah",
  "dottir",
  "quist",
  "ström",
];

/** A name that no list has. */
function madeUp(random: Random): string {
  let name = "";
  const count = 1 + Math.floor(random.uniform(0, 2.4));
  for (let i = 0; i < count; i++) name += one(random, onsets) + one(random, nuclei) + one(random, codas);
  if (chance(random, 0.4)) name += one(random, endings);
  return (name[0] ?? "a").toUpperCase() + name.slice(1);
}

const given = (random: Random): string => (chance(random, 0.35) ? madeUp(random) : one(random, givenNames));
function surname(random: Random): string {
  const own = chance(random, 0.4) ? madeUp(random) : one(random, surnames);
  const kind = random.uniform();
  if (kind < 0.03) return `${own}-${one(random, surnames)}`;
  if (kind < 0.05)
    return `${one(random, ["van der", "van", "de", "de la", "von", "di", "bin", "al", "El", "Ben", "Da", "Le", "dos"])} ${own}`;
  if (kind < 0.065) return `Al-${own}`;
  if (kind < 0.08) return `${one(random, ["O'", "Mc", "Mac", "D'"])}${own}`;
  return own;
}
const initial = (random: Random): string => String.fromCharCode(65 + Math.floor(random.uniform(0, 26)));

function fullName(random: Random): string {
  const kind = random.uniform();
  const first = given(random);
  if (kind < 0.1) return `${first} ${initial(random)}. ${surname(random)}`;
  if (kind < 0.18) return `${first} ${given(random)} ${surname(random)}`;
  if (kind < 0.24) return `${first}-${given(random)} ${surname(random)}`;
  if (kind < 0.28) return `${first} ${surname(random)} ${surname(random)}`;
  if (kind < 0.31) return `${one(random, surnames)} ${first}`;
  return `${first} ${surname(random)}`;
}

const companyEndings = [
  "Ltd",
  "Inc.",
  "Inc",
  "GmbH",
  "LLC",
  "LLP",
  "Bank",
  "Group",
  "Holdings",
  "Insurance",
  "Hospital",
  "University",
  "Airlines",
  "Foods",
  "Systems",
  "Partners",
  "Foundation",
  "Hotel",
  "Pharmacy",
  "& Sons",
  "& Co",
  "Brothers",
  "Museum",
  "Park",
  "School",
  "Church",
  "Station",
  "Council",
  "Syndrome",
  "Theorem",
  "Method",
  "Prize",
];
/** A company or another body, often of the name of somebody. */
const madeUpCompany = (random: Random): string =>
  `${chance(random, 0.5) ? madeUp(random) : one(random, [...surnames, ...givenNames])} ${one(random, companyEndings)}`;

const number = (random: Random): string =>
  String(Math.floor(10 ** random.uniform(0.5, chance(random, 0.2) ? 10 : 3.2)));
const year = (random: Random): string => String(1950 + Math.floor(random.uniform(0, 76)));
const email = (random: Random): string =>
  `${one(random, ["info", "a.b", "sales", "j.d", "office7"])}@${one(random, ["mail.com", "acme.org", "firma.de", "test.cn"])}`;
const digits = (random: Random, form: string): string =>
  form.replace(/0/g, () => String(Math.floor(random.uniform(0, 10))));

/** What a place of a template is filled with; of a name also that it is one. */
type Filled = readonly [text: string, isName: boolean];

function englishPlace(place: string, random: Random): Filled {
  switch (place) {
    case "F":
      return [fullName(random), true];
    case "G":
      return [given(random), true];
    case "S":
      return [surname(random), true];
    case "I":
      return [`${chance(random, 0.3) ? `${initial(random)}. ` : ""}${initial(random)}. ${surname(random)}`, true];
    case "L":
      return [`${surname(random)}, ${given(random)}${chance(random, 0.2) ? ` ${initial(random)}.` : ""}`, true];
    case "P":
      return englishPlace(one(random, ["F", "G", "F", "I"]), random);
    case "n":
      return [number(random), false];
    case "year":
      return [year(random), false];
    case "email":
      return [email(random), false];
    case "phone":
      return [
        digits(random, one(random, ["(000) 000-0000", "+44 00 0000 0000", "000-0000", "+00 000 000 0000"])),
        false,
      ];
    case "time":
      return [digits(random, one(random, ["10:00", "0:00 pm", "12:00", "9 am"])), false];
    case "date":
      return [
        `${one(random, [`${one(random, english.fillers["month"] ?? [])} ${number(random).slice(0, 2)}, ${year(random)}`, digits(random, "20000000").replace(/(\d{4})(\d\d)/, "$1-$2-"), `${1 + Math.floor(random.uniform(0, 28))} ${one(random, english.fillers["month"] ?? [])} ${year(random)}`, digits(random, "00/00/2000")])}`,
        false,
      ];
    case "any":
      return [one(random, [madeUp, surname, given])(random), false];
    case "city":
      return [chance(random, 0.3) ? madeUp(random) : one(random, english.fillers["city"] ?? []), false];
    case "product":
      return [chance(random, 0.3) ? madeUp(random) : one(random, english.fillers["product"] ?? []), false];
    case "company":
      return [chance(random, 0.35) ? madeUpCompany(random) : one(random, english.fillers["company"] ?? []), false];
    case "street":
      return [
        chance(random, 0.4)
          ? `${one(random, [madeUp, given, surname])(random)} ${one(random, english.streets)}`
          : one(random, english.fillers["street"] ?? []),
        false,
      ];
    default:
      return [one(random, english.fillers[place] ?? [`{${place}}`]), false];
  }
}

/** Mostly characters that names have, now and then any other. */
const givenCharacter = (random: Random): string => one(random, chance(random, 0.12) ? anyCharacters : givenCharacters);
const anyCharacters = Array.from(
  new Set(
    chinese.unnamed
      .concat(chinese.common)
      .join("")
      .replace(/[^\u4e00-\u9fff]/g, ""),
  ),
);
function chineseGiven(random: Random): string {
  const first = givenCharacter(random);
  return chance(random, 0.7) ? first + givenCharacter(random) : first;
}
/** Given names of other characters than those of the list, so that the place of a character counts too. */
const rareCharacters = Array.from(
  "柯苒灵旭朔骁骏驰煊琰芷蘅葭筱笙筠箫筝绮绾缨翎翊翰聿舒菀萦蔚蕴藜衡裳言诗词谊豫贻赫跃辰述逍遥邈酩采钧钰镇镜闻阑陌隽雅雍霁霆靖韵韶颂颐颜飒骞鲲鸢鹂麒麟黛鼎齐然之其尔所",
);
function chineseFull(random: Random): string {
  const family = chance(random, 0.06)
    ? one(random, compoundSurnames)
    : (chineseSurnames[Math.floor(random.uniform() ** 2 * chineseSurnames.length)] ?? "王");
  const own = chance(random, 0.2)
    ? one(random, rareCharacters) +
      (chance(random, 0.6) ? one(random, chance(random, 0.5) ? rareCharacters : givenCharacters) : "")
    : chineseGiven(random);
  return family + own;
}

function chinesePlace(place: string, random: Random): Filled {
  switch (place) {
    case "F":
      if (chance(random, 0.02)) return [fullName(random), true];
      return [
        chance(random, 0.04)
          ? `${one(random, chinese.fillers["foreign"] ?? [])}·${one(random, chinese.fillers["foreign"] ?? [])}`
          : chineseFull(random),
        true,
      ];
    case "S":
      return [
        chance(random, 0.06)
          ? one(random, compoundSurnames)
          : (chineseSurnames[Math.floor(random.uniform() ** 2 * 150)] ?? "李"),
        true,
      ];
    case "G": {
      const character = one(random, givenCharacters);
      return [
        one(random, [
          `小${character}`,
          `阿${character}`,
          character + character,
          chineseGiven(random),
          chineseFull(random),
        ]),
        true,
      ];
    }
    case "X":
      return [one(random, chinese.fillers["foreign"] ?? []), true];
    case "n":
      return [number(random), false];
    case "year":
      return [year(random), false];
    case "email":
      return [email(random), false];
    case "phone":
      return [digits(random, one(random, ["13000000000", "010-60000000", "186 0000 0000"])), false];
    case "time":
      return [digits(random, one(random, ["10:00", "上午9点", "12:00", "下午三点"])), false];
    case "date":
      return [digits(random, one(random, ["2000年10月10日", "2000-01-10", "10月10日", "2000/10/00"])), false];
    default:
      return [one(random, chinese.fillers[place] ?? [`{${place}}`]), false];
  }
}

/** A template with its places filled. */
function filled(template: string, place: (name: string, random: Random) => Filled, random: Random): NamedText {
  let text = "";
  const names: [number, number][] = [];
  for (const part of template.split(/(\{[A-Za-z]+\})/)) {
    const [own, isName] = /^\{[A-Za-z]+\}$/.test(part) ? place(part.slice(1, -1), random) : [part, false];
    if (isName) names.push([text.length, text.length + own.length]);
    text += own;
  }
  return { text, names };
}

/** Texts one behind another. */
function joined(texts: readonly NamedText[], between: string): NamedText {
  let text = "";
  const names: (readonly [number, number])[] = [];
  for (const own of texts) {
    if (text !== "") text += between;
    for (const [start, end] of own.names) names.push([start + text.length, end + text.length]);
    text += own.text;
  }
  return { text, names };
}

/** Lines of the project's guides: prose in both languages about other things than persons. Lines that cite somebody are left out. */
export function proseOf(folder: string): { readonly english: readonly string[]; readonly chinese: readonly string[] } {
  const lines = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.includes("reference") && !name.includes("deidentify"))
    .sort()
    .flatMap((name) =>
      readFileSync(join(folder, name), "utf8")
        .replace(/```.*?```/gs, "")
        .split("\n"),
    )
    .map((line) =>
      line
        .replace(/[|*`#>[\]]/g, " ")
        .replace(/\(http[^)]*\)/g, " ")
        .replace(/\s+/g, " ")
        .trim(),
    )
    .filter(
      (line) =>
        line.length > 25 &&
        line.length < 600 &&
        !/et al|\(\w+,? \d{4}|\d{4}\)|Ada|Grace|Mustermann|Lovelace|Curie/.test(line),
    );
  const isChinese = (line: string) => /[\u4e00-\u9fff]{4}/.test(line);
  return { english: lines.filter((line) => !isChinese(line)), chinese: lines.filter(isChinese) };
}

const isTitle = /\b[a-z]{3,}\b/g;

/** A line of prose, sometimes a part of it, or with words in capitals that say nothing of names. */
function prose(lines: readonly string[], random: Random): NamedText {
  let text = one(random, lines);
  if (chance(random, 0.5))
    text = one(
      random,
      text
        .split(/(?<=[.;:。；：]) ?/)
        .filter((part) => part.length > 3)
        .concat(text),
    );
  const kind = random.uniform();
  if (kind < 0.12) text = text.slice(0, 120).replace(isTitle, (word) => (word[0] ?? "").toUpperCase() + word.slice(1));
  else if (kind < 0.3)
    text = text.replace(isTitle, (word) =>
      chance(random, 0.12) ? (word[0] ?? "").toUpperCase() + word.slice(1) : word,
    );
  else if (kind < 0.33) text = text.slice(0, 100).toUpperCase();
  return { text, names: [] };
}

const lists = new Set([...givenNames, ...surnames]);

/** Upper or lower case throughout, now and then; of lower case are names of the lists alone, which nothing else tells from other words. */
function recased(own: NamedText, random: Random): NamedText {
  const areKnown = own.names.every(([start, end]) =>
    own.text
      .slice(start, end)
      .split(/[\s,]+/)
      .every((word) => lists.has(word)),
  );
  const kind = random.uniform() + (areKnown ? 0 : 0.07);
  const text = kind < 0.07 ? own.text.toLowerCase() : kind < 0.11 ? own.text.toUpperCase() : own.text;
  // Some letters have more than one in the other case: places would be off.
  return text.length === own.text.length ? { ...own, text } : own;
}

const afterStop = /^(?=\{[FGP]\})/;

/** Common words in no order, with a capital at the beginning and now and then elsewhere: none of them is a name by itself. */
function salad(random: Random): NamedText {
  const words = Array.from({ length: 4 + Math.floor(random.uniform(0, 12)) }, () => one(random, english.common));
  const text = words
    .map(
      (word, i) =>
        (i === 0 || chance(random, 0.08) ? (word[0] ?? "").toUpperCase() + word.slice(1) : word) +
        (chance(random, 0.12) ? one(random, [",", ";", "!", ".", "?"]) : ""),
    )
    .join(" ");
  return { text: `${text}.`, names: [] };
}

/** Common Chinese words in no order. */
const chineseSalad = (random: Random): NamedText => ({
  text: `${Array.from({ length: 4 + Math.floor(random.uniform(0, 14)) }, () => one(random, chinese.common) + (chance(random, 0.12) ? one(random, ["，", "。", "、", "：", "；"]) : "")).join("")}。`,
  names: [],
});

/** A text with a name or two between its words, so that not what stands around names alone tells them. */
function withNames(own: NamedText, isChinese: boolean, random: Random): NamedText {
  const places = [...own.text.matchAll(isChinese ? /[，。、：；]|(?<=[\u4e00-\u9fff])(?=[\u4e00-\u9fff])/g : / /g)].map(
    ({ index, 0: found }) => index + found.length,
  );
  if (places.length < 3 || own.names.length > 0) return own;
  const cut = one(random, places);
  const [name] = isChinese
    ? chinesePlace(chance(random, 0.9) ? "F" : "G", random)
    : englishPlace(one(random, ["F", "F", "G", "S", "I"]), random);
  const joint = isChinese ? "" : " ";
  const front = own.text.slice(0, cut) + (isChinese ? "" : one(random, ["", "", "", "Mr. ", "Dr "]));
  const behind = chance(random, 0.2) && !isChinese ? one(random, ["'s", ",", ":", " and"]) : "";
  return {
    text: `${front}${name}${behind}${joint}${own.text.slice(cut)}`,
    names: [[front.length, front.length + name.length]],
  };
}

/** A template that begins with a name, behind a word that begins a sentence. */
const introduced = (template: string, random: Random): string =>
  afterStop.test(template) && chance(random, 0.35) ? `${one(random, english.introductions)} ${template}` : template;

/** A made-up text of one to four sentences. */
export function madeText(random: Random, guides: ReturnType<typeof proseOf>): NamedText {
  const isChinese = chance(random, 0.5);
  const { named, unnamed } = isChinese ? chinese : english;
  const place = isChinese ? chinesePlace : englishPlace;
  const count = 1 + Math.floor(random.uniform() ** 2 * 4);
  const parts = Array.from({ length: count }, () => {
    const kind = random.uniform();
    if (kind < 0.5)
      return filled(isChinese ? one(random, named) : introduced(one(random, named), random), place, random);
    if (kind < 0.64) return filled(one(random, unnamed), place, random);
    const other =
      kind < 0.82
        ? isChinese
          ? chineseSalad(random)
          : salad(random)
        : prose(isChinese ? guides.chinese : guides.english, random);
    return chance(random, 0.5) ? withNames(other, isChinese, random) : other;
  });
  const between = one(random, isChinese ? ["", "", "，", "\n", " "] : [" ", " ", "\n", ", "]);
  return recased(joined(parts, between), random);
}
