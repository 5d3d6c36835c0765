/** Models side by side: depth in each sense, parameters by kind, cost and memory, and where they differ. */
import { useEffect, useState } from "preact/hooks";
import type { ComparedRow, Quantity } from "../../src/analyze/report/compare.ts";
import { amount, bytes, longCount } from "../../src/cli/inspect/units.ts";
import { type Comparison, type InspectTarget, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { targetKey, targetName } from "./model-choice.tsx";
import { rowText, sectionText } from "./row-texts.ts";
import { changeText } from "./settings.ts";

type Value = ComparedRow["values"][number];

const shownAs: Readonly<Record<Quantity, (value: number | string) => string>> = {
  count: longCount,
  amount: (value) => amount(Number(value)),
  bytes: (value) => bytes(Number(value)),
  number: (value) => Number(value).toFixed(1),
  text: String,
};

const differs = ({ values: [first, ...others] }: ComparedRow): boolean => others.some((value) => value !== first);
const numeric = (value: Value | undefined): number | null => (typeof value === "number" ? value : null);

function Cells({ row }: { row: ComparedRow }) {
  const [first] = row.values;
  return row.values.map((value, i) => {
    const isOther = i > 0 && value !== first;
    const change = isOther ? changeText(numeric(first), numeric(value)) : "";
    return (
      <td key={i} class={isOther ? "number other" : "number"}>
        {value === null ? "–" : shownAs[row.quantity](value)}
        {change !== "" && <small class="change"> {change}</small>}
      </td>
    );
  });
}

export function CompareTable({ targets }: { targets: readonly InspectTarget[] }) {
  const say = useSay();
  const [made, setMade] = useState<{ readonly comparison: Comparison; readonly names: readonly string[] }>();
  const [wrong, setWrong] = useState<string>();
  const [isShort, setIsShort] = useState(false);
  const asked = targets.map(targetKey).join();
  useEffect(() => {
    let isGone = false;
    setMade(undefined);
    setWrong(undefined);
    studio.compare(targets).then(
      (comparison) => isGone || setMade({ comparison, names: targets.map(targetName) }),
      (error: Error) => isGone || setWrong(error.message),
    );
    return () => {
      isGone = true;
    };
  }, [asked]);
  if (wrong !== undefined)
    return (
      <p role="alert" class="wrong">
        {say("failed", { message: wrong })}
      </p>
    );
  if (!made)
    return (
      <p role="status" class="hint">
        {say("comparing")}
      </p>
    );
  const { comparison, names } = made;
  return (
    <section>
      <div class="row">
        <h2>{say("comparison")}</h2>
        <label class="pick">
          <input
            type="checkbox"
            checked={isShort}
            onChange={({ currentTarget }) => setIsShort(currentTarget.checked)}
          />
          {say("onlyDiffering")}
        </label>
        <span class="soft">{say("compareHelp")}</span>
      </div>
      <div class="scroll compared">
        <table>
          <thead>
            <tr>
              <th scope="col">{say("figure")}</th>
              {names.map((name, i) => (
                <th key={i} scope="col" class="number">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          {comparison.sections.map(({ name, rows }) => {
            const shown = isShort ? rows.filter(differs) : rows;
            return (
              shown.length > 0 && (
                <tbody key={name}>
                  <tr class="group">
                    <th scope="rowgroup" colSpan={names.length + 1}>
                      {sectionText(say, name)}
                    </th>
                  </tr>
                  {shown.map((row) => (
                    <tr key={row.name}>
                      <th scope="row">{rowText(say, row.name)}</th>
                      <Cells row={row} />
                    </tr>
                  ))}
                </tbody>
              )
            );
          })}
        </table>
      </div>
    </section>
  );
}
