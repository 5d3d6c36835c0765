/** One run: what it was trained with, what it reached, its curves and report, and what is done with it. */
import { useMemo, useState } from "preact/hooks";
import { type Drawing, loadCurves } from "../../src/studio/runs/curve.ts";
import { fileAddress, type Job, type RunSummary, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { numberText, timeText } from "../shared/numbers.ts";
import { useAnswer } from "../shared/use-answer.ts";
import { type CurveChoice, CurvePanel, DrawingControls } from "./curve-panel.tsx";
import { Layers } from "./layer-panel.tsx";
import { PageButton } from "./page-button.tsx";
import { Samples } from "./sample-panel.tsx";

/** Numbers of a run by name. */
function Numbers({ title, numbers }: { title: string; numbers: readonly (readonly [string, string])[] }) {
  if (numbers.length === 0) return null;
  return (
    <section class="panel">
      <h2>{title}</h2>
      <dl>
        {numbers.map(([name, value]) => (
          <div key={name}>
            <dt>{name.replaceAll("_", " ")}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** A confusion matrix: the darker, the more. */
function Confusion({ matrix, classes }: { matrix: readonly (readonly number[])[]; classes: readonly string[] }) {
  const say = useSay();
  return (
    <section class="panel">
      <h2>{say("confusion")}</h2>
      <div class="scroll">
        <table class="confusion">
          <thead>
            <tr>
              <th />
              {matrix.map((_, i) => (
                <th key={classes[i] ?? i} scope="col">
                  {classes[i] ?? i}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {matrix.map((row, i) => {
              const total = row.reduce((sum, value) => sum + value, 0);
              return (
                <tr key={classes[i] ?? i}>
                  <th scope="row">{classes[i] ?? i}</th>
                  {row.map((value, j) => (
                    <td
                      key={classes[j] ?? j}
                      style={{ "--share": total > 0 ? value / total : 0 }}
                      class={i === j ? "right" : undefined}
                    >
                      {value}
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** What a person notes, as a form. */
function Notes({ run }: { run: RunSummary }) {
  const say = useSay();
  const [said, setSaid] = useState("");
  const save = (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name) ?? "");
    const tags = text("tags")
      .split(",")
      .map((tag) => tag.trim())
      .filter((tag) => tag !== "");
    studio
      .annotate(run.id, { name: text("name"), group: text("group"), tags, note: text("note") })
      .then(() => setSaid(say("saved")))
      .catch((error: Error) => setSaid(say("failed", { message: error.message })));
  };
  return (
    <form
      class="panel"
      onSubmit={(event) => {
        event.preventDefault();
        save(event.currentTarget);
      }}
    >
      <h2>{say("notes")}</h2>
      <label>
        {say("name")}
        <input name="name" defaultValue={run.name} maxLength={200} />
      </label>
      <label>
        {say("group")}
        <input name="group" defaultValue={run.group} maxLength={100} />
      </label>
      <label>
        {say("tags")}
        <input name="tags" defaultValue={run.tags.join(", ")} />
      </label>
      <label>
        {say("note")}
        <textarea name="note" rows={3} maxLength={10_000} defaultValue={run.note} />
      </label>
      <div class="row">
        <button type="submit">{say("save")}</button>
        <output>{said}</output>
      </div>
    </form>
  );
}

/** What is done with a run. */
function Actions({ run, jobs }: { run: RunSummary; jobs: readonly Job[] }) {
  const say = useSay();
  const [asks, setAsks] = useState(false);
  const [said, setSaid] = useState("");
  const job = jobs.find((own) => own.run === run.id && ["waiting", "running", "stopping"].includes(own.state));
  const act = (doing: Promise<unknown>, done = "") => {
    doing.then(() => setSaid(done)).catch((error: Error) => setSaid(say("failed", { message: error.message })));
  };
  return (
    <div class="row">
      {job && job.state !== "stopping" && (
        <button type="button" onClick={() => act(studio.stop(job.id))}>
          {say("stop")}
        </button>
      )}
      {run.state === "stopped" && run.recipe !== undefined && !job && (
        <button type="button" onClick={() => act(studio.resume(run.id))}>
          {say("resume")}
        </button>
      )}
      {run.recipe !== undefined && <a href={`#/ask/${encodeURIComponent(run.id)}`}>{say("ask")}</a>}
      {run.recipe !== undefined && <a href={`#/train/from/${encodeURIComponent(run.id)}`}>{say("trainOn")}</a>}
      <button type="button" class="quiet" onClick={() => act(studio.annotate(run.id, { archived: !run.archived }))}>
        {say(run.archived ? "unarchive" : "archive")}
      </button>
      <button
        type="button"
        class="quiet wrong"
        onClick={() => {
          if (!asks) setAsks(true);
          else
            studio
              .remove(run.id)
              .then(() => {
                location.hash = "#/";
              })
              .catch((error: Error) => setSaid(say("failed", { message: error.message })));
        }}
      >
        {say(asks ? "reallyRemove" : "remove")}
      </button>
      <output>{said}</output>
    </div>
  );
}

export function RunPage({ run, jobs }: { run: RunSummary; jobs: readonly Job[] }) {
  const say = useSay();
  const [drawing, setDrawing] = useState<Drawing>({ axis: "step", smoothing: 0, logarithmic: false });
  const { id, state, epoch } = run;
  const { answer: details } = useAnswer(() => studio.details(id), [id, state]);
  const { answer: names } = useAnswer(() => studio.names(id), [id, epoch > 0, run.batch > 0]);
  const curves = (["batch", "epoch"] as const).flatMap((by) => names?.[by].map((name) => ({ name, by })) ?? []);
  const runs = useMemo(() => [run], [run]);
  const entries = (numbers: Readonly<Record<string, number>>) =>
    Object.entries(numbers).map(([name, value]) => [name, numberText(value)] as const);
  const { evaluation, files = [] } = details ?? {};
  const isLoad = ({ name }: CurveChoice) => loadCurves.includes(name);
  const [learning, load] = [curves.filter((own) => !isLoad(own)), curves.filter(isLoad)];
  const panelsOf = (choices: readonly CurveChoice[]) => (
    <div class="panels">
      {choices.map((choice) => (
        <CurvePanel key={`${choice.by}/${choice.name}`} choice={choice} runs={runs} drawing={drawing} />
      ))}
    </div>
  );
  return (
    <>
      <p>
        <a href="#/">← {say("back")}</a>
      </p>
      <h1>{run.name}</h1>
      <p class="soft">
        {[
          run.recipe,
          say(state),
          `${say("epoch")} ${epoch}${run.settings["epochs"] ? ` / ${run.settings["epochs"]}` : ""}`,
          timeText(run.created),
        ]
          .filter((part) => part)
          .join(" · ")}
      </p>
      {run.problem !== undefined && <p class="wrong">{run.problem}</p>}
      {run.note !== "" && <p class="note">{run.note}</p>}
      <Actions run={run} jobs={jobs} />
      <div class="panels narrow">
        <Numbers
          title={say("results")}
          numbers={[
            ...entries(run.results).filter(([name]) => !name.includes(".")),
            ...(evaluation?.baselines ?? []).map(
              ({ name, test, metric }) => [`${say("baseline", { name })} (${metric})`, numberText(test)] as const,
            ),
          ]}
        />
        <Numbers title={say("latest")} numbers={entries(run.latest)} />
        <Numbers
          title={say("settings")}
          numbers={Object.entries(run.settings).map(([name, value]) => [name, String(value)] as const)}
        />
        <Notes key={id} run={run} />
      </div>
      <h2>{say("curves")}</h2>
      <DrawingControls drawing={drawing} onChange={setDrawing} />
      <PageButton runs={[id]} drawing={drawing} label={say("exportPage")} />
      {panelsOf(learning)}
      {load.length > 0 && (
        <>
          <h2>{say("load")}</h2>
          <p class="soft">{say("loadHint")}</p>
          {panelsOf(load)}
        </>
      )}
      {run.recipe !== undefined && <Samples key={`samples ${id}`} run={run} />}
      {run.recipe !== undefined && <Layers key={`layers ${id}`} run={run} drawing={drawing} />}
      {evaluation?.confusion && <Confusion matrix={evaluation.confusion} classes={evaluation.classes ?? []} />}
      {files.includes("report.html") && (
        <>
          <h2>{say("report")}</h2>
          <iframe
            class="report"
            title={say("report")}
            sandbox=""
            src={`${fileAddress(id, "report.html")}&at=${epoch}${state}`}
          />
        </>
      )}
    </>
  );
}
