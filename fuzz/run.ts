/** `npm run fuzz`: reads made inputs with every reader and shows what went wrong; see docs/reliability.md. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { basesOf, inputOf } from "./inputs.ts";
import { allTargets, type Finding, newTally, runJob, type Tally } from "./runner.ts";
import type { Target } from "./target.ts";
import { targets } from "./targets/index.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string", multiple: true },
    seed: { type: "string", default: "1" },
    runs: { type: "string" },
    jobs: { type: "string", default: "2" },
    replay: { type: "string" },
  },
});

const findingsFolder = fileURLToPath(new URL("findings", import.meta.url));
const chosen = targets.filter(({ name }) => values.target?.includes(name) ?? true);
const unknown = values.target?.find((name) => !targets.some((target) => target.name === name));
if (unknown !== undefined) {
  console.error(`fuzz: there is no target ${unknown}; they are ${targets.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const seed = Number(values.seed);
/** Inputs in all, unless each target's are given. */
const inAll = 100_000;
const shares = chosen.reduce((sum, { share = 1 }) => sum + share, 0);
const runsOf = ({ share = 1 }: Target): number =>
  values.runs === undefined ? Math.ceil((inAll * share) / shares) : Number(values.runs);
/** Findings that look alike are kept three times. */
const keptAlike = 3;

/** Where a finding is: its fault, and the first place of our code in its stack. */
function kindOf({ target, fault, what }: Finding): string {
  const place = /\((?:file:\/\/)?[^)]*?((?:src|node_modules)\/[^):]+:\d+)/.exec(what)?.[1] ?? "";
  const head = what.split("\n")[0]?.replace(/\d+/g, "#").slice(0, 60);
  return `${target}: ${fault} ${place}${fault === "hang" || fault === "memory" ? "" : ` ${head}`}`;
}

const kinds = new Map<string, Finding[]>();
const knownBases = new Map<string, ReturnType<typeof basesOf>>();

async function keep(finding: Finding): Promise<void> {
  const kind = kindOf(finding);
  const alike = kinds.get(kind) ?? [];
  kinds.set(kind, [...alike, finding]);
  const { target, number, fault, what } = finding;
  if (alike.length === 0) console.log(`${kind}\n  npm run fuzz -- --replay fuzz/findings/${target}/${seed}-${number}`);
  if (alike.length >= keptAlike) return;
  const own = targets.find(({ name }) => name === target);
  if (!own) return;
  const bases = await (knownBases.get(target) ?? basesOf(own));
  const files = number < 0 ? bases.all[number + bases.all.length] : inputOf(own, bases, seed, number);
  const folder = join(findingsFolder, target, `${seed}-${number}`);
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files ?? {})) writeFileSync(join(folder, name), bytes);
  writeFileSync(`${folder}.txt`, `${fault}\n${what}\n`);
}

const shownMemory = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

function show(tally: Tally): void {
  const { target, inputs, read, refused, seconds, memory, findings } = tally;
  console.log(
    `${target.padEnd(14)} ${inputs} inputs, ${read} read, ${refused} refused, ${findings.length} findings, longest ${seconds.toFixed(2)} s, most memory ${shownMemory(memory)}`,
  );
}

/** The table of docs/reliability.md. */
function tableOf(tallies: readonly Tally[]): string {
  const rows = chosen.flatMap(({ name, reads }) => {
    const tally = tallies.find(({ target }) => target === name);
    return tally ? [{ ...tally, reads }] : [];
  });
  const number = (value: number) => value.toLocaleString("en");
  const total = (of: (tally: Tally) => number) => rows.reduce((sum, row) => sum + of(row), 0);
  const most = (of: (tally: Tally) => number) => rows.reduce((largest, row) => Math.max(largest, of(row)), 0);
  const lineOf = (name: string, reads: string, counts: readonly number[], seconds: number, memory: number) =>
    `| ${[name, reads, ...counts.map(number), `${seconds.toFixed(1)} s`, shownMemory(memory)].join(" | ")} |`;
  return [
    "| Target | Read | Inputs | Accepted | Refused | Findings | Longest | Most memory |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows.map(({ target, reads, inputs, read, refused, findings, seconds, memory }) =>
      lineOf(`\`${target}\``, reads, [inputs, read, refused, findings.length], seconds, memory),
    ),
    lineOf(
      "all",
      "",
      [
        total((row) => row.inputs),
        total((row) => row.read),
        total((row) => row.refused),
        total((row) => row.findings.length),
      ],
      most((row) => row.seconds),
      most((row) => row.memory),
    ),
  ].join("\n");
}

async function replay(path: string): Promise<number> {
  const folder = resolve(path);
  const target = values.target?.[0] ?? basename(dirname(folder));
  const tally = newTally(target);
  await runJob({ module: allTargets, target, seed, from: 0, to: 1, folder }, tally, (finding) =>
    tally.findings.push(finding),
  );
  for (const { fault, what } of tally.findings) console.log(`${fault}\n${what}`);
  show(tally);
  return tally.findings.length;
}

async function fuzz(): Promise<number> {
  for (const { name } of chosen) rmSync(join(findingsFolder, name), { recursive: true, force: true });
  const tallies: Tally[] = [];
  const waiting = [...chosen];
  const kept: Promise<void>[] = [];
  const next = async (): Promise<void> => {
    for (let target = waiting.shift(); target; target = waiting.shift()) {
      const tally = newTally(target.name);
      tallies.push(tally);
      const bases = basesOf(target);
      knownBases.set(target.name, bases);
      const from = -(await bases).all.length;
      await runJob({ module: allTargets, target: target.name, seed, from, to: runsOf(target) }, tally, (finding) => {
        tally.findings.push(finding);
        kept.push(keep(finding));
      });
      show(tally);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, next));
  await Promise.all(kept);
  for (const [kind, alike] of [...kinds].sort(([, a], [, b]) => b.length - a.length))
    console.log(`${alike.length} x ${kind} (${alike.slice(0, 3).map(({ number }) => number)})`);
  console.log(`\n${tableOf(tallies)}`);
  return tallies.reduce((sum, { findings }) => sum + findings.length, 0);
}

process.exitCode = (await (values.replay === undefined ? fuzz() : replay(values.replay))) > 0 ? 1 : 0;
