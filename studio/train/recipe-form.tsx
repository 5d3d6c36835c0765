/** A built-in recipe as a form of the settings that it declares. */
import { useEffect, useState } from "preact/hooks";
import { type Fork, type RecipeForm as Form, studio } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { changedOf, Fields, type Filled, NotInForm, settingsOf, standardsOf } from "./fields.tsx";
import { Said, type SaidText, Start } from "./start.tsx";

export function RecipeForm({ fork }: { fork: Fork | undefined }) {
  const say = useSay();
  const [recipes, setRecipes] = useState<readonly Form[]>([]);
  const [chosen, setChosen] = useState("");
  const [filled, setFilled] = useState<Filled>({});
  const [said, setSaid] = useState<SaidText>();
  useEffect(() => {
    studio.recipes().then(
      ({ recipes: all }) => {
        setRecipes(all);
        const first = all.find(({ name }) => name === (fork?.recipe ?? "lenet-mnist")) ?? all[0];
        if (!first) return;
        setChosen(first.name);
        setFilled({ ...standardsOf(first.fields), ...settingsOf(first.fields, fork) });
      },
      (error: Error) => setSaid({ text: say("failed", { message: error.message }), isWrong: true }),
    );
  }, []);
  const recipe = recipes.find(({ name }) => name === chosen);
  return (
    <form class="panel" onSubmit={(event) => event.preventDefault()}>
      <div class="field">
        <label for="recipe">{say("recipe")}</label>
        <select
          id="recipe"
          value={chosen}
          onChange={({ currentTarget }) => {
            const next = recipes.find(({ name }) => name === currentTarget.value);
            setChosen(currentTarget.value);
            if (next) setFilled(standardsOf(next.fields));
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
          {recipe.name === fork?.recipe && <NotInForm fields={recipe.fields} fork={fork} />}
          <Fields key={recipe.name} fields={recipe.fields} filled={filled} onChange={setFilled} />
        </>
      )}
      <Said said={said} />
      <Start
        isReady={recipe !== undefined}
        fork={fork}
        onStart={(where) =>
          studio.train({ recipe: chosen, settings: changedOf(recipe?.fields ?? [], filled), ...where })
        }
      />
    </form>
  );
}
