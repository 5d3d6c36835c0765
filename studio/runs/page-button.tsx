/** The button that saves runs as one page of HTML, to keep or to send. */
import { useState } from "preact/hooks";
import type { Drawing } from "../../src/studio/runs/curve.ts";
import { useSay } from "../shared/language.ts";
import { savePage } from "./save.ts";

/** What is saved: ids of runs, with curves drawn as on the page. */
export interface PageButtonProps {
  readonly runs: readonly string[];
  readonly drawing: Drawing;
  readonly label: string;
}

export function PageButton({ runs, drawing, label }: PageButtonProps) {
  const say = useSay();
  const [failed, setFailed] = useState("");
  const save = () =>
    savePage(runs, drawing)
      .then(() => setFailed(""))
      .catch((error: Error) => setFailed(say("failed", { message: error.message })));
  return (
    <p class="row">
      <button type="button" onClick={save}>
        {label}
      </button>
      <output class="wrong">{failed}</output>
    </p>
  );
}
