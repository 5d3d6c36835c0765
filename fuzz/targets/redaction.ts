/** Texts and tables that are searched for personal data: nothing outside of what is found changes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { redactPath } from "../../src/privacy/redaction/files/redact-path.node.ts";
import { redactor } from "../../src/privacy/redaction/redact-text.ts";
import { type Replacement, replacementNames } from "../../src/privacy/redaction/replacements.ts";
import { anyBytes, within } from "../mutate/frames.ts";
import { type Files, readAll, type Target } from "../target.ts";
import { utf8 } from "./fixtures.ts";

const file = "text.txt";
const key = new Uint8Array(32).fill(1);
const redactors = replacementNames.map((replace: Replacement) => redactor({ names: false, replace, key }));

/** Throws where a text is changed outside of what was found, or findings overlap. */
async function requireApart(text: string): Promise<void> {
  for (const redact of redactors) {
    const { text: made, changes } = await redact(text);
    let [last, from] = [0, 0];
    for (const { start, end, replacement } of changes) {
      const kept = text.slice(last, start);
      if (start < last || end <= start || !made.startsWith(kept + replacement, from))
        throw new Error(`the text is changed outside of what was found, before ${start}`);
      [last, from] = [end, from + kept.length + replacement.length];
    }
    if (made.slice(from) !== text.slice(last)) throw new Error("the end of the text is changed");
  }
}

export const redaction: Target = {
  name: "redaction",
  reads: "texts and tables with personal data: `redactText`, `redactPath`",
  seeds: (): readonly Files[] => [
    {
      [file]: utf8(
        "Ask jane@acme.io, +44 20 7946 0018, card 4242 4242 4242 4242, IBAN GB29 NWBK 6016 1331 9268 19.\nSSN 536-22-8145, born 03/14/1971\nat 48 Larkspur Lane, Guildford GU2 7XH; token: ghp_Zk3vQ8mTr6LpXw2NsYb7HdJc4Ua9FgEe1Ro0\n",
      ),
      "table.csv": utf8('name;dob;phone\n"Smith; Ann";1971-03-14;4155552671\n陈志远;1988-05-16;13812345678\n'),
      "lines.jsonl": utf8('{"email":"jane@acme.io","phone":13812345678,"n":[1,{"ip":"203.0.113.7"}]}\n'),
    },
    {
      [file]: utf8(
        "身份证１１０１０５１９４９１２３１００２Ｘ，生日1988年5月16日，车牌京A·8K291，住在北京市海淀区学院路37号\u200b，电话138\u200b12345678",
      ),
    },
  ],
  mutations: [within(file, anyBytes), within("table.csv", anyBytes), within("lines.jsonl", anyBytes)],
  read: (input) => {
    const write = (name: string) => async () => {
      if (!input.files[name]) return;
      const out = join(input.folder(), `clean-${name}`);
      await redactPath(input.path(name), out, { redact: redactors[0] as (typeof redactors)[0], settings: {} });
      JSON.parse(readFileSync(`${out}.report.json`, "utf8"));
    };
    return readAll(() => requireApart(input.text(file)), write(file), write("table.csv"), write("lines.jsonl"));
  },
};
