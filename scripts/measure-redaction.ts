/**
 * How well personal data is found in the labelled sentences: node --import tsx scripts/measure-redaction.ts [--development] [--errors] [--weights FILE]. Precision and recall by kind,
 * beside plain regular expressions; what is found in Moby Dick; megabytes a second.
 */
import { readFileSync } from "node:fs";
import { loadMobyDick } from "../src/data/sets/moby-dick.node.ts";
import { loadNameTagger } from "../src/privacy/redaction/names/load-name-tagger.node.ts";
import { nameTagger } from "../src/privacy/redaction/names/name-tagger.ts";
import { redactor } from "../src/privacy/redaction/redact-text.ts";
import { type LabelledSpan, labelledSentences, scoreOf } from "../src/privacy/redaction/testing/labelled.ts";

const flags = process.argv.slice(2);
const at = flags.indexOf("--weights");
const names = at < 0 ? await loadNameTagger() : nameTagger(readFileSync(flags[at + 1] ?? ""));
const redact = redactor({ names });

/** What many scripts do: a regular expression a kind, no checks. */
const plain: readonly (readonly [LabelledSpan["kind"], RegExp])[] = [
  ["email", /[\w.+-]+@[\w-]+\.[\w.-]+/g],
  ["telephone", /\+?\d[\d ().-]{7,14}\d/g],
  ["card", /\b(?:\d[ -]?){13,19}\b/g],
  ["iban", /\b[A-Z]{2}\d{2}[A-Z0-9 ]{11,30}\b/g],
  ["identity", /\b\d{3}-\d{2}-\d{4}\b|\b\d{17}[\dXx]\b/g],
  ["birth-date", /\b\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}\b/g],
  ["person", /\b(?:Mr|Mrs|Ms|Dr|Prof)\.? [A-Z][a-z]+\b|\b[A-Z][a-z]+ [A-Z][a-z]+\b/g],
  ["address", /\b\d+ [A-Z][a-z]+ (?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive)\b/g],
  ["network", /\b(?:\d{1,3}\.){3}\d{1,3}\b/g],
];

const percent = (part: number, whole: number): string => (whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)}`);

for (const language of ["english", "chinese"]) {
  const file = `test/fixtures/redaction/${flags.includes("--development") ? "development-" : ""}${language}.txt`;
  const sentences = labelledSentences(readFileSync(file, "utf8"));
  const found = [];
  for (const { text } of sentences) found.push((await redact(text)).changes);
  if (flags.includes("--errors"))
    for (const [i, { text, spans }] of sentences.entries()) {
      const key = ({ kind, start, end }: LabelledSpan) => `${kind} ${text.slice(start, end)}`;
      const [wanted, got] = [spans.map(key), (found[i] ?? []).map(key)];
      const [missed, extra] = [wanted.filter((own) => !got.includes(own)), got.filter((own) => !wanted.includes(own))];
      if (missed.length + extra.length > 0)
        console.log(JSON.stringify(text).slice(0, 140), "\n    missed", missed, "extra", extra);
    }
  for (const [name, own] of [
    ["sardonyx", found],
    [
      "plain regular expressions",
      sentences.map(({ text }) =>
        plain.flatMap(([kind, pattern]) =>
          [...text.matchAll(pattern)].map(({ index, 0: match }) => ({ kind, start: index, end: index + match.length })),
        ),
      ),
    ],
  ] as const) {
    console.log(
      `\n${language}, ${sentences.length} sentences, ${name}\n${"kind".padEnd(12)} labels  precision recall (exact)  precision recall (overlap)  hidden`,
    );
    for (const [kind, score] of Object.entries(scoreOf(sentences, own)))
      console.log(
        kind.padEnd(12),
        String(score.labelled).padStart(6),
        percent(score.exact, score.found).padStart(10),
        percent(score.exact, score.labelled).padStart(6),
        percent(score.touchedFindings, score.found).padStart(18),
        percent(score.touchedLabels, score.labelled).padStart(6),
        percent(score.hidden, score.labelled).padStart(17),
      );
  }
}
if (flags.includes("--errors")) process.exit();

/** A text in parts of whole lines, as the command reads it. */
function partsOf(text: string, size = 1 << 16): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length; ) {
    const end = from + size >= text.length ? text.length : text.lastIndexOf("\n", from + size) + 1;
    parts.push(text.slice(from, end));
    from = end;
  }
  return parts;
}

const novel = partsOf(await loadMobyDick());
const counts: Record<string, number> = {};
const shown: string[] = [];
const began = performance.now();
for (const part of novel)
  for (const { kind, start, end } of (await redact(part)).changes) {
    counts[kind] = (counts[kind] ?? 0) + 1;
    if (kind !== "person" || shown.length < 4000) shown.push(`${kind} ${part.slice(start, end)}`);
  }
const seconds = (performance.now() - began) / 1000;
const bytes = novel.join("").length;
const words = novel.join("").split(/\s+/).length;
console.log(`\nMoby Dick: ${words} words, ${(bytes / 1e6 / seconds).toFixed(2)} MB/s; found by kind`, counts);
console.log("other than persons:", shown.filter((own) => !own.startsWith("person")).join("; "));
const often = new Map<string, number>();
for (const own of shown) if (own.startsWith("person")) often.set(own.slice(7), (often.get(own.slice(7)) ?? 0) + 1);
console.log(
  [...often]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 150)
    .map(([name, count]) => `${name} ${count}`)
    .join(", "),
);
console.log("every 20th:", shown.filter((own, i) => own.startsWith("person") && i % 20 === 0).join("; "));
