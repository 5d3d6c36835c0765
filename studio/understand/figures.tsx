/** The figures of a model beside those of the model as it is: parameters, work, memory, time, and what is trained by kind of layer. */
import { amount, bytes, stepTime } from "../../src/cli/inspect/units.ts";
import { count } from "../../src/core/number-text.ts";
import type { Inspection } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import { kindText } from "./row-texts.ts";
import { changeText } from "./settings.ts";

function Figure({
  name,
  value,
  change,
  isOld = false,
}: {
  name: string;
  value: string;
  change: string;
  isOld?: boolean;
}) {
  return (
    <div class={isOld ? "soft" : undefined} aria-busy={isOld}>
      <dt>{name}</dt>
      <dd>
        {value}
        {isOld ? " …" : change !== "" && <small class="change"> {change}</small>}
      </dd>
    </div>
  );
}

/** Parts of a whole as one bar, with a key. */
function Stack({ parts, isOld }: { parts: readonly (readonly [name: string, size: number])[]; isOld: boolean }) {
  const whole = parts.reduce((sum, [, size]) => sum + size, 0);
  return (
    <>
      <div class={isOld ? "stack old" : "stack"} aria-hidden="true">
        {parts.map(([name, size], i) => (
          <div key={name} class={`part-${i}`} style={{ width: `${whole === 0 ? 0 : (100 * size) / whole}%` }} />
        ))}
      </div>
      <ul class="key">
        {parts.map(([name, size], i) => (
          <li key={name}>
            <i class={`part-${i}`} />
            {name} {bytes(size)}
          </li>
        ))}
      </ul>
    </>
  );
}

/** @param model the model as it is @param now with what is changed @param isWhole whether figures of training are its own too */
export function Figures({ model, now, isWhole }: { model: Inspection; now: Inspection; isWhole: boolean }) {
  const say = useSay();
  const isOld = !isWhole;
  const [before, after] = [model.parameters, now.parameters];
  const [costBefore, cost] = [model.cost, now.cost];
  const kinds = now.byKind.filter(({ parameters }) => parameters > 0);
  const most = Math.max(1, ...kinds.map(({ parameters }) => parameters));
  const share = after.total === 0 ? 0 : (100 * after.trainable) / after.total;
  return (
    <>
      <div class="figures" role="status">
        <dl>
          <Figure
            name={say("trainedParameters")}
            value={`${count(after.trainable)} (${share >= 10 || share === 0 ? share.toFixed(0) : share.toPrecision(2)} %)`}
            change={changeText(before.trainable, after.trainable)}
          />
          <Figure
            name={say("allParameters")}
            value={count(after.total)}
            change={changeText(before.total, after.total)}
          />
          <Figure name={say("storedBytes")} value={bytes(after.bytes)} change={changeText(before.bytes, after.bytes)} />
          <Figure
            name={say("multiplyAdds")}
            value={amount(cost.macs)}
            change={changeText(costBefore.macs, cost.macs)}
          />
          <Figure
            name={say("memoryToRun")}
            value={bytes(cost.predictionBytes)}
            change={changeText(costBefore.predictionBytes, cost.predictionBytes)}
          />
        </dl>
        <dl>
          <Figure
            name={say("memoryToTrain")}
            value={bytes(cost.trainingBytes)}
            change={changeText(costBefore.trainingBytes, cost.trainingBytes)}
            isOld={isOld}
          />
          <Figure
            name={say("flopsForward")}
            value={amount(cost.forwardFlops)}
            change={changeText(costBefore.forwardFlops, cost.forwardFlops)}
          />
          <Figure
            name={say("flopsBackward")}
            value={amount(cost.backwardFlops)}
            change={changeText(costBefore.backwardFlops, cost.backwardFlops)}
            isOld={isOld}
          />
          {now.settings.hardware !== null && (
            <Figure
              name={say("stepTimeOn", { name: now.settings.hardware })}
              value={stepTime(cost.stepSeconds)}
              change={say("atFortyPercent")}
              isOld={isOld}
            />
          )}
        </dl>
      </div>
      {cost.memory && (
        <Stack
          isOld={isOld}
          parts={[
            [say("partWeights"), cost.memory.weights],
            [say("partGradients"), cost.memory.gradients],
            [say("partOptimizer"), cost.memory.optimizer],
            [say("partActivations"), cost.memory.activations],
          ]}
        />
      )}
      <h2>{say("kindsOfLayers")}</h2>
      <ul class="kinds">
        {kinds.map(({ kind, parameters, trainable }) => (
          <li key={kind}>
            <span>{kindText(say, kind)}</span>
            <span class="stack" aria-hidden="true">
              <span class="trained" style={{ width: `${(100 * trainable) / most}%` }} />
              <span class="frozen" style={{ width: `${(100 * (parameters - trainable)) / most}%` }} />
            </span>
            <span class="number">
              {say("trainableOfKind", { trainable: count(trainable), parameters: count(parameters) })}
            </span>
          </li>
        ))}
      </ul>
      <ul class="key">
        <li>
          <i class="trained" />
          {say("trainablePart")}
        </li>
        <li>
          <i class="frozen" />
          {say("frozenPart")}
        </li>
      </ul>
    </>
  );
}
