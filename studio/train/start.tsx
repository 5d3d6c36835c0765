/** The end of every form of training: the run's folder, the button, and the command that does the same. */
import { useState } from "preact/hooks";
import type { Fork, Job } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";

/** What was said last. */
export interface SaidText {
  readonly text: string;
  readonly isWrong: boolean;
}

/** Says it, to those who listen too. */
export const Said = ({ said }: { said: SaidText | undefined }) => (
  <p role="status" class={said?.isWrong ? "wrong" : undefined}>
    {said?.text}
  </p>
);

/** Where a run goes, and with whose parameters it begins. */
export interface StartPlace {
  readonly name?: string;
  readonly from?: string;
}

/** Where the run goes, and that it begins. `onStart` puts it into the queue. */
export function Start({
  isReady,
  fork,
  onStart,
}: {
  isReady: boolean;
  fork: Fork | undefined;
  onStart: (where: StartPlace) => Promise<Job>;
}) {
  const say = useSay();
  const [hasParameters, setHasParameters] = useState(true);
  const [folder, setFolder] = useState("");
  const [said, setSaid] = useState<SaidText>();
  const start = () => {
    const name = folder.trim();
    onStart({ ...(name !== "" && { name }), ...(fork && hasParameters && { from: fork.run }) }).then(
      ({ command }) => setSaid({ text: `${say("sameCommand")} ${command}`, isWrong: false }),
      (error: Error) => setSaid({ text: say("failed", { message: error.message }), isWrong: true }),
    );
  };
  return (
    <>
      {fork && (
        <label class="check">
          <input
            type="checkbox"
            checked={hasParameters}
            onChange={({ currentTarget }) => setHasParameters(currentTarget.checked)}
          />
          {say("beginWith", { run: fork.run })}
        </label>
      )}
      <label class="field">
        {say("folder")}
        <input value={folder} onInput={({ currentTarget }) => setFolder(currentTarget.value)} maxLength={200} />
      </label>
      <div class="row">
        <button type="button" disabled={!isReady} onClick={start}>
          {say("startTraining")}
        </button>
      </div>
      <Said said={said} />
    </>
  );
}
