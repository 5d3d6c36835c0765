/** What data are, before anything is trained of them: first rows, columns, what is remarkable, charts. */
import { useEffect, useState } from "preact/hooks";
import { type OwnData, type ProfileReport, reportAddress, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { numberText } from "../shared/numbers.ts";
import { Said, type SaidText } from "./start.tsx";

/** The first rows of a table, or the first files of a folder. */
export function Preview({ data: { table, files } }: { data: OwnData }) {
  const say = useSay();
  if (files)
    return (
      <>
        <h2>{say("firstFiles")}</h2>
        <p class="soft">{files.join(" · ")}</p>
      </>
    );
  if (!table) return null;
  return (
    <>
      <h2>{say("preview")}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keys too. */}
      <section class="scroll" tabIndex={0} aria-label={say("preview")}>
        <table>
          <thead>
            <tr>
              {table.columns.map(({ name, kind }) => (
                <th key={name} scope="col" class={kind === "number" ? "number" : undefined}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row, i) => (
              <tr key={i}>
                {table.columns.map(({ name, kind }, j) => (
                  <td key={name} class={kind === "number" ? "number" : undefined}>
                    {row[j]}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

type Column = NonNullable<ProfileReport["profile"]["table"]>["columns"][number];

/** The values of a column in a few words. */
const valuesText = ({ kind, numbers, top = [] }: Column): string =>
  numbers && kind === "number"
    ? `${numberText(numbers.least)} … ${numberText(numbers.mean)} … ${numberText(numbers.most)}`
    : top
        .slice(0, 4)
        .map(({ value, count }) => `${value.slice(0, 40)} (${count})`)
        .join(", ");

/** The profile of data, made anew for another target. */
export function DataProfile({ path, target }: { path: string; target: string }) {
  const say = useSay();
  const [report, setReport] = useState<ProfileReport>();
  const [said, setSaid] = useState<SaidText>();
  useEffect(() => {
    let isLatest = true;
    setSaid({ text: say("profiling"), isWrong: false });
    studio.profile(path, target).then(
      (made) => {
        if (!isLatest) return;
        setReport(made);
        setSaid(undefined);
      },
      (error: Error) => isLatest && setSaid({ text: say("failed", { message: error.message }), isWrong: true }),
    );
    return () => {
      isLatest = false;
    };
  }, [path, target]);
  const { profile, page, command } = report ?? {};
  const { table, files, findings = [], target: predicted } = profile ?? {};
  return (
    <section>
      <h2>{say("profile")}</h2>
      <Said said={said} />
      {table && (
        <p>
          {say("rowsAndDuplicates", { rows: numberText(table.rows), duplicates: numberText(table.duplicatedRows) })}
        </p>
      )}
      {files && (
        <p>
          {say("filesOfProfile", {
            count: numberText(files.count),
            broken: numberText(files.broken),
            duplicates: numberText(files.duplicated),
          })}
        </p>
      )}
      {predicted?.classes && (
        <p>
          {predicted.name}:{" "}
          {predicted.classes
            .slice(0, 20)
            .map(({ value, count }) => `${value} (${count})`)
            .join(", ")}
        </p>
      )}
      {findings.length > 0 && (
        <ul>
          {findings.map(({ weight, text }) => (
            <li key={text}>
              <strong class={weight === "problem" ? "wrong" : "soft"}>{say(weight)}:</strong> {text}
            </li>
          ))}
        </ul>
      )}
      {table && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is scrolled by keys too.
        <section class="scroll" tabIndex={0} aria-label={say("profile")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{say("column")}</th>
                <th scope="col">{say("kind")}</th>
                <th scope="col" class="number">
                  {say("missing")}
                </th>
                <th scope="col" class="number">
                  {say("distinct")}
                </th>
                <th scope="col">{say("values")}</th>
              </tr>
            </thead>
            <tbody>
              {table.columns.map((column) => (
                <tr key={column.name}>
                  <th scope="row">{column.name}</th>
                  <td>{column.kind}</td>
                  <td class="number">{numberText(column.missing)}</td>
                  <td class="number">{numberText(column.distinct)}</td>
                  <td>{valuesText(column)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {page !== undefined && (
        <details>
          <summary>{say("charts")}</summary>
          <iframe class="report" title={say("charts")} sandbox="allow-scripts" src={reportAddress(page)} />
        </details>
      )}
      {command !== undefined && (
        <p class="soft">
          {say("sameCommand")} <code>{command}</code>
        </p>
      )}
    </section>
  );
}
