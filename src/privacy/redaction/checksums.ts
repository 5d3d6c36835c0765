/** Check digits of identity numbers and cards. All take strings of digits without separators. */

const digitsOf = (text: string): number[] => Array.from(text, Number);

/** Luhn (ISO/IEC 7812-1, annex B): every other digit doubled from the right. */
export function isLuhn(digits: string): boolean {
  const sum = digitsOf(digits)
    .reverse()
    .reduce((total, digit, i) => total + (i % 2 === 0 ? digit : digit > 4 ? 2 * digit - 9 : 2 * digit), 0);
  return sum % 10 === 0;
}

/** Sum of digits by weights. */
export const weighted = (digits: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, i) => sum + weight * Number(digits[i]), 0);

/** The last character of a Chinese resident's number from its first 17 (GB 11643-1999, ISO 7064 MOD 11-2). */
export const residentCheck = (digits: string): string =>
  "10X98765432"[weighted(digits, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11] ?? "";

/** ISO 7064 MOD 11,10, the check of German tax numbers, over all digits with the check digit last. */
export function isMod11And10(digits: string): boolean {
  let product = 10;
  for (const digit of digitsOf(digits.slice(0, -1))) product = (((digit + product) % 10 || 10) * 2) % 11;
  return (11 - product) % 10 === Number(digits.at(-1));
}

const dihedral = [
  "0123456789",
  "1234067895",
  "2340178956",
  "3401289567",
  "4012395678",
  "5987604321",
  "6598710432",
  "7659821043",
  "8765932104",
  "9876543210",
];
const permuted = [
  "0123456789",
  "1576283094",
  "5803796142",
  "8916043527",
  "9453126870",
  "4286573901",
  "2793806415",
  "7046913258",
];

/** Verhoeff (1969), over all digits with the check digit last. */
export const isVerhoeff = (digits: string): boolean =>
  digitsOf(digits)
    .reverse()
    .reduce((state, digit, i) => Number(dihedral[state]?.[Number(permuted[i % 8]?.[digit])]), 0) === 0;

/** The remainder of a long number. */
export const remainder = (digits: string, divisor: number): number =>
  digitsOf(digits).reduce((rest, digit) => (10 * rest + digit) % divisor, 0);
