/** Addresses on networks: IPv4, IPv6 and MAC, those of nobody left out. */
import type { PersonalSpan } from "../kinds.ts";
import { isAfter } from "./surroundings.ts";

const versions =
  /(?:\bversion|\brelease|\bbuild|\bkernel|\bdriver|\bfirmware|\bfirefox|\bchrome|\bedge|\bsafari|\bnode|\bpython|\bjava|\bphp|\bv|版本|版)[ :.]*$/i;

/** Loopback, unspecified, broadcast and netmasks say nothing of anybody. */
const isNobody = (octets: readonly number[]): boolean => [0, 127, 255].includes(octets[0] as number);

function* ipv4(text: string): Generator<PersonalSpan> {
  for (const { index, 0: found } of text.matchAll(/(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d|-\d)/g)) {
    const octets = found.split(".").map(Number);
    if (octets.some((octet) => octet > 255) || isNobody(octets) || isAfter(text, index, versions, 16)) continue;
    yield { kind: "network", start: index, end: index + found.length, rule: "ipv4", certainty: 0.85 };
  }
}

/** Eight groups, or fewer around one "::". */
function isIpv6(text: string): boolean {
  const sides = text.split("::");
  const groups = sides.flatMap((side) => (side === "" ? [] : side.split(":")));
  if (sides.length > 2 || groups.some((group) => !/^[\da-f]{1,4}$/i.test(group))) return false;
  return sides.length === 1 ? groups.length === 8 : groups.length > 2 && groups.length < 8;
}

function* ipv6(text: string): Generator<PersonalSpan> {
  for (const { index, 0: found } of text.matchAll(/(?<![\w:.])[\da-f:]{6,39}(?![\w:])/gi))
    if (isIpv6(found)) yield { kind: "network", start: index, end: index + found.length, rule: "ipv6", certainty: 0.9 };
}

function* mac(text: string): Generator<PersonalSpan> {
  for (const { index, 0: found } of text.matchAll(
    /(?<![\w:-])[\da-f]{2}([:-])[\da-f]{2}(?:\1[\da-f]{2}){4}(?![\w:-])/gi,
  ))
    if (!/^(?:ff.){5}ff$|^(?:00.){5}00$/i.test(found))
      yield { kind: "network", start: index, end: index + found.length, rule: "mac", certainty: 0.9 };
}

/** Finds addresses on networks. */
export function* networkAddresses(text: string): Generator<PersonalSpan> {
  yield* ipv4(text);
  yield* ipv6(text);
  yield* mac(text);
}
