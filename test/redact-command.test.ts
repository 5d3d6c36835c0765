/** `sardonyx data --redact` as a person and a program meet it. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandLine, recordOf } from "./command-line.ts";

const { folder, run } = commandLine();
const input = join(folder, "mails");
mkdirSync(join(input, "tables"), { recursive: true });
writeFileSync(join(input, "a.txt"), "Dear Mr Fitzgerald,\nwrite to jane@acme.io or call +44 20 7946 0018.\n");
const table = join(input, "tables", "people.csv");
writeFileSync(
  table,
  '\ufeffname;dob;phone;amount\r\n"Sandoval; Ann";1971-03-14;4155552671;12,50\r\n陈志远;1988-05-16;13812345678;7,10\r\n',
);
writeFileSync(
  join(input, "lines.jsonl"),
  '{"email":"jane@acme.io", "phone":13812345678,"created":1700412345}\n{"email":null}\n',
);
copyFileSync("test/fixtures/data/images/1/2.jpg", join(input, "photo.jpg"));
const keyFile = join(folder, "key");
writeFileSync(keyFile, "0123456789abcdef0123456789abcdef");

test("a folder: texts, tables in their dialect, JSON Lines and pictures, and a report without what was there", async () => {
  const out = join(folder, "clean");
  const { code, stdout, stderr } = await run("data", input, "--redact", out);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/email +2 +2/);
  for (const line of stdout.split("\n")) if (!line.includes(folder)) expect(line.length, line).toBeLessThanOrEqual(80);
  expect(readFileSync(join(out, "a.txt"), "utf8")).toBe("Dear Mr [PERSON],\nwrite to [EMAIL] or call [TELEPHONE].\n");
  const rows = readFileSync(join(out, "tables", "people.csv"), "utf8").split("\r\n");
  expect(rows[0]).toMatch(/name;dob;phone;amount$/);
  expect(rows[1]).toMatch(/;\[BIRTH_DATE\];\[TELEPHONE\];12,50$/);
  expect(rows[2]).toBe("[PERSON];[BIRTH_DATE];[TELEPHONE];7,10");
  expect(readFileSync(join(out, "lines.jsonl"), "utf8")).toBe(
    '{"email":"[EMAIL]", "phone":"[TELEPHONE]","created":1700412345}\n{"email":null}\n',
  );
  expect(readFileSync(join(out, "photo.jpg")).length).toBeGreaterThan(100);
  const text = readFileSync(`${out}.report.json`, "utf8");
  const report = JSON.parse(text);
  expect(report.counts).toMatchObject({ email: 2, telephone: 4 });
  expect(report.files[0]).toMatchObject({ file: "a.txt", counts: { person: 1, email: 1, telephone: 1 } });
  expect(report.files[0].changes[1]).toEqual({ kind: "email", rule: "email", line: 2, column: 10 });
  expect(text).not.toMatch(/jane|Fitzgerald|7946|1971|陈/);
});

test("pseudonyms agree between files where the key is the same; only the columns that are named", async () => {
  const outs = ["one.csv", "two.csv"].map((name) => join(folder, name));
  for (const out of outs) {
    const options = ["--replace", "pseudonym", "--key-file", keyFile, "--columns", "phone", "--json"];
    const result = await run("data", table, "--redact", out, ...options);
    expect(recordOf(result, "redacted")).toMatchObject({ counts: { telephone: 2 } });
  }
  const [one, two] = outs.map((out) => readFileSync(out, "utf8"));
  expect(one).toBe(two);
  expect(one).toMatch(/陈志远;1988-05-16;TELEPHONE_[0-9a-f]{8};7,10/);
});

test("what is encrypted is read, and what is written is encrypted where that is asked: files, folders and the report", async () => {
  const [recipient = ""] = readFileSync("test/fixtures/age/recipients.txt", "utf8").match(/^age1.*$/m) ?? [];
  const identity = ["--identity", "test/fixtures/age/identity.txt"];
  const [given, out, outFolder] = ["sealed.csv.age", "sealed-out.csv.age", "sealed-folder"].map((name) =>
    join(folder, name),
  );
  await run("encrypt", table, "--encrypt-to", recipient, "--out", given as string);
  const redact = async (from: string, to: string) =>
    run(
      "data",
      from,
      "--redact",
      to,
      "--encrypt-to",
      recipient,
      ...identity.map((word) => (word.startsWith("-") ? word : join(process.cwd(), word))),
    );
  for (const [from, to] of [
    [given, out],
    [input, outFolder],
  ] as const)
    expect((await redact(from as string, to as string)).code).toBe(0);
  const written = [
    out,
    `${out}.report.json`,
    join(outFolder as string, "a.txt"),
    `${outFolder}.report.json`,
  ] as string[];
  for (const path of written)
    expect(readFileSync(path, "latin1").slice(0, 40), path).toMatch(/^age-encryption\.org\/v1\n/);
  expect(readFileSync(join(outFolder as string, ".age-recipients"), "utf8")).toBe(`${recipient}\n`);
  const opened = join(folder, "opened.csv");
  await run(
    "decrypt",
    out as string,
    "--out",
    opened,
    "--identity",
    join(process.cwd(), "test/fixtures/age/identity.txt"),
  );
  expect(readFileSync(opened, "utf8").split("\r\n")[2]).toBe("[PERSON];[BIRTH_DATE];[TELEPHONE];7,10");
});

test("a table made anonymous", async () => {
  const path = join(folder, "patients.csv");
  const rows = Array.from(
    { length: 40 },
    (_, i) => `${20 + ((i * 7) % 40)},${1000 + (i % 4)},${i % 3 ? "flu" : "gout"}`,
  );
  writeFileSync(path, `age,zip,illness\n${rows.join("\n")}\n`);
  const out = join(folder, "anonymous.csv");
  const asked = ["--anonymous", "5", "--quasi", "age,zip", "--sensitive", "illness", "--suppress", "0.05"];
  const { code, stdout } = await run("data", path, "--redact", out, ...asked);
  expect(code).toBe(0);
  expect(stdout).toMatch(/rows that are alike at least \(k\) +1 +[5-9]/);
  expect(readFileSync(out, "utf8")).toMatch(/^age,zip,illness\n\d+ to \d+,/);
});

test.each([
  [
    "an unknown kind",
    [input, "--redact", "OUT", "--kinds", "emial"],
    /unknown kind of personal data "emial"; did you mean "email"\?/,
  ],
  ["the input as output", [table, "--redact", table], /is what is read; name another place, nothing was changed/],
  ["an output within the input", [input, "--redact", join(input, "out")], /lies in the folder that is read/],
  ["an output that is there", [table, "--redact", keyFile], /there is .* already; remove it/],
  ["no key", [table, "--redact", "OUT", "--replace", "fake", "--key-file", "none"], /there is no file none/],
  [
    "a short key",
    [table, "--redact", "OUT", "--replace", "fake", "--key-file", join(folder, "short")],
    /has 3 bytes, expected 16 at least/,
  ],
  ["a key of placeholders", [table, "--redact", "OUT", "--key-file", keyFile], /add --replace pseudonym/],
  [
    "an unknown column",
    [table, "--redact", "OUT", "--columns", "fone"],
    /unknown column "fone"; did you mean "phone"\?/,
  ],
  ["a file that is no text", [join(folder, "binary.bin"), "--redact", "OUT"], /byte 1 is zero, which no text has/],
  ["no such file", [join(folder, "none.txt"), "--redact", "OUT"], /there is no /],
  ["kinds without an output", [table, "--kinds", "email"], /--kinds is of --redact; say where to write/],
  ["groups without columns", [table, "--redact", "OUT", "--anonymous", "5"], /name them: --quasi/],
])("%s is refused, and nothing is written", async (_, line, words) => {
  writeFileSync(join(folder, "short"), "abc");
  writeFileSync(join(folder, "binary.bin"), Buffer.from([7, 0, 1, 2, 0, 255]));
  const out = join(folder, "refused.csv");
  const before = readFileSync(table);
  const { code, stderr } = await run("data", ...line.map((word) => (word === "OUT" ? out : word)));
  expect(code).toBe(2);
  expect(stderr).toMatch(words);
  expect([existsSync(out), existsSync(`${out}.report.json`)]).toEqual([false, false]);
  expect(readFileSync(table)).toEqual(before);
});
