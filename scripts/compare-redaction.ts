/**
 * How well openredaction finds personal data in the English labelled sentences, beside which the guide holds ours. It is no dependency:
 * npm install --prefix FOLDER --ignore-scripts openredaction; node --import tsx scripts/compare-redaction.ts FOLDER
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { type LabelledSpan, labelledSentences, scoreOf } from "../src/privacy/redaction/testing/labelled.ts";

const folder = resolve(process.argv[2] ?? ".");
const { OpenRedaction } = createRequire(join(folder, "package.json"))("openredaction");
const detector = new OpenRedaction();

/** Its kinds by what their names begin with or hold; others are none of ours. */
const kinds: readonly (readonly [RegExp, LabelledSpan["kind"]])[] = [
  [/^NAME|PERSON/, "person"],
  [/^EMAIL/, "email"],
  [/PHONE|MOBILE|FAX/, "telephone"],
  [/ADDRESS_(?:STREET|PO)|^ADDRESS|POSTCODE|ZIP/, "address"],
  [/CREDIT_CARD|DEBIT/, "card"],
  [/IBAN/, "iban"],
  [/SSN|SOCIAL_SECURITY|NATIONAL_INSURANCE|NINO|NHS|AADHAAR|_NIR|DNI|NIE|TAX_ID|PASSPORT|NATIONAL_ID/, "identity"],
  [/BIRTH|DOB/, "birth-date"],
  [/PLATE|VEHICLE_REG/, "plate"],
  [/KEY|TOKEN|SECRET|PASSWORD|JWT|DATABASE_CONNECTION/, "secret"],
  [/^IPV?|MAC_/, "network"],
];

const sentences = labelledSentences(readFileSync("test/fixtures/redaction/english.txt", "utf8"));
const unknown = new Set<string>();
const found: LabelledSpan[][] = [];
for (const { text } of sentences) {
  const { detections } = (await detector.detect(text)) as {
    detections: { type: string; position: [number, number] }[];
  };
  found.push(
    detections.flatMap(({ type, position: [start, end] }) => {
      const kind = kinds.find(([names]) => names.test(type))?.[1];
      if (kind === undefined) unknown.add(type);
      return kind === undefined ? [] : [{ kind, start, end }];
    }),
  );
}
for (const [kind, { labelled, found: own, touchedFindings, touchedLabels }] of Object.entries(
  scoreOf(sentences, found),
))
  console.log(
    kind.padEnd(12),
    String(labelled).padStart(4),
    (own === 0 ? "-" : ((100 * touchedFindings) / own).toFixed(1)).padStart(6),
    ((100 * touchedLabels) / labelled).toFixed(1).padStart(6),
  );
console.log("of other kinds:", [...unknown].join(", "));
