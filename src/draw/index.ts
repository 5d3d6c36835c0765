/** Drawing from numbers: lines, bars, heat maps and dots as SVG, images as PNG. */
export { Canvas, type Color } from "./canvas.ts";
export { type HeatmapColours, type HeatmapOptions, heatmap } from "./heatmap.ts";
export {
  type AxisOptions,
  barPlot,
  type Dot,
  linePlot,
  type PlotOptions,
  type Series,
  scatterPlot,
} from "./plot.ts";
export { encodePng, tileImages } from "./png.ts";
