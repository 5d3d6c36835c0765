/** The studio's page: what is shown by the address behind "#", in the reader's language, kept up with what happens. */
import { render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { AskPage } from "./ask/ask-page.tsx";
import { RunPage } from "./runs/run-page.tsx";
import { RunsPage } from "./runs/runs-page.tsx";
import { type Job, listen, type RunSummary, studio } from "./shared/api.ts";
import { firstLanguage, LanguageContext, rememberLanguage, sayIn } from "./shared/language.ts";
import { TrainPage } from "./train/train-page.tsx";
import { UnderstandPage } from "./understand/understand-page.tsx";

const placeNow = (): string => location.hash.replace(/^#/, "") || "/";

/** Pages that are always there, with what they are called. */
const places = [
  ["/", "runs"],
  ["/train", "train"],
  ["/understand", "understand"],
  ["/ask", "ask"],
] as const;

/** The page that a place belongs to. */
const placeAbove = (place: string): string =>
  places.find(([at]) => at === place || (at !== "/" && place.startsWith(`${at}/`)))?.[0] ?? "/";

/** Runs in the order in which they are shown, the newest first. */
const ordered = (runs: Iterable<RunSummary>): RunSummary[] =>
  [...runs].sort((a, b) => (b.created ?? "").localeCompare(a.created ?? "") || a.id.localeCompare(b.id));

function Studio() {
  const [language, setLanguage] = useState(firstLanguage);
  const [place, setPlace] = useState(placeNow);
  const [root, setRoot] = useState("");
  const [runs, setRuns] = useState<readonly RunSummary[]>();
  const [jobs, setJobs] = useState<readonly Job[]>([]);
  const [isThere, setIsThere] = useState(true);
  const say = useMemo(() => sayIn(language), [language]);

  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.title = say("title");
  }, [language, say]);
  useEffect(() => {
    // It may have changed before anyone listened.
    setPlace(placeNow());
    addEventListener("hashchange", () => {
      setPlace(placeNow());
      scrollTo(0, 0);
    });
    listen({
      onConnected(connected) {
        setIsThere(connected);
        if (!connected) return;
        studio.runs().then((all) => {
          setRoot(all.root);
          setRuns(all.runs);
        });
        studio.jobs().then(({ jobs: all }) => setJobs(all));
      },
      onRuns: (changed, gone) =>
        setRuns((before = []) => {
          const all = new Map(before.map((run) => [run.id, run]));
          for (const id of gone) all.delete(id);
          for (const run of changed) all.set(run.id, run);
          return ordered(all.values());
        }),
      onJobs: setJobs,
    });
  }, []);

  const id = place.startsWith("/run/") ? decodeURIComponent(place.slice("/run/".length)) : undefined;
  const asked = place.startsWith("/ask/") ? decodeURIComponent(place.slice("/ask/".length)) : undefined;
  const run = id === undefined ? undefined : runs?.find((own) => own.id === id);
  return (
    <LanguageContext.Provider value={say}>
      <header class="top">
        <nav class="row">
          <strong>Sardonyx</strong>
          {places.map(([at, text]) => (
            <a key={at} href={`#${at}`} aria-current={at === placeAbove(place) ? "page" : undefined}>
              {say(text)}
            </a>
          ))}
        </nav>
        <button
          type="button"
          class="quiet"
          lang={language === "zh" ? "en" : "zh-CN"}
          onClick={() => {
            const next = language === "zh" ? "en" : "zh";
            rememberLanguage(next);
            setLanguage(next);
          }}
        >
          {say("language")}
        </button>
      </header>
      {!isThere && (
        <p class="banner wrong" role="alert">
          {say("lost")}
        </p>
      )}
      <main>
        {placeAbove(place) === "/train" ? (
          // Settings of a run are changed on a page of their own.
          <TrainPage key={place.startsWith("/train/from/") ? place : ""} place={place} runs={runs ?? []} jobs={jobs} />
        ) : place === "/understand" ? (
          <UnderstandPage runs={runs ?? []} />
        ) : placeAbove(place) === "/ask" && runs ? (
          <AskPage key={asked} runs={runs} first={asked} />
        ) : run ? (
          <RunPage key={run.id} run={run} jobs={jobs} />
        ) : runs ? (
          <RunsPage runs={runs} root={root} />
        ) : (
          <p class="hint">{say("loading")}</p>
        )}
      </main>
    </LanguageContext.Provider>
  );
}

const host = document.querySelector("#studio");
if (host) render(<Studio />, host);
