/** A field to draw in: what is drawn becomes a grey image, white on black or the reverse. */
import { useEffect, useRef, useState } from "preact/hooks";
import { centred } from "../../site/digits/centred.ts";
import { padOf } from "../../site/digits/pad.ts";
import type { Input } from "../shared/api.ts";
import { useSay } from "../shared/language.ts";

/** Pixels of the field. */
const side = 280;

/** Grey levels as the bytes of a PNG file. */
async function pngOf(grey: Uint8Array, width: number, height: number): Promise<Blob> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  for (const [i, level] of grey.entries()) image.data.set([level, level, level, 255], 4 * i);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the browser writes no PNG file")))),
  );
}

export function DrawPad({
  size: [height, width],
  onDrawn,
}: {
  /** That of the model's images. */
  size: readonly [height: number, width: number];
  /** Told of each stroke; of nothing, once all is cleared. */
  onDrawn: (input: Input | undefined) => void;
}) {
  const say = useSay();
  const field = useRef<HTMLCanvasElement>(null);
  const pad = useRef<ReturnType<typeof padOf>>(undefined);
  const [isDark, setIsDark] = useState(false);
  const isDigit = height === 28 && width === 28;
  const [centres, setCentres] = useState(isDigit);
  const hasInk = useRef(false);
  const drawn = async () => {
    const drawing = pad.current?.drawing();
    if (!drawing || !hasInk.current) return;
    const small = isDigit && centres ? centred(drawing) : undefined;
    const ink = small ?? drawing.ink;
    const grey = isDark ? ink.map((level) => 255 - level) : ink;
    const content = small ? await pngOf(grey, 28, 28) : await pngOf(grey, drawing.width, drawing.height);
    onDrawn({ content, type: "image/png" });
  };
  const onStroke = useRef(drawn);
  onStroke.current = drawn;
  useEffect(() => {
    if (!field.current) return;
    pad.current = padOf(field.current, () => {
      hasInk.current = true;
    });
  }, []);
  // What is drawn is asked about anew.
  useEffect(() => void onStroke.current(), [isDark, centres]);
  const tall = Math.max(40, Math.min(2 * side, Math.round((side * height) / width)));
  return (
    <div>
      <canvas
        ref={field}
        class={isDark ? "pad dark-ink" : "pad"}
        width={side}
        height={tall}
        tabIndex={0}
        role="img"
        aria-label={say("drawHere")}
        onPointerUp={() => void drawn()}
        onKeyUp={() => void drawn()}
      />
      <p class="soft beside">{say("drawHere")}</p>
      <div class="row">
        <label class="pick">
          <input type="checkbox" checked={isDark} onChange={({ currentTarget }) => setIsDark(currentTarget.checked)} />
          {say("blackOnWhite")}
        </label>
        {isDigit && (
          <label class="pick">
            <input
              type="checkbox"
              checked={centres}
              onChange={({ currentTarget }) => setCentres(currentTarget.checked)}
            />
            {say("centred")}
          </label>
        )}
        <button
          type="button"
          class="quiet"
          onClick={() => {
            pad.current?.clear();
            hasInk.current = false;
            onDrawn(undefined);
          }}
        >
          {say("clear")}
        </button>
      </div>
    </div>
  );
}
