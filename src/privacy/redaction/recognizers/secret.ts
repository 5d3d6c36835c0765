/** Keys, tokens and passwords: by the prefixes of those who issue them, and by the names that values are assigned to. */
import type { PersonalSpan } from "../kinds.ts";

/** What is known by its form: of each the rule, and the part that is secret as its first group where that is not all. */
const forms: readonly (readonly [rule: string, pattern: RegExp])[] = [
  ["private-key", /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g],
  ["jwt", /(?<![\w-])eyJ[\w-]{8,2000}\.[\w-]{4,8000}\.[\w-]{8,2000}/g],
  ["aws-key", /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])/g],
  ["github-token", /(?<!\w)(?:gh[pousr]_\w{36,251}|github_pat_\w{22,255})/g],
  ["gitlab-token", /(?<!\w)gl(?:pat|dt|rt|ptt|cbt)-[\w-]{20,64}/g],
  ["slack-token", /(?<!\w)xox[abeoprs]-[\w-]{10,250}/g],
  ["slack-webhook", /https:\/\/hooks\.slack\.com\/services\/([\w/]{20,80})/dg],
  ["google-key", /(?<![\w-])AIza[\w-]{35,40}(?![\w-])/g],
  ["google-token", /(?<![\w-])(?:ya29\.[\w-]{20,500}|GOCSPX-[\w-]{28})/g],
  ["stripe-key", /(?<!\w)[rsp]k_(?:live|test)_\w{10,250}/g],
  ["model-key", /(?<![\w-])sk-(?:proj-|ant-|or-)?[\w-]{20,200}/g],
  [
    "hub-token",
    /(?<!\w)(?:hf_\w{30,64}|npm_\w{36,64}|pypi-[\w-]{50,250}|dop_v1_[\da-f]{64}|glsa_\w{32,64}|shpat_[\da-f]{32})/g,
  ],
  ["sendgrid-key", /(?<!\w)SG\.[\w-]{16,32}\.[\w-]{16,64}/g],
  ["age-key", /AGE-SECRET-KEY-1[A-Z0-9]{58}/g],
  ["azure-key", /(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,90}={0,2})/dg],
  ["bearer", /\b(?:bearer|basic) ([\w.~+/-]{16,2000}={0,2})/dgi],
  ["url-password", /\b[a-z][a-z0-9+.-]{1,19}:\/\/[^\s:@/"']{0,64}:([^\s@/"']{3,128})@/dgi],
];

const names =
  "pass(?:word|wd|phrase|code)?|pwd|secret(?:[_-]?(?:access[_-]?)?key)?|token|api[_-]?key|(?:access|private|client|encryption|signing|auth|account)[_-]?(?:key|token|secret)|auth|credentials?";
const assignment = new RegExp(
  `(?<![A-Za-z0-9])(?:[A-Za-z0-9]{1,24}[_.-]){0,4}(?:${names})["']?(?: is(?=[ :])|[ ]{0,2}(?::=|=>|[:=]))[ ]{0,3}(["'\`]?)([!-~]{5,256})`,
  "dgi",
);
const chinese = /(?:密码|口令|密钥|秘钥|令牌|访问密钥|私钥)(?:为|是)?[ ]?[:=]?[ ]?(["']?)([!-~]{5,256})/dg;

/** What stands for a secret in examples and code. */
const standIns =
  /^(?:none|null|nil|true|false|undefined|empty|changeme|change_me|example|password|secret|token|xxx+|\*+|\.+|-+|your[_-].*|my[_-].*|<.*|\$.*|%.*|\{.*|\[.*|process\..*|os\..*|env[.[(].*|getenv.*|https?:.*)$/i;

/** Bits a character of a text. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** Whether a value looks like one that nobody is to guess: not a word, not a call, of different characters. */
export function isSecretLike(value: string): boolean {
  if (value.length < 6 || standIns.test(value) || /[()]/.test(value)) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length;
  return entropyOf(value) >= 2.2 && (kinds > 1 || (value.length >= 20 && entropyOf(value) >= 3));
}

/** A value up to the quote that it opened with, or what cannot be part of it. */
function secretIn(text: string, quote: string): string {
  if (quote !== "") {
    const end = text.indexOf(quote);
    return end < 0 ? text : text.slice(0, end);
  }
  return (/^[^"'`,;&<>\\]*/.exec(text)?.[0] ?? "").replace(/[.)\]}]+$/, "");
}

/** Where a block that began ends; the end of the text where it does not. */
function blockEnd(text: string, from: number): number {
  const end = text.indexOf("-----END", from);
  if (end < 0) return text.length;
  const close = text.indexOf("-----", end + 8);
  return close < 0 ? text.length : close + 5;
}

/** Finds secrets. */
export function* secrets(text: string): Generator<PersonalSpan> {
  for (const [rule, pattern] of forms) {
    let last = 0;
    for (const { index, 0: found, indices } of text.matchAll(pattern)) {
      if (index < last) continue;
      const [start, end] = indices?.[1] ?? [index, index + found.length];
      last = rule === "private-key" ? blockEnd(text, end) : end;
      yield { kind: "secret", start, end: last, rule, certainty: 0.99 };
    }
  }
  for (const pattern of [assignment, chinese])
    for (const match of text.matchAll(pattern)) {
      const start = match.indices?.[2]?.[0] ?? 0;
      const value = secretIn(match[2] ?? "", match[1] ?? "");
      if (isSecretLike(value))
        yield { kind: "secret", start, end: start + value.length, rule: "assigned", certainty: 0.97 };
    }
}
