/** False numbers of cards, accounts, persons and telephones, of ranges that nobody is given numbers of. */
import { countrySpecs, isValidIBAN } from "ibantools";
import type { Random } from "../../../core/random.ts";
import { isDay } from "../calendar.ts";
import { isLuhn, residentCheck } from "../checksums.ts";
import { identityRules } from "../recognizers/identity.ts";
import { below, charactersFor, digitsFor, inForm } from "./drawn.ts";

const drawn = (random: Random, count: number): string => digitsFor("0".repeat(count), random);

/** A card that passes Luhn, of the issuers' numbers 9999, which are of no issuer (ISO/IEC 7812-1: 9 and a country that there is not). */
export function fakeCard(value: string, random: Random): string {
  const count = value.replace(/\D/g, "").length;
  const body = `9999${drawn(random, count - 5)}`;
  const check = Array.from("0123456789").find((digit) => isLuhn(body + digit)) ?? "0";
  return inForm(value, body + check);
}

/** An account with valid check digits of the same country, at a bank of zeros and X, which is none. */
export function fakeIban(value: string, random: Random): string {
  const own = value.replace(/[ -]/g, "").toUpperCase();
  const country = own.slice(0, 2);
  const bank = Object.entries(countrySpecs)
    .find(([code]) => code === country)?.[1]
    .bank_identifier?.split("-") ?? ["0", "3"];
  const behind = Number(bank[1] ?? 3) + 1;
  const account = own.slice(4).replace(/./gs, (character, at: number) => {
    if (/\d/.test(character)) return at < behind ? "0" : drawn(random, 1);
    return at < behind ? "X" : charactersFor(character, random);
  });
  const checks = Array.from({ length: 97 }, (_, i) => String(i + 2).padStart(2, "0"));
  const check = checks.find((digits) => isValidIBAN(country + digits + account)) ?? "00";
  const whole = country + check + account;
  let next = 0;
  return value.replace(/[A-Za-z\d]/g, () => whole[next++] ?? "");
}

/** A resident's number with valid check of region 99, which is none; a US number that begins with 9, which is never issued; of other kinds one whose check is wrong. */
export function fakeIdentity(value: string, rule: string, random: Random): string {
  if (rule === "resident-id" && value.length === 18) {
    let [year, month, day] = [0, 0, 0];
    while (!isDay(year, month, day))
      [year, month, day] = [1940 + below(random, 70), 1 + below(random, 12), 1 + below(random, 31)];
    const body = `99${drawn(random, 4)}${year}${String(month).padStart(2, "0")}${String(day).padStart(2, "0")}${drawn(random, 3)}`;
    return body + residentCheck(body);
  }
  if (rule === "us-ssn")
    return inForm(value, `9${drawn(random, 2)}${1 + below(random, 49)}`.padEnd(5, "0").slice(0, 5) + drawn(random, 4));
  const isValid = (text: string) =>
    identityRules.some((own) => own.rule === rule && own.isValid(text.replace(/[ .-]/g, "").toUpperCase()));
  let made = charactersFor(value, random);
  // Some numbers have no check digits: letters and digits of chance are all that can be had.
  for (let attempt = 0; attempt < 20 && isValid(made); attempt++) made = charactersFor(value, random);
  return made;
}

/**
 * A telephone number that nobody has: in North America of 555-01xx, in Britain of Ofcom's 07700 900xxx and 01632 960xxx, of elsewhere with the country's code and zeros before three digits.
 */
export function fakeTelephone(value: string, rule: string, random: Random): string {
  const digits = value.replace(/\D/g, "");
  const isAmerican = rule === "national-us" || (rule === "international" && /^(?:00)?1\d{10}$/.test(digits));
  const isBritish = rule === "national-gb" || (rule === "international" && /^(?:00)?44/.test(digits));
  if (isAmerican && digits.length >= 10) {
    const front = digits.slice(0, digits.length - 10);
    return inForm(value, `${front}${digits.slice(-10, -7)}55501${drawn(random, 2)}`);
  }
  if (isBritish) {
    const front = /^(?:00)?440?/.exec(digits)?.[0] ?? "0";
    const isMobile = digits[front.length] === "7";
    return inForm(value, front + (isMobile ? "7700900" : "1632960") + drawn(random, 3));
  }
  const front = /^(?:0086|86|00\d\d|1|0?\d{2})/.exec(digits)?.[0] ?? "";
  return inForm(value, front + drawn(random, 3).padStart(digits.length - front.length, "0"));
}
