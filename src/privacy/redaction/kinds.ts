/** Kinds of personal data that texts are searched for, and what a search finds. */

/** Every kind, in the order of reports. */
export const personalKinds = [
  "person",
  "email",
  "telephone",
  "address",
  "card",
  "iban",
  "identity",
  "birth-date",
  "plate",
  "secret",
  "network",
] as const;

/**
 * A kind of personal data: names of persons; e-mail; telephone; street and postal addresses; payment cards; bank accounts; identity, tax and insurance numbers; dates of birth;
 * plates of vehicles; keys, tokens and passwords; IP and MAC addresses.
 */
export type PersonalKind = (typeof personalKinds)[number];

/** A place in a text that holds personal data. */
export interface PersonalSpan {
  readonly kind: PersonalKind;
  /** First UTF-16 unit in the text, and the one behind the last. */
  readonly start: number;
  readonly end: number;
  /** What found it, such as `luhn` or `resident-id`. */
  readonly rule: string;
  /** From 0 to 1: where findings overlap the more certain one counts. It orders them, and is no probability. */
  readonly certainty: number;
}

/** Finds one kind in a text that was made plain by `searchable`. Its time is linear in the length of the text. */
export type Recognizer = (text: string) => Iterable<PersonalSpan>;
