/** SVG text as a figure with its title, which can be scrolled and saved. */
import { useSay } from "../shared/language.ts";
import { saveSvgText } from "./save.ts";

/** What is shown: as an image, in which nothing runs. */
export function SvgFigure({ title, svg, name }: { title: string; svg: string; name: string }) {
  const say = useSay();
  return (
    <div class="panel">
      <header class="row spread">
        <h3>{title}</h3>
        <button type="button" class="quiet" onClick={() => saveSvgText(svg, name)}>
          {say("exportSvg")}
        </button>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is scrolled is reached by the keyboard */}
      <div class="scroll" tabIndex={0}>
        <img class="figure" src={`data:image/svg+xml,${encodeURIComponent(svg)}`} alt={title} />
      </div>
    </div>
  );
}
