/** What each recognizer finds and leaves; examples with check digits name their source, or are of the fixtures, made by another program. */
import { expect, test } from "vitest";
import type { PersonalKind } from "../kinds.ts";
import { redactor } from "../redact-text.ts";
import { searchable } from "../searchable.ts";
import { recognizersOf } from "./index.ts";

const redact = redactor({ names: false });

/** What is found in a text: `kind value`. */
async function found(text: string): Promise<string[]> {
  const { changes } = await redact(text);
  return changes.map(({ kind, start, end }) => `${kind} ${text.slice(start, end)}`);
}

test.each<readonly [PersonalKind, string, string]>([
  ["email", "mail to <o.k@a-b.co.uk>.", "o.k@a-b.co.uk"],
  ["email", "user=first.last+x@mail.example.org;", "first.last+x@mail.example.org"],
  ["email", "邮箱是xiao_li@qq.com。", "xiao_li@qq.com"],
  ["telephone", "+44 20 7946 0018", "+44 20 7946 0018"],
  ["telephone", "(415) 555-2671 ext. 22", "(415) 555-2671 ext. 22"],
  ["telephone", "电话13812345678。", "13812345678"],
  ["telephone", "手机：１３８１２３４５６７８", "１３８１２３４５６７８"],
  ["telephone", "my cell is 212 555 0147", "212 555 0147"],
  // Stripe's and PayPal's test cards.
  ["card", "4242 4242 4242 4242", "4242 4242 4242 4242"],
  ["card", "378282246310005", "378282246310005"],
  ["card", "6011-1111-1111-1117", "6011-1111-1111-1117"],
  // The example of the IBAN registry.
  ["iban", "IBAN GB29 NWBK 6016 1331 9268 19, please", "GB29 NWBK 6016 1331 9268 19"],
  ["iban", "FR1420041010050500013M02606", "FR1420041010050500013M02606"],
  // The example of GB 11643-1999.
  ["identity", "身份证11010519491231002X有效", "11010519491231002X"],
  ["identity", "SSN 536-22-8145", "536-22-8145"],
  ["identity", "NI number JK 48 29 17 B", "JK 48 29 17 B"],
  // The example of the NHS data dictionary.
  ["identity", "NHS number 943 476 5919", "943 476 5919"],
  ["identity", "DNI 12345678Z", "12345678Z"],
  ["identity", "NIE X1234567L", "X1234567L"],
  ["identity", "NIR 2 55 08 14 168 025 38", "2 55 08 14 168 025 38"],
  // The example of the Bundeszentralamt für Steuern.
  ["identity", "Steuer-ID: 86 095 742 719", "86 095 742 719"],
  ["identity", "Aadhaar 2341 2341 2346", "2341 2341 2346"],
  ["identity", "CPF 529.982.247-25", "529.982.247-25"],
  ["birth-date", "born on 7 August 1983 in York", "7 August 1983"],
  ["birth-date", "DOB 03/14/1971", "03/14/1971"],
  ["birth-date", "他1952年3月8日出生", "1952年3月8日"],
  ["plate", "京A·8K291停在门口", "京A·8K291"],
  ["plate", "粤BD12345", "粤BD12345"],
  ["plate", "a Volvo, registration LK19XRV", "LK19XRV"],
  ["network", "from 203.0.113.77 port 22", "203.0.113.77"],
  ["network", "2001:db8:85a3::8a2e:370:7334", "2001:db8:85a3::8a2e:370:7334"],
  ["network", "ether 00:1b:44:11:3a:b7", "00:1b:44:11:3a:b7"],
  ["secret", "id AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"],
  ["secret", "postgres://app:hT9-vPq2_Lx@db:5432", "hT9-vPq2_Lx"],
  ["secret", "DB_PASSWORD='n7#Kd92!pQx'", "n7#Kd92!pQx"],
  ["secret", "密码：Qw9#rTz2!mk，", "Qw9#rTz2!mk"],
  ["address", "at 48 Larkspur Lane, Guildford GU2 7XH, ring", "48 Larkspur Lane, Guildford GU2 7XH"],
  ["address", "P.O. Box 2291, Anchorage, AK 99510", "P.O. Box 2291, Anchorage, AK 99510"],
  ["address", "Lindenstraße 14, 50674 Köln", "Lindenstraße 14, 50674 Köln"],
  ["address", "他住在北京市海淀区中关村南大街5号院3号楼2单元501。", "北京市海淀区中关村南大街5号院3号楼2单元501"],
])("%s in %s", async (kind, text, value) => {
  expect(await found(text)).toEqual([`${kind} ${value}`]);
});

test.each([
  "Order 4539451203987358 was split.",
  "Version 10.2.14.3, build 20240117.1, commit 9f8a7c6b5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f00",
  "ISBN 978-0-306-40615-7 costs $1,249.00 since 2024-03-17T08:45:12.113Z.",
  "Opened on 7 August 1983; closed 22 Feb 2016.",
  "Part no. 440-22-8817, ticket number 884213",
  "Wall Street fell; turn left at Maple Street, exit 14, Highway 9.",
  "password = os.environ['DB_PASSWORD'], token: none, Forgot your password?",
  "订单号4539451203987358，金额3200元，2021年3月1日开始，中山路上",
  "身份证110105194912310021", // the check is X
  "a@b, @types/node@20.19.43, git@github.com:acme/widgets.git",
  "127.0.0.1 255.255.255.0 10:14:22 ::1",
])("nothing in %s", async (text) => {
  expect(await found(text)).toEqual([]);
});

test("invisible characters and full-width digits hide nothing, and stay where they are not within", async () => {
  const text = "卡\u200b４５３９\u200b 4512 0398 7356\u200b。";
  const { text: made, changes } = await redact(text);
  expect(made).toBe("卡\u200b[CARD]\u200b。");
  expect(changes.map(({ start, end }) => text.slice(start, end))).toEqual(["４５３９\u200b 4512 0398 7356"]);
  expect(searchable("１３８\u200b00").text).toBe("13800");
});

/** Texts that make expressions with nested repetitions slow. */
const hostile: readonly (readonly [string, string])[] = [
  ["digits", "1"],
  ["digits and spaces", "1 "],
  ["digits and dashes", "12-"],
  ["letters", "a"],
  ["capitals", "A"],
  ["words in capitals", "1 Aa Aa-A "],
  ["a street without end", "1 A A A A-A, A "],
  ["signs of mail", "a@"],
  ["dots", "a."],
  ["colons", "a:"],
  ["chinese numbers", "路1号"],
  ["chinese", "省市区路"],
  ["assignments", "password="],
  ["keys", "-----BEGIN PRIVATE KEY-----"],
  ["tokens", "eyJaaaaaaaa."],
  ["schemes", "a://a:"],
  ["brackets", "(1"],
  ["accounts", "GB29 "],
  ["dates", "1990-01-01 born "],
];

test.each(hostile)(
  "a million characters of %s take seconds at most",
  (_, part) => {
    const text = part.repeat(Math.ceil(1e6 / part.length));
    const began = performance.now();
    let isInOrder = true;
    for (const recognizers of Object.values(recognizersOf(["US", "GB", "CN", "DE"])))
      for (const find of recognizers) for (const span of find(text)) isInOrder &&= span.end > span.start;
    expect(isInOrder).toBe(true);
    // A machine that does other things beside: what is quadratic takes hours.
    expect(performance.now() - began).toBeLessThan(20_000);
  },
  60_000,
);
