/** False values for true ones, of the same kind and form, that belong to nobody. */
import { Random } from "../../../core/random.ts";
import type { PersonalKind, PersonalSpan } from "../kinds.ts";
import { chineseSurnames, givenCharacters } from "../names/chinese-names.ts";
import { givenNames } from "../names/given-names.ts";
import { surnames } from "../names/surnames.ts";
import { fakeDate } from "./dates.ts";
import { below, charactersFor, digitsFor, oneOf } from "./drawn.ts";
import { fakeCard, fakeIban, fakeIdentity, fakeTelephone } from "./numbers.ts";

type Fake = (value: string, random: Random, rule: string) => string;

/** The case of a word for another. */
function inCase(word: string, like: string): string {
  if (like.length > 1 && like === like.toUpperCase()) return word.toUpperCase();
  return like === like.toLowerCase() ? word.toLowerCase() : word;
}

/** A name of as many words, initials for initials; of Chinese ones as many characters. */
const person: Fake = (value, random) => {
  if (/\p{Script=Han}/u.test(value)) {
    const characters = Array.from(value, (own, i) => {
      if (!/\p{Script=Han}/u.test(own)) return own;
      return i === 0 ? oneOf(random, chineseSurnames) : oneOf(random, givenCharacters);
    });
    return characters.join("");
  }
  const words = value.match(/[\p{L}'’]+/gu)?.length ?? 0;
  let at = 0;
  return value.replace(/[\p{L}'’]+/gu, (word) => {
    at++;
    if (word.length === 1) return inCase(String.fromCharCode(65 + below(random, 26)), word);
    return inCase(oneOf(random, at === words && words > 1 ? surnames : givenNames), word);
  });
};

const trees = [
  "Alder",
  "Ash",
  "Beech",
  "Birch",
  "Cedar",
  "Chestnut",
  "Elm",
  "Hazel",
  "Juniper",
  "Laurel",
  "Linden",
  "Maple",
  "Rowan",
  "Spruce",
  "Willow",
];
const kept =
  /^(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Parkway|Pkwy|Close|Crescent|Gardens|Grove|Mews|Hill|Row|Walk|Way|Apt|Suite|Unit|Flat|Floor|Room|Box|P|O|North|South|East|West|[NSEW])$/;

/** The same words for kinds of places, other names and numbers. */
const address: Fake = (value, random) => {
  if (/\p{Script=Han}/u.test(value))
    return digitsFor(
      value.replace(
        /[\u4e00-\u9fff]+?(省|自治区|市|区|县|旗|镇|乡|街道|大道|路|街|道|巷|弄|村|庄|里|园|公寓|广场|大厦)/g,
        "示例$1",
      ),
      random,
    );
  const swapped = value.replace(/[\p{L}'’]+/gu, (word) => {
    if (kept.test(word) || word.toLowerCase() === word) return word;
    return word.toUpperCase() === word ? charactersFor(word, random) : oneOf(random, trees);
  });
  return digitsFor(swapped, random);
};

/** An address of networks that are for documents alone (RFC 5737, 3849, 7042). */
const network: Fake = (_, random, rule) => {
  if (rule === "ipv4") return `${oneOf(random, ["192.0.2", "198.51.100", "203.0.113"])}.${1 + below(random, 254)}`;
  if (rule === "ipv6")
    return `2001:db8::${(1 + below(random, 65_534)).toString(16)}:${(1 + below(random, 65_534)).toString(16)}`;
  return `00:00:5e:00:53:${below(random, 256).toString(16).padStart(2, "0")}`;
};

const fakes: Readonly<Record<PersonalKind, Fake>> = {
  person,
  address,
  network,
  email: (value, random) =>
    `${charactersFor(value.slice(0, value.indexOf("@")).replace(/[^\w.+-]/g, "x"), random)}@example.com`,
  telephone: (value, random, rule) => fakeTelephone(value, rule, random),
  card: fakeCard,
  iban: fakeIban,
  identity: (value, random, rule) => fakeIdentity(value, rule, random),
  "birth-date": fakeDate,
  // No country has plates with I as their first letter.
  plate: (value, random) => charactersFor(value, random).replace(/[A-Z]/, "I"),
  secret: (value, random) =>
    value
      .split("\n")
      .map((line) => (line.startsWith("-----") ? line : charactersFor(line, random)))
      .join("\n"),
};

/** A false value. @param digest 8 bytes or more, from which it follows */
export function fakeOf({ kind, rule }: PersonalSpan, value: string, digest: Uint8Array): string {
  const view = new DataView(digest.buffer, digest.byteOffset);
  return fakes[kind](value, new Random([view.getUint32(0), view.getUint32(4)]), rule);
}
