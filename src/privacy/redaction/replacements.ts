/** What stands in the place of personal data: its kind, a pseudonym of its value, or a false value of the same form. */
import type { Digest } from "./digest.ts";
import { fakeOf } from "./fakes/index.ts";
import type { PersonalSpan } from "./kinds.ts";

/** Ways to replace, the default first. */
export const replacementNames = ["placeholder", "pseudonym", "fake"] as const;
/** A way to replace. */
export type Replacement = (typeof replacementNames)[number];

/** @param value what was found, without invisible characters and full-width forms */
type Replace = (span: PersonalSpan, value: string, digest: Digest) => string | Promise<string>;

const label = ({ kind }: PersonalSpan): string => kind.toUpperCase().replace("-", "_");

/** Values that mean the same: a number with and without its separators, a name in capitals. */
export function sameValue({ kind }: PersonalSpan, value: string): string {
  const isWritten = kind === "person" || kind === "address" || kind === "secret";
  const own = isWritten ? value.replace(/\s+/g, " ") : value.replace(/[\s().·•-]/g, "");
  return `${kind}\0${kind === "secret" ? own : own.toLowerCase()}`;
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Every way, by name. */
export const replacements: Readonly<Record<Replacement, Replace>> = {
  placeholder: (span) => `[${label(span)}]`,
  pseudonym: async (span, value, digest) =>
    `${label(span)}_${hex((await digest(sameValue(span, value))).subarray(0, 4))}`,
  fake: async (span, value, digest) => fakeOf(span, value, await digest(sameValue(span, value))),
};
