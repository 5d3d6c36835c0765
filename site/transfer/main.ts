/** Collects images of your own classes, lets a worker learn them, and tells the class of another image. */
import { browserValue, type Camera, imageTensor, openCamera, trainInWorker } from "sardonyx/web";
import { devicesOf } from "../shared/device.ts";
import { speak } from "../shared/language.ts";
import { attempt, element, percent, siteFile } from "../shared/page.ts";
import { softmax } from "../shared/softmax.ts";
import { drawImage, type ImageClass, imageClass, type KeptClass } from "./classes.ts";
import { side } from "./images.ts";
import { texts } from "./texts.ts";
import type { Learned, LearnWanted, TellWanted } from "./worker.ts";

const speaker = speak(texts);
const { say, words } = speaker;
const devices = devicesOf(speaker);
const buttonOf = (selector: string) => element<HTMLButtonElement>(selector);
const [cameraButton, add, learn, anew, takeButton] = [
  buttonOf("#camera"),
  buttonOf("#add"),
  buttonOf("#learn"),
  buttonOf("#anew"),
  buttonOf("#take"),
];
const asked = element<HTMLInputElement>("#asked");
const state = element("#state");
const worker = new Worker(new URL("./transfer-worker.js", import.meta.url), { type: "module" });
const network = siteFile("features.bin");
network.then(
  ({ length }) => {
    element("#missing").hidden = length > 0;
    learn.disabled = length === 0;
  },
  (error: Error) => attempt(speaker, () => Promise.reject(error)),
);

let camera: Camera | undefined;
/** The classes that were learned. */
let learned: readonly ImageClass[] = [];
let classes: ImageClass[] = [];

/** The classes as the browser keeps them, and whether they were learned. */
interface Kept {
  readonly classes: readonly KeptClass[];
  readonly isLearned: boolean;
}
const stored = browserValue<Kept>("site-transfer");
/** What is written is written in turn: of several changes the last one stays. */
let keeping: Promise<void> = Promise.resolve();
function keep(): void {
  keeping = keeping
    .then(() =>
      stored.save({
        classes: classes.map(({ ownName, images }) => ({ name: ownName, images: [...images] })),
        isLearned: learned.length > 0,
      }),
    )
    .catch((error: Error) => attempt(speaker, () => Promise.reject(error)));
  anew.hidden = false;
}

const imageOf = async (source: ImageBitmapSource) => (await imageTensor(source, { size: [side, side] })).data;

const host = {
  speaker,
  files: (own: ImageClass, files: readonly File[]) =>
    void attempt(speaker, async () => {
      for (const file of files) own.add(await imageOf(file));
    }),
  take: (own: ImageClass) =>
    void attempt(speaker, async () => {
      if (camera) own.add((await camera.capture()).data as Uint8Array);
    }),
  changed: keep,
};
function addClass(kept?: KeptClass): void {
  const own = imageClass(classes.length + 1, element("#classes"), host, kept);
  own.setCamera(camera !== undefined);
  classes.push(own);
}

function showCamera(): void {
  for (const own of classes) own.setCamera(camera !== undefined);
  takeButton.disabled = camera === undefined || learned.length === 0;
  say(cameraButton, camera ? "cameraOff" : "cameraOn");
  element("#view").replaceChildren(...(camera ? [camera.video] : []));
}

cameraButton.addEventListener("click", () =>
  attempt(speaker, async () => {
    if (camera) {
      camera.close();
      camera = undefined;
    } else camera = await openCamera({ size: [side, side] });
    showCamera();
  }),
);
add.addEventListener("click", () => addClass());
anew.addEventListener("click", () =>
  attempt(speaker, async () => {
    await keeping;
    await stored.remove();
    [classes, learned] = [[], []];
    element("#classes").replaceChildren();
    addClass();
    addClass();
    anew.hidden = true;
    asked.disabled = true;
    showCamera();
    say(state, "notYet");
    element("#answer").textContent = "";
    element("#bars").replaceChildren();
  }),
);

/** Learns the classes that have images. */
async function learnAll(): Promise<void> {
  const given = classes.filter(({ images }) => images.length > 0);
  if (given.length < 2 || given.some(({ images }) => images.length < 2)) throw new Error(words("tooFew"));
  const images = given.flatMap((own) => own.images);
  const labels = given.flatMap((own, label) => own.images.map(() => label));
  learn.disabled = true;
  anew.disabled = true;
  say(state, "learning", { count: images.length });
  try {
    const bytes = await network;
    const { right, byPixels } = await devices.compute((device) => {
      const wanted: LearnWanted = { kind: "learn", network: bytes, images, labels, device };
      return trainInWorker<Learned>(worker, wanted).result;
    });
    learned = given;
    const values = { count: images.length, right: percent(right), byPixels: percent(byPixels) };
    say(state, "learned", values);
    asked.disabled = false;
    showCamera();
    keep();
  } catch (error) {
    say(state, "notYet");
    throw error;
  } finally {
    learn.disabled = false;
    anew.disabled = false;
  }
}
learn.addEventListener("click", () => attempt(speaker, learnAll));

async function tell(image: Uint8Array): Promise<void> {
  drawImage(element<HTMLCanvasElement>("#image"), image);
  const shares = softmax(
    await devices.compute((device) => {
      const wanted: TellWanted = { kind: "tell", image, device };
      return trainInWorker<readonly number[]>(worker, wanted).result;
    }),
  );
  const best = shares.indexOf(Math.max(...shares));
  const names = learned.map((own) => own.name());
  say(element("#answer"), "answer", { name: names[best] ?? "", probability: percent(shares[best] ?? 0) });
  element("#bars").replaceChildren(
    ...shares.map((share, i) => {
      const row = document.createElement("li");
      const [name, bar, value] = [
        document.createElement("span"),
        document.createElement("i"),
        document.createElement("span"),
      ];
      [name.textContent, value.textContent] = [names[i] ?? "", percent(share)];
      bar.style.width = `${100 * share}%`;
      row.classList.toggle("best", i === best);
      row.append(name, bar, value);
      return row;
    }),
  );
}
asked.addEventListener("change", () =>
  attempt(speaker, async () => {
    const [file] = asked.files ?? [];
    if (file) await tell(await imageOf(file));
    asked.value = "";
  }),
);
takeButton.addEventListener("click", () =>
  attempt(speaker, async () => {
    if (camera) await tell((await camera.capture()).data as Uint8Array);
  }),
);

// What an earlier visit left is there again, and learned again where it was.
await attempt(speaker, async () => {
  let kept: Kept | undefined;
  try {
    kept = await stored.load();
  } finally {
    for (const own of kept?.classes ?? [undefined, undefined]) addClass(own);
  }
  if (!kept) return;
  anew.hidden = false;
  say(state, "kept");
  if (kept.isLearned && (await network).length > 0) await learnAll();
});
