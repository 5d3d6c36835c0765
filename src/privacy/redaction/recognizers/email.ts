/** E-mail addresses (RFC 5322 as people write them: no comments, no quotes). */
import type { PersonalSpan } from "../kinds.ts";

const local = /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]/u;
const domain = /[\p{L}\p{N}.-]/u;
/** Longest local part and domain (RFC 5321, 4.5.3.1). */
const [longestLocal, longestDomain] = [64, 255];

/** Labels of letters and digits, the last of letters. */
const isDomain = (text: string): boolean =>
  /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:\p{L}{2,24}|xn--[a-z0-9-]{2,59})$/u.test(text);

/** What may stand around an address in place of belonging to it. */
const isJoin = (character: string | undefined): boolean =>
  character !== undefined && /[\u3040-\u30ff\u3400-\u9fff]/.test(character);

/** Finds addresses from their @ on, both ways. */
export function* emails(text: string): Generator<PersonalSpan> {
  let last = 0;
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    let start = at;
    while (start > last && at - start < longestLocal && local.test(text[start - 1] ?? "") && !isJoin(text[start - 1]))
      start--;
    while (start < at && /[.'`=/{|}!?#$%&*^~-]/.test(text[start] ?? "")) start++;
    // What stands before a sign is a key: user=jane@example.org.
    const own = text.slice(start, at);
    const key = start + Math.max(...Array.from("=/{|}`!?#$%&*^", (sign) => own.lastIndexOf(sign)));
    if (key >= start) start = key + 1;
    let end = at + 1;
    while (end - at <= longestDomain && domain.test(text[end] ?? "") && !isJoin(text[end])) end++;
    while (end > at && /[.-]/.test(text[end - 1] ?? "")) end--;
    const isRemote = text[end] === ":" && /^(?:git|hg)$/.test(text.slice(start, at));
    if (start === at || isRemote || text[at - 1] === "." || !isDomain(text.slice(at + 1, end))) continue;
    yield { kind: "email", start, end, rule: "email", certainty: 0.95 };
    last = end;
  }
}
