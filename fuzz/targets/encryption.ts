/** Encrypted files, and the keys that open them. */
import { memorySource } from "../../src/core/byte-source.ts";
import { KeyError } from "../../src/core/errors.ts";
import { ageFile } from "../../src/storage/encryption/age-file.node.ts";
import { isByPassphrase, keyByIdentity, keyByPassphrase } from "../../src/storage/encryption/age-keys.node.ts";
import { identitiesIn } from "../../src/storage/encryption/keys-at-hand.node.ts";
import { pick } from "../mutate/bytes.ts";
import type { Files, Mutation, Target } from "../target.ts";
import { fixture, utf8 } from "./fixtures.ts";

const [file, key] = ["file.age", "identity.txt"];

/** What lines of a header may be instead. */
const oddLines = [
  "-> X25519",
  "-> X25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  "-> scrypt bBjlhJVYZeE4aqUdmtRHfw 99",
  "->",
  "--- ",
  "age-encryption.org/v2",
  "A".repeat(64),
  "\u001b[2J",
  "",
];

/** A line of the header taken away, doubled, or another in its place; what stands behind the header stays. */
const headerLines: Mutation = (files, random) => {
  const bytes = files[file] ?? new Uint8Array();
  const text = Buffer.from(bytes).toString("latin1");
  const end = text.indexOf("\n", text.indexOf("\n---") + 1);
  const lines = text.slice(0, Math.max(end, 0)).split("\n");
  const at = random.integer(lines.length);
  const own = lines[at] ?? "";
  lines.splice(at, 1, ...pick(random, [[], [own, own], [pick(random, oddLines)], [pick(random, oddLines), own]]));
  return { ...files, [file]: new Uint8Array(Buffer.from(lines.join("\n") + text.slice(Math.max(end, 0)), "latin1")) };
};

/** The seeds' keys. Of scrypt no more work than tests have time for. */
export const encrypted: Target = {
  name: "encrypted",
  reads: "age files and identities: what they hold, to their ends",
  seeds: (): readonly Files[] =>
    ["empty.age", "short.age", "armored.age", "chunk.age", "chunks.age"].map((name) => ({
      [file]: fixture(`age/${name}`),
      [key]: fixture("age/identity.txt"),
    })),
  refused: () => [{ [file]: fixture("age/passphrase.age"), [key]: utf8("age1none\n") }],
  mutations: [headerLines, headerLines],
  read(input) {
    const identities = identitiesIn(input.path(key));
    const source = ageFile(memorySource(input.bytes(file)), file, (header) => {
      const isQuick = Number(header.stanzas[0]?.arguments[1]) < 12;
      const found =
        isByPassphrase(header) && isQuick
          ? keyByPassphrase(header, "fuzz", file)
          : keyByIdentity(header, identities, file);
      if (found) return found;
      throw new KeyError("it is encrypted to others");
    });
    source.read(0, source.size);
  },
};
