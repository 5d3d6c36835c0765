/** A part of a run's page that shows what a run keeps where that was asked for. */
import type { ComponentChildren } from "preact";
import { useSay } from "../shared/language.ts";
import type { TextKey } from "../shared/texts.ts";

/** A part with its heading, and what went wrong in a sentence. */
export function RunSection({
  title,
  failed,
  children,
}: {
  title: TextKey;
  failed: string;
  children?: ComponentChildren;
}) {
  const say = useSay();
  return (
    <section aria-label={say(title)}>
      <h2>{say(title)}</h2>
      {failed !== "" && <p class="wrong">{say("failed", { message: failed })}</p>}
      {children}
    </section>
  );
}

/** Says that a run kept nothing of the kind, and leads to where the next one does. */
export function NothingKept({ run, text }: { run: string; text: TextKey }) {
  const say = useSay();
  return (
    <p class="hint">
      {say(text)} <a href={`#/train/from/${encodeURIComponent(run)}`}>{say("trainOn")}</a>
    </p>
  );
}
