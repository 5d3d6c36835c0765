/** Collects images of your own classes, lets a worker learn them, and tells the class of another image. */
import { type Camera, imageTensor, openCamera, trainInWorker } from "sardonyx/web";
import { speak } from "../shared/language.ts";
import { attempt, element, percent, siteFile } from "../shared/page.ts";
import { softmax } from "../shared/softmax.ts";
import { drawImage, type ImageClass, imageClass } from "./classes.ts";
import { side } from "./images.ts";
import { texts } from "./texts.ts";
import type { Learned, LearnWanted, TellWanted } from "./worker.ts";

const speaker = speak(texts);
const { say, words } = speaker;
const buttonOf = (selector: string) => element<HTMLButtonElement>(selector);
const [cameraButton, add, learn, takeButton] = [
  buttonOf("#camera"),
  buttonOf("#add"),
  buttonOf("#learn"),
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
const classes: ImageClass[] = [];

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
};
function addClass(): void {
  const own = imageClass(classes.length + 1, element("#classes"), host);
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
add.addEventListener("click", addClass);

learn.addEventListener("click", () =>
  attempt(speaker, async () => {
    const given = classes.filter(({ images }) => images.length > 0);
    if (given.length < 2 || given.some(({ images }) => images.length < 2)) throw new Error(words("tooFew"));
    const images = given.flatMap((own) => own.images);
    const labels = given.flatMap((own, label) => own.images.map(() => label));
    learn.disabled = true;
    say(state, "learning", { count: images.length });
    try {
      const wanted: LearnWanted = { kind: "learn", network: await network, images, labels };
      const { right, byPixels } = await trainInWorker<Learned>(worker, wanted).result;
      learned = given;
      const values = { count: images.length, right: percent(right), byPixels: percent(byPixels) };
      say(state, "learned", values);
      asked.disabled = false;
      showCamera();
    } catch (error) {
      say(state, "notYet");
      throw error;
    } finally {
      learn.disabled = false;
    }
  }),
);

async function tell(image: Uint8Array): Promise<void> {
  drawImage(element<HTMLCanvasElement>("#image"), image);
  const wanted: TellWanted = { kind: "tell", image };
  const shares = softmax(await trainInWorker<readonly number[]>(worker, wanted).result);
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

addClass();
addClass();
