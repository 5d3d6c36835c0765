/** The figures of a model beside those of the model as it is: parameters, work, memory, time, and what is trained by kind of layer. */
import { amount, bytes, stepTime } from "../../src/cli/inspect/units.ts";
import { count } from "../../src/core/number-text.ts";
import type { Inspection } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";
import type { TextKey } from "../shared/texts.ts";
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
  const { parameters, cost, settings } = now;
  const kinds = now.byKind.filter((own) => own.parameters > 0);
  const most = Math.max(1, ...kinds.map((own) => own.parameters));
  const share = parameters.total === 0 ? 0 : (100 * parameters.trainable) / parameters.total;
  const shareText = share >= 10 || share === 0 ? share.toFixed(0) : share.toPrecision(2);
  /** A number of both, as text; one of training waits for its own. */
  const figure = <T extends number | null>(
    name: TextKey,
    numberOf: (of: Inspection) => T,
    textOf: (number: T) => string,
    isOfTraining = false,
  ) => (
    <Figure
      name={say(name)}
      value={textOf(numberOf(now))}
      change={changeText(numberOf(model), numberOf(now))}
      isOld={isOfTraining && isOld}
    />
  );
  return (
    <>
      <div class="figures" role="status">
        <dl>
          {figure(
            "trainedParameters",
            (of) => of.parameters.trainable,
            (own) => `${count(own)} (${shareText} %)`,
          )}
          {figure("allParameters", (of) => of.parameters.total, count)}
          {figure("storedBytes", (of) => of.parameters.bytes, bytes)}
          {figure("multiplyAdds", (of) => of.cost.macs, amount)}
          {figure("memoryToRun", (of) => of.cost.predictionBytes, bytes)}
        </dl>
        <dl>
          {figure("memoryToTrain", (of) => of.cost.trainingBytes, bytes, true)}
          {figure("flopsForward", (of) => of.cost.forwardFlops, amount)}
          {figure("flopsBackward", (of) => of.cost.backwardFlops, amount, true)}
          {settings.hardware !== null && (
            <Figure
              name={say("stepTimeOn", { name: settings.hardware })}
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
        {kinds.map(({ kind, parameters: all, trainable }) => (
          <li key={kind}>
            <span>{kindText(say, kind)}</span>
            <span class="stack" aria-hidden="true">
              <span class="trained" style={{ width: `${(100 * trainable) / most}%` }} />
              <span class="frozen" style={{ width: `${(100 * (all - trainable)) / most}%` }} />
            </span>
            <span class="number">
              {say("trainableOfKind", { trainable: count(trainable), parameters: count(all) })}
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
