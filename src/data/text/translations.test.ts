/** Pairs of sentences and dictionaries learned of them. */
import { expect, test } from "vitest";
import { FileError } from "../../core/errors.ts";
import { loadTypescriptMessages } from "../sets/translations.node.ts";
import { learnDictionary } from "./dictionary.ts";
import { pairMessages, parseTranslations } from "./translations.ts";

test("rows of pairs, with an attribution or without; others are counted", () => {
  const text = "\uFEFFGo.\tVa !\tCC-BY 2.0 (France) #1\r\n\nHi.\tSalut !\nno tab\nempty\t \n";
  expect(parseTranslations(text, "fra.txt")).toEqual({
    pairs: [
      { source: "Go.", target: "Va !" },
      { source: "Hi.", target: "Salut !" },
    ],
    skipped: 2,
  });
  expect(() => parseTranslations("a,b\nc,d", "fra.csv")).toThrow(
    "fra.csv: none of 2 rows has two sentences with a tab between them; expected source<TAB>target",
  );
});

test("messages by their keys, in any quotes", () => {
  const compiler = [
    '  A: diag(1, 1 /* Error */, "A_1", "\'{0}\' \\"expected\\"."),',
    '  B: diag(2, 3 /* Message */, "B_2", \'Add "{0}" don\\\'t\', true),',
    '  C: diag(3, 1 /* Error */, "C_3", "Alone."),',
  ].join("\n");
  expect(pairMessages(compiler, '{"A_1":"attendu","B_2":"ajouter","D_4":"seul"}', "fr.json")).toEqual({
    pairs: [
      { source: "'{0}' \"expected\".", target: "attendu" },
      { source: 'Add "{0}" don\'t', target: "ajouter" },
    ],
    skipped: 1,
  });
  expect(() => pairMessages(compiler, '{"A_1"', "fr.json")).toThrow(/^fr.json: is no JSON/);
  expect(() => pairMessages(compiler, '{"A_1":1}', "fr.json")).toThrow(FileError);
  expect(() => pairMessages("", '{"A_1":"x"}', "fr.json")).toThrow(/none of its messages is in the compiler/);
});

test("TypeScript's messages: all but two of those that it has in French", async () => {
  const { pairs, skipped } = await loadTypescriptMessages();
  expect([pairs.length, skipped]).toEqual([2118, 2]);
  expect(pairs).toContainEqual({ source: "Unterminated string literal.", target: "Littéral de chaîne inachevé." });
});

test("IBM's model 1 finds who translates whom", () => {
  // The example of Brown et al. 1993 as it is taught: only together do the sentences tell the words apart.
  const dictionary = learnDictionary([
    [
      ["the", "house"],
      ["la", "maison"],
    ],
    [
      ["the", "flower"],
      ["la", "fleur"],
    ],
    [
      ["blue", "house"],
      ["maison", "bleue"],
    ],
  ]);
  expect(Object.fromEntries(dictionary)).toEqual({ the: "la", house: "maison", flower: "fleur", blue: "bleue" });
});
