/**
 * Records test/fixtures/age: files that Debian's `age` encrypts, of bytes that src/storage/encryption/debian-age.test.ts makes anew. Keys and the passphrase
 * are of these files alone. `age -p` asks on a terminal, which `script` is for it. Run: node scripts/record-age-fixtures.mjs (after: apt-get install age)
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = "test/fixtures/age";
const passphrase = "correct horse battery staple";
/** Bytes of what is encrypted, by the name of the file. */
const sizes = { empty: 0, short: 100, chunk: 65536, chunks: 150_000 };
const plain = (size) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 255);

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const at = (name) => join(folder, name);
const age = (args, input) => execFileSync("age", args, { input, stdio: ["pipe", "pipe", "ignore"] });
/** Types the passphrase, twice where it is new. */
const typing = (command) =>
  execFileSync("script", ["-qec", command, "/dev/null"], { input: `${passphrase}\n${passphrase}\n` });

execFileSync("age-keygen", ["-o", at("identity.txt")], { stdio: "ignore" });
execFileSync("age-keygen", ["-o", at("other.txt")], { stdio: "ignore" });
const [recipient, other] = ["identity.txt", "other.txt"].map((name) =>
  execFileSync("age-keygen", ["-y", at(name)], { encoding: "utf8" }).trim(),
);
writeFileSync(at("recipients.txt"), `# of the tests\n${recipient}\n\n${other}\n`);
for (const [name, size] of Object.entries(sizes)) age(["-r", recipient, "-o", at(`${name}.age`)], plain(size));
age(["-a", "-R", at("recipients.txt"), "-o", at("armored.age")], plain(sizes.short));
const temporary = mkdtempSync(join(tmpdir(), "age-fixtures-"));
writeFileSync(join(temporary, "short"), plain(sizes.short));
typing(`age -p -o ${at("passphrase.age")} ${join(temporary, "short")}`);
typing(`age -p -a -o ${at("identity-by-passphrase.age")} ${at("identity.txt")}`);
rmSync(temporary, { recursive: true });
console.log(`recorded ${folder} with ${execFileSync("age", ["--version"], { encoding: "utf8" }).trim()}`);
