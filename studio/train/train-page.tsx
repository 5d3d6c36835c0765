/** Training from the page: a form of the settings that a recipe declares, and the queue. */
import { useEffect, useState } from "preact/hooks";
import { type FormField, type Job, type RecipeForm, type SettingValue, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";

/** What stands in a field. */
function Field({
  field,
  value,
  onChange,
}: {
  field: FormField;
  value: SettingValue | "";
  onChange: (value: SettingValue | "") => void;
}) {
  const { name, description, kind, choices = [] } = field;
  const id = `field-${name}`;
  return (
    <div class="field">
      <label for={id}>{name}</label>
      {kind === "choice" ? (
        <select
          id={id}
          value={String(value)}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
          aria-describedby={`${id}-help`}
        >
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : kind === "switch" ? (
        <input
          id={id}
          type="checkbox"
          checked={value === true}
          onChange={({ currentTarget }) => onChange(currentTarget.checked)}
          aria-describedby={`${id}-help`}
        />
      ) : (
        <input
          id={id}
          inputMode={kind === "number" ? "decimal" : "text"}
          value={String(value)}
          onInput={({ currentTarget: { value: text } }) =>
            onChange(kind === "number" && text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text)
          }
          aria-describedby={`${id}-help`}
        />
      )}
      <small id={`${id}-help`} class="soft">
        {description}
      </small>
    </div>
  );
}

type Filled = Readonly<Record<string, SettingValue | "">>;

const standardsOf = ({ fields }: RecipeForm): Filled =>
  Object.fromEntries(fields.map(({ name, standard = "" }) => [name, standard]));

export function TrainPage({ jobs }: { jobs: readonly Job[] }) {
  const say = useSay();
  const [recipes, setRecipes] = useState<readonly RecipeForm[]>([]);
  const [chosen, setChosen] = useState("");
  const [filled, setFilled] = useState<Filled>({});
  const [folder, setFolder] = useState("");
  const [said, setSaid] = useState<{ readonly text: string; readonly isWrong: boolean }>();
  useEffect(() => {
    studio.recipes().then(
      ({ recipes: all }) => {
        setRecipes(all);
        const first = all.find(({ name }) => name === "lenet-mnist") ?? all[0];
        if (!first) return;
        setChosen(first.name);
        setFilled(standardsOf(first));
      },
      (error: Error) => setSaid({ text: say("failed", { message: error.message }), isWrong: true }),
    );
  }, []);
  const recipe = recipes.find(({ name }) => name === chosen);
  const start = () => {
    if (!recipe) return;
    const settings = Object.fromEntries(
      recipe.fields.flatMap(({ name, standard = "" }) => {
        const value = filled[name] ?? "";
        return value === standard || value === "" ? [] : [[name, value]];
      }),
    );
    studio.train(recipe.name, settings, folder.trim()).then(
      (job) => setSaid({ text: `${say("sameCommand")} ${job.command}`, isWrong: false }),
      (error: Error) => setSaid({ text: say("failed", { message: error.message }), isWrong: true }),
    );
  };
  return (
    <>
      <h1>{say("train")}</h1>
      <form
        class="panel"
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
      >
        <div class="field">
          <label for="recipe">{say("recipe")}</label>
          <select
            id="recipe"
            value={chosen}
            onChange={({ currentTarget }) => {
              const next = recipes.find(({ name }) => name === currentTarget.value);
              setChosen(currentTarget.value);
              if (next) setFilled(standardsOf(next));
            }}
          >
            {recipes.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </div>
        {recipe && (
          <>
            <p>{recipe.summary}</p>
            {recipe.data !== "" && <p class="soft">{say("theData", { data: recipe.data })}</p>}
            <div class="fields">
              {recipe.fields.map((field) => (
                <Field
                  key={`${recipe.name}/${field.name}`}
                  field={field}
                  value={filled[field.name] ?? ""}
                  onChange={(value) => setFilled({ ...filled, [field.name]: value })}
                />
              ))}
            </div>
          </>
        )}
        <label class="field">
          {say("folder")}
          <input value={folder} onInput={({ currentTarget }) => setFolder(currentTarget.value)} maxLength={200} />
        </label>
        <div class="row">
          <button type="submit" disabled={!recipe}>
            {say("startTraining")}
          </button>
        </div>
        {said && (
          <p role="status" class={said.isWrong ? "wrong" : undefined}>
            {said.text}
          </p>
        )}
      </form>
      <h2>{say("queue")}</h2>
      <Queue jobs={jobs} />
    </>
  );
}

const stateTexts = {
  waiting: "waiting",
  running: "running",
  stopping: "stopping",
  done: "done",
  stopped: "stopped",
} as const;

/** Trainings that were started here. */
function Queue({ jobs }: { jobs: readonly Job[] }) {
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
