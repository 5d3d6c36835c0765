/** One model: sliders for what would change it, the figures that follow them, and its report. */
import { useEffect, useRef, useState } from "preact/hooks";
import { type Inspection, type InspectTarget, reportAddress, studio, type WhatIf } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { Figures } from "./figures.tsx";
import { targetName } from "./model-choice.tsx";
import { asItIs, commandOf, type Settings, whatIfOf, withoutTraining, withTrainingOf } from "./settings.ts";
import { Sliders } from "./sliders.tsx";

/** Milliseconds after a move until what training takes is asked for, which is most of the work. */
const rest = 150;

/** Figures, and whether those of training are still those of before. */
interface Shown {
  readonly inspection: Inspection;
  readonly isWhole: boolean;
}

const isGone = (error: unknown): boolean => (error as Error).name === "AbortError";

/** The report of a model with some settings, made in the background. */
function Report({ target, whatIf }: { target: InspectTarget; whatIf: WhatIf }) {
  const say = useSay();
  const [made, setMade] = useState<{ readonly id: string; readonly of: string }>();
  const [wanted, setWanted] = useState(whatIf);
  const [wrong, setWrong] = useState<string>();
  const isNew = JSON.stringify(whatIf) !== JSON.stringify(wanted);
  useEffect(() => {
    const gone = new AbortController();
    setWrong(undefined);
    studio.inspect(target, wanted, gone.signal).then(
      ({ report }) => setMade({ id: report, of: JSON.stringify(wanted) }),
      (error: Error) => isGone(error) || setWrong(error.message),
    );
    return () => gone.abort();
  }, [wanted]);
  return (
    <section>
      <div class="row">
        <h2>{say("report")}</h2>
        {isNew && (
          <button type="button" onClick={() => setWanted(whatIf)}>
            {say("drawReport")}
          </button>
        )}
        {made?.of !== JSON.stringify(wanted) && wrong === undefined && <output class="soft">{say("making")}</output>}
        {wrong !== undefined && <output class="wrong">{say("failed", { message: wrong })}</output>}
      </div>
      {made && <iframe class="report" title={say("report")} sandbox="allow-scripts" src={reportAddress(made.id)} />}
    </section>
  );
}

export function ModelPanel({ target }: { target: InspectTarget }) {
  const say = useSay();
  const [settings, setSettings] = useState<Settings>(asItIs);
  /** The model as it is, or as it was first read where its file leaves open what it takes, and what was asked then. */
  const [base, setBase] = useState<{ readonly inspection: Inspection; readonly of: string }>();
  const [shown, setShown] = useState<Shown>();
  const [wrong, setWrong] = useState<string>();
  const latest = useRef<Inspection | undefined>(undefined);
  const whatIf = whatIfOf(settings);
  const asked = JSON.stringify(whatIf);
  useEffect(() => {
    const gone = new AbortController();
    const { signal } = gone;
    const fail = (error: Error) => {
      if (!isGone(error)) setWrong(error.message);
    };
    const take = (inspection: Inspection) => {
      latest.current = inspection;
      setWrong(undefined);
      setShown({ inspection, isWhole: true });
    };
    if (base?.of === asked) {
      take(base.inspection);
      return;
    }
    const askAll = () =>
      studio.whatIf(target, whatIf, signal).then(
        ({ inspection }) => {
          setBase((known) => known ?? { inspection, of: asked });
          take(inspection);
        },
        (error: Error) => {
          fail(error);
          if (!isGone(error))
            setShown((now) =>
              now && !now.isWhole ? { inspection: withoutTraining(now.inspection), isWhole: true } : now,
            );
        },
      );
    const { current } = latest;
    if (!current) {
      void askAll();
      return () => gone.abort();
    }
    studio.whatIf(target, { ...whatIf, withoutTraining: true }, signal).then(({ inspection }) => {
      setWrong(undefined);
      setShown((now) =>
        now?.isWhole && latest.current !== current
          ? now
          : { inspection: withTrainingOf(inspection, current), isWhole: false },
      );
    }, fail);
    const timer = setTimeout(askAll, rest);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [asked]);
  if (!shown && wrong === undefined)
    return (
      <p class="hint" role="status">
        {say("inspecting", { name: targetName(target) })}
      </p>
    );
  return (
    <>
      <section class="panel what-if">
        <Sliders model={base?.inspection} wrong={wrong} settings={settings} onChange={setSettings} />
        <div>
          {wrong !== undefined && (
            <p role="alert" class="wrong">
              {say("failed", { message: wrong })}
            </p>
          )}
          {shown && (
            <Figures model={base?.inspection ?? shown.inspection} now={shown.inspection} isWhole={shown.isWhole} />
          )}
          <p class="soft">
            {say("sameCommand")} <code>{commandOf(targetName(target), whatIf)}</code>
          </p>
        </div>
      </section>
      {shown && <Report target={target} whatIf={whatIf} />}
    </>
  );
}
