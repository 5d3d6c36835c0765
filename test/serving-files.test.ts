/** The files that put the server into a container or under systemd: they parse, ask for options that there are, and give up what they can. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { command } from "../src/cli/commands/serve.ts";
import { flagOf } from "../src/core/printable.ts";

const read = (name: string) => readFileSync(`docs/examples/serving/${name}`, "utf8");
const known = ["--json", ...Object.keys(command.options).map(flagOf)];
const flagsIn = (words: readonly string[]) => words.filter((word) => word.startsWith("--"));

/** Instructions with what follows them; lines that end in a backslash go on. */
const instructions = read("Dockerfile")
  .replaceAll(/\\\n\s*/g, "")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)] as const);
const ofKind = (kind: string) => instructions.filter(([own]) => own === kind).map(([, rest]) => rest);

test("the Dockerfile has instructions that there are, a fixed base, and no root", () => {
  const kinds = ["FROM", "COPY", "RUN", "USER", "WORKDIR", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"];
  expect(instructions.filter(([kind]) => !kinds.includes(kind))).toEqual([]);
  expect(ofKind("FROM")).toEqual([expect.stringMatching(/^node:\d+-[\w-]+$/)]);
  const order = instructions.map(([kind]) => kind);
  expect(ofKind("USER")).toEqual(["node"]);
  expect(order.indexOf("USER")).toBeLessThan(order.indexOf("ENTRYPOINT"));
  // Signals reach the program itself, and not a shell before it.
  for (const kind of ["ENTRYPOINT", "CMD"]) expect(Array.isArray(JSON.parse(ofKind(kind)[0] ?? ""))).toBe(true);
  const [program, name, ...args] = JSON.parse(ofKind("ENTRYPOINT")[0] ?? "") as string[];
  expect([program, name]).toEqual(["sardonyx", "serve"]);
  expect(flagsIn(args).filter((flag) => !known.includes(flag))).toEqual([]);
  expect(ofKind("HEALTHCHECK")[0]).toContain("/v2/health/ready");
});

test("the compose file is of this machine alone, read-only, with tokens as a secret", () => {
  const { services, secrets } = parse(read("compose.yaml"));
  const { models } = services;
  expect(models).toMatchObject({ build: ".", read_only: true, cap_drop: ["ALL"], secrets: ["tokens"] });
  expect(models.ports.every((port: string) => port.startsWith("127.0.0.1:"))).toBe(true);
  expect(Object.keys(secrets)).toEqual(models.secrets);
});

test("the unit starts the server with options that there are, and without rights that it does not need", () => {
  const lines = read("sardonyx-serve.service").split("\n").filter((line) => line !== "" && !line.startsWith("#")); // biome-ignore format: one line
  expect(lines.filter((line) => line.startsWith("["))).toEqual(["[Unit]", "[Service]", "[Install]"]);
  const wrong = lines.filter((line) => !line.startsWith("[") && !/^[A-Z][A-Za-z]+=/.test(line));
  expect(wrong).toEqual([]);
  const words = lines.find((line) => line.startsWith("ExecStart="))?.split(" ") ?? [];
  expect(words).toContain("serve");
  expect(flagsIn(words).filter((flag) => !known.includes(flag))).toEqual([]);
  expect(lines).toEqual(expect.arrayContaining(["DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict"]));
});
