/** Texts without personal data: placeholders, pseudonyms, false values of the same form. */
import { expect, test } from "vitest";
import { OptionError } from "../../core/errors.ts";
import { isLuhn, residentCheck } from "./checksums.ts";
import type { PersonalSpan } from "./kinds.ts";
import { withoutOverlaps } from "./overlaps.ts";
import { type RedactOptions, redactText } from "./redact-text.ts";

const key = new Uint8Array(32).fill(7);
const text =
  "Write to jane@acme.io or call +44 20 7946 0018; card 4242 4242 4242 4242. Again: JANE@ACME.IO, 身份证11010519491231002X.";
const made = async (options: Partial<RedactOptions>) => (await redactText(text, { names: false, ...options })).text;

test("placeholders, and a report that says nothing of what was there", async () => {
  const { text: redacted, changes, counts } = await redactText(text, { names: false });
  expect(redacted).toBe("Write to [EMAIL] or call [TELEPHONE]; card [CARD]. Again: [EMAIL], 身份证[IDENTITY].");
  expect(counts).toEqual({ email: 2, telephone: 1, card: 1, identity: 1 });
  expect(JSON.stringify(changes)).not.toMatch(/jane|7946|4242|1101/i);
  expect((await redactText(redacted, { names: false })).changes).toEqual([]);
});

test("a pseudonym follows from the value and the key, whatever the case", async () => {
  const one = await made({ replace: "pseudonym", key });
  const [first, second] = one.match(/EMAIL_[0-9a-f]{8}/g) ?? [];
  expect(first).toBe(second);
  expect(await made({ replace: "pseudonym", key })).toBe(one);
  expect(await made({ replace: "pseudonym", key: new Uint8Array(32).fill(8) })).not.toContain(first);
  // Without a key one of chance, which nobody knows.
  expect(await made({ replace: "pseudonym" })).not.toContain(first);
});

test("false values have the form and the check digits of true ones, and are of ranges that nobody has", async () => {
  const fake = await made({ replace: "fake", key });
  const [, email, phone, card, , id] =
    /Write to (\S+) or call ([+\d ]+); card ([\d ]+)\. Again: (\S+), 身份证(\S+)\./.exec(fake) ?? [];
  expect(email).toMatch(/^[a-z]{4}@example\.com$/);
  expect(phone).toMatch(/^\+44 16 3296 0\d{3}$/);
  expect(card).toMatch(/^9999 \d{4} \d{4} \d{4}$/);
  expect(isLuhn((card ?? "").replaceAll(" ", ""))).toBe(true);
  expect(id).toMatch(/^99\d{15}[\dX]$/);
  expect(residentCheck(id ?? "")).toBe(id?.[17]);
});

test.each([
  ["SSN 536-22-8145", /^SSN 9\d\d-[0-4]\d-\d{4}$/],
  ["DOB 03/14/1971", /^DOB \d\d\/\d\d\/19\d\d$/],
  ["born on 7 August 1983", /^born on \d{2} [A-Z][a-z]+ 198\d$/],
  ["出生日期1988年5月16日", /^出生日期198\d年\d{1,2}月\d{1,2}日$/],
  ["from 198.51.100.23 port", /^from (?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d+ port$/],
  ["IBAN GB29 NWBK 6016 1331 9268 19", /^IBAN GB\d\d XXXX \d{4} \d{4} \d{4} \d\d$/],
  ["call 212 555 0147", /^call 212 555 01\d\d$/],
  ["at 48 Larkspur Lane, Guildford GU2 7XH", /^at \d\d [A-Z][a-z]+ Lane, [A-Z][a-z]+ /],
  ["住在北京市海淀区学院路37号", /^住在示例市示例区示例路\d\d号$/],
  ["plate 京A·8K291", /^plate 京I·\d[A-Z]\d{3}$/],
  ["token: ghp_Zk3vQ8mTr6LpXw2NsYb7HdJc4Ua9FgEe1Ro0", /^token: [a-z]{3}_\w{36}$/],
])("false values of %s", async (own, form) => {
  const { text: fake } = await redactText(own, { names: false, replace: "fake", key });
  expect(fake).toMatch(form);
  expect(fake).not.toBe(own);
});

test("kinds that are not asked for stay, also where another kind looks like them", async () => {
  expect(await made({ kinds: ["telephone"] })).toBe(text.replace("+44 20 7946 0018", "[TELEPHONE]"));
  expect(await made({ allow: ["Jane@acme.io"] })).toContain("jane@acme.io or call [TELEPHONE]");
});

test("of what overlaps the most certain stays, then the longest", () => {
  const span = (start: number, end: number, certainty: number): PersonalSpan => ({
    ...{ kind: "card", rule: "test", start, end, certainty },
  });
  expect(withoutOverlaps([span(0, 5, 0.5), span(3, 9, 0.9), span(8, 12, 0.5), span(9, 10, 0.5)], 12)).toEqual([
    span(3, 9, 0.9),
    span(9, 10, 0.5),
  ]);
});

test.each<readonly [Partial<RedactOptions>, RegExp]>([
  [{ key: new Uint8Array(3) }, /the key has 3 bytes, expected 16 at least/],
  [{ kinds: ["person"] }, /kinds has person, and names is false/],
  [{ regions: ["XX"] }, /regions has "XX"/],
])("%j is refused", async (options, words) => {
  expect(() => redactText(text, { names: false, ...options })).toThrow(OptionError);
  expect(() => redactText(text, { names: false, ...options })).toThrow(words);
});
