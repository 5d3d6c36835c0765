/** Numbers as people write them in tables: with separators of thousands, a decimal comma, a sign of money or of per cent. */

const plain = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/;
const plainComma = /^[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d{1,4})?$/;
/** Groups of three digits, separated by a comma, a space (also those that do not break) or an apostrophe, then a decimal point. */
const grouped = /^[+-]?\d{1,3}(?:([, \u00a0\u2009\u202f'’])\d{3})(?:\1\d{3})*(?:\.\d*)?$/;
const groupedComma = /^[+-]?\d{1,3}(?:([. \u00a0\u2009\u202f'’])\d{3})(?:\1\d{3})*(?:,\d*)?$/;
const money = /^([+-]?)\s*(?:[$€£¥₹]|USD|EUR|GBP|CHF)\s*|\s*(?:[$€£¥₹]|USD|EUR|GBP|CHF)$/g;
const decorated = /[$€£¥₹%]|USD|EUR|GBP|CHF/;

/**
 * The number that a text is, `undefined` for any other: 1,234.5 has separators of thousands; "12 %" is 12; "$1,200" and "€ 3" are
 * amounts of money.
 * @param decimalComma whether a comma stands before the decimals, and a point between thousands: 1.234,5
 * @example parseNumber("1.234,5", true) // 1234.5
 */
export function parseNumber(text: string, decimalComma = false): number | undefined {
  const body = decorated.test(text) ? text.replace(/\s*%$/, "").replace(money, "$1").trim() : text;
  if (decimalComma) {
    if (plainComma.test(body)) return finite(body.replace(",", "."));
    if (groupedComma.test(body)) return finite(body.replace(/[. \u00a0\u2009\u202f'’]/g, "").replace(",", "."));
    // Files of this kind hold plain numbers too, which programs wrote; three digits behind a point are thousands.
    return plain.test(body) ? finite(body) : undefined;
  }
  if (plain.test(body)) return finite(body);
  return grouped.test(body) ? finite(body.replace(/[, \u00a0\u2009\u202f'’]/g, "")) : undefined;
}

function finite(text: string): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** What a text says of a file's decimal sign: only a comma, only a point, either, or nothing. */
export function decimalSignOf(text: string): "comma" | "point" | "either" | undefined {
  if (/^[+-]?\d+,(?:\d{1,2}|\d{4,})$|^[+-]?\d{1,3}(?:\.\d{3})+,\d+$|^[+-]?,\d+$|^[+-]?0,\d+$/.test(text))
    return "comma";
  if (/^[+-]?\d+\.(?:\d{1,2}|\d{4,})$|^[+-]?\d{1,3}(?:,\d{3})+\.\d+$|^[+-]?\.\d+$|^[+-]?0\.\d+$/.test(text))
    return "point";
  return /^[+-]?\d{1,3}[.,]\d{3}$/.test(text) ? "either" : undefined;
}
