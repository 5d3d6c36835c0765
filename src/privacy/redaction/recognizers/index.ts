/** Recognizers by the kind that they find; names of persons are found by a tagger. */
import type { CountryCode } from "libphonenumber-js/min";
import type { PersonalKind, Recognizer } from "../kinds.ts";
import { birthDates } from "./birth-date.ts";
import { cards } from "./card.ts";
import { chineseAddresses } from "./chinese-address.ts";
import { emails } from "./email.ts";
import { ibans } from "./iban.ts";
import { identityNumbers } from "./identity.ts";
import { networkAddresses } from "./network.ts";
import { plates } from "./plate.ts";
import { secrets } from "./secret.ts";
import { telephones } from "./telephone.ts";
import { westernAddresses } from "./western-address.ts";

/** @param regions whose national telephone numbers are known */
export const recognizersOf = (
  regions: readonly CountryCode[],
): Readonly<Record<Exclude<PersonalKind, "person">, readonly Recognizer[]>> => ({
  email: [emails],
  telephone: [telephones(regions)],
  address: [westernAddresses, chineseAddresses],
  card: [cards],
  iban: [ibans],
  identity: [identityNumbers],
  "birth-date": [birthDates],
  plate: [plates],
  secret: [secrets],
  network: [networkAddresses],
});
