/** The classes of the page: their names, and the images that they are given. */
import type { Speaker } from "../shared/language.ts";
import { side } from "./images.ts";
import type { texts } from "./texts.ts";

/** A class. */
export interface ImageClass {
  /** What the user calls it. */
  name(): string;
  /** What the user wrote as its name, which may be nothing. */
  readonly ownName: string;
  /** uint8 [3, side, side] each. */
  readonly images: readonly Uint8Array[];
  /** Adds a image, and shows it. */
  add(image: Uint8Array): void;
  /** Whether there is a camera to take images of. */
  setCamera(isOn: boolean): void;
}

/** What a class asks the page for. */
export interface ClassHost {
  readonly speaker: Speaker<keyof typeof texts | "failed">;
  /** Hears of files that were chosen for the class. */
  files(own: ImageClass, files: readonly File[]): void;
  /** Hears that the camera is to take one. */
  take(own: ImageClass): void;
  /** Hears that the name or the images are others. */
  changed(): void;
}

/** A class as the browser keeps it. */
export interface KeptClass {
  readonly name: string;
  /** uint8 [3, side, side] each. */
  readonly images: readonly Uint8Array[];
}

/** Draws a image into a canvas of `side` × `side` pixels. */
export function drawImage(canvas: HTMLCanvasElement, image: Uint8Array): void {
  const pixels = new ImageData(side, side);
  const plane = side * side;
  for (let i = 0; i < plane; i++)
    pixels.data.set([image[i] ?? 0, image[plane + i] ?? 0, image[2 * plane + i] ?? 0, 255], 4 * i);
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
}

/** Makes a class with its place in the page, with the name and the images that the browser kept. */
export function imageClass(
  number: number,
  place: Element,
  { speaker, files, take, changed }: ClassHost,
  kept?: KeptClass,
): ImageClass {
  const { say, words, onChange } = speaker;
  const made = <K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Readonly<Record<string, string>> = {}) => {
    const own = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) own.setAttribute(key, value);
    return own;
  };
  const images: Uint8Array[] = [];
  const box = made("section", { class: "card" });
  const name = made("input", { id: `name-${number}`, autocomplete: "off" });
  const choose = made("label", { class: "button", for: `files-${number}` });
  const input = made("input", {
    id: `files-${number}`,
    type: "file",
    accept: "image/*",
    multiple: "",
    class: "unseen",
  });
  const camera = made("button", { type: "button" });
  const [count, shown, row] = [
    made("p", { class: "soft" }),
    made("div", { class: "thumbs" }),
    made("div", { class: "row" }),
  ];
  row.append(choose, input, camera);
  box.append(name, row, count, shown);
  place.append(box);
  camera.disabled = true;
  say(choose, "addImages");
  say(camera, "take");
  say(count, "count", { count: 0 });
  const label = () => {
    name.setAttribute("aria-label", words("className", { number }));
    name.placeholder = words("classDefault", { number });
    input.setAttribute("aria-label", words("addImagesTo", { number }));
  };
  label();
  onChange(label);
  const show = (image: Uint8Array) => {
    images.push(image);
    const canvas = made("canvas", { width: `${side}`, height: `${side}`, "aria-hidden": "true" });
    drawImage(canvas, image);
    shown.append(canvas);
    say(count, "count", { count: images.length });
  };
  name.value = kept?.name ?? "";
  for (const image of kept?.images ?? []) show(image);
  const own: ImageClass = {
    name: () => name.value.trim() || words("classDefault", { number }),
    get ownName() {
      return name.value;
    },
    images,
    add(image) {
      show(image);
      changed();
    },
    setCamera(isOn) {
      camera.disabled = !isOn;
    },
  };
  input.addEventListener("change", () => {
    files(own, [...(input.files ?? [])]);
    input.value = "";
  });
  camera.addEventListener("click", () => take(own));
  name.addEventListener("change", changed);
  return own;
}
