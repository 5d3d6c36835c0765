/** A field to draw in, with a finger, a mouse or the keys: arrows move the pen, the space key puts it down and lifts it. */
import type { Grey } from "./centred.ts";

/** What the page does with the field. */
export interface Pad {
  /** What is drawn. */
  drawing(): Grey;
  clear(): void;
  /** Shows an image of `side` × `side` pixels, 0 to 255, in the place of what is drawn. */
  show(ink: Uint8Array, side: number): void;
}

/** Makes a canvas such a field; `changed` hears of every stroke. */
export function padOf(canvas: HTMLCanvasElement, changed: () => void): Pad {
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("the browser gives this page no canvas; close other tabs");
  const { width, height } = canvas;
  let at = { x: width / 2, y: height / 4 };
  let isDown = false;
  const clear = () => {
    pen.fillStyle = "black";
    pen.fillRect(0, 0, width, height);
  };
  const stroke = (to: typeof at) => {
    pen.strokeStyle = "white";
    [pen.lineWidth, pen.lineCap, pen.lineJoin] = [width / 13, "round", "round"];
    pen.beginPath();
    pen.moveTo(at.x, at.y);
    pen.lineTo(to.x, to.y);
    pen.stroke();
    at = to;
    changed();
  };
  const placeOf = ({ clientX, clientY }: PointerEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: ((clientX - box.left) * width) / box.width, y: ((clientY - box.top) * height) / box.height };
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    at = placeOf(event);
    isDown = false;
    stroke(at);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons > 0) stroke(placeOf(event));
  });
  const ways: Readonly<Record<string, readonly [number, number]>> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  };
  canvas.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    if (event.key === " ") {
      isDown = !isDown;
      if (isDown) stroke(at);
    } else if (way) {
      const within = (value: number, end: number) => Math.min(Math.max(value, 0), end);
      const to = { x: within(at.x + (way[0] * width) / 28, width), y: within(at.y + (way[1] * height) / 28, height) };
      if (isDown) stroke(to);
      else at = to;
    } else return;
    event.preventDefault();
  });
  clear();
  return {
    clear,
    drawing() {
      const { data } = pen.getImageData(0, 0, width, height);
      return { width, height, ink: Uint8Array.from({ length: width * height }, (_, i) => data[4 * i] ?? 0) };
    },
    show(ink, side) {
      clear();
      for (let i = 0; i < side * side; i++) {
        pen.fillStyle = `rgb(${ink[i]} ${ink[i]} ${ink[i]})`;
        pen.fillRect(
          ((i % side) * width) / side,
          (Math.floor(i / side) * height) / side,
          width / side + 1,
          height / side + 1,
        );
      }
    },
  };
}
