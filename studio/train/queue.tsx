/** Trainings that were started here, one after another. */
import { useState } from "preact/hooks";
import { type Job, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";

const stateTexts = {
  waiting: "waiting",
  running: "running",
  stopping: "stopping",
  done: "done",
  stopped: "stopped",
} as const;

/** Trainings that were started here. */
export function Queue({ jobs }: { jobs: readonly Job[] }) {
  const say = useSay();
  const [wrong, setWrong] = useState("");
  if (jobs.length === 0) return <p class="hint">{say("emptyQueue")}</p>;
  return (
    <>
      {wrong !== "" && <p class="wrong">{wrong}</p>}
      <ul class="jobs">
        {jobs.map(({ id, run, command, state, message }) => (
          <li key={id} class="panel">
            <div class="row spread">
              <a href={`#/run/${encodeURIComponent(run)}`}>{run}</a>
              <span class="row">
                <span>{state === "failed" ? say("failed", { message: "" }) : say(stateTexts[state])}</span>
                {(state === "running" || state === "waiting") && (
                  <button
                    type="button"
                    class="quiet"
                    onClick={() =>
                      studio.stop(id).then(
                        () => setWrong(""),
                        (error: Error) => setWrong(error.message),
                      )
                    }
                  >
                    {say("stop")}
                  </button>
                )}
              </span>
            </div>
            <code>{command}</code>
            {state === "failed" && <pre class="wrong">{message}</pre>}
          </li>
        ))}
      </ul>
    </>
  );
}
