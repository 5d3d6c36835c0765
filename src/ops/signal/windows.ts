/** Constants of signal processing that follow from sizes: windows and the matrix of mel bands. */
import { DTypeError } from "../../core/errors.ts";
import { size } from "../../core/shape.ts";
import { requireTable } from "../../core/tables.ts";
import { tensor } from "../../core/tensor.ts";
import type { OpDef } from "../../graph/op.ts";
import { dtypeOfCode } from "../cast.ts";
import { constant, requireConstant } from "../constant.ts";
import { defineComposition } from "../reading.ts";

/** A window of cosines: the sum of c[k] cos(2 π k n / N), where N is its size if it is periodic, else one less. */
const cosineWindow = (type: string, coefficients: readonly number[]): OpDef =>
  defineComposition(type, {
    arity: "1",
    attributes: { output_datatype: "int", periodic: "int" },
    build: ({ inputs: [extent], attributes: { output_datatype = 1, periodic = 1 } }) => {
      const [length = 0] = requireConstant(type, "its size", extent);
      requireTable(`${type}: it`, length);
      const period = periodic === 1 ? length : length - 1;
      const at = (n: number) =>
        coefficients.reduce((sum, c, k) => sum + c * Math.cos((2 * Math.PI * k * n) / period), 0);
      return [
        constant(
          tensor(
            Array.from({ length }, (_, n) => at(n)),
            { dtype: dtypeOfCode(type, output_datatype) },
          ),
        ),
      ];
    },
  });

export const HannWindow = cosineWindow("HannWindow", [0.5, -0.5]);
export const HammingWindow = cosineWindow("HammingWindow", [25 / 46, -21 / 46]);
export const BlackmanWindow = cosineWindow("BlackmanWindow", [0.42, -0.5, 0.08]);

const melOf = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
const hertzOf = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);

/** Triangles over the bins of a spectrum, evenly spaced on the mel scale: [bins, bands]. */
export const MelWeightMatrix: OpDef = defineComposition("MelWeightMatrix", {
  arity: "5",
  attributes: { output_datatype: "int" },
  settings: [3, 4],
  build: ({ inputs, attributes: { output_datatype = 1 } }) => {
    const known = inputs.map((value) => requireConstant("MelWeightMatrix", "every operand", value)[0] ?? 0);
    const [bands = 0, length = 0, rate = 0, lowest = 0, highest = 0] = known;
    if (!(length > 0 && rate > 0)) throw new DTypeError("MelWeightMatrix: dft_length and sample_rate must be above 0");
    const shape = [Math.floor(length / 2) + 1, bands] as const;
    requireTable("MelWeightMatrix: it", ...shape);
    const step = (melOf(highest) - melOf(lowest)) / (bands + 2);
    const edges = Array.from({ length: bands + 2 }, (_, i) =>
      Math.floor(((length + 1) * hertzOf(melOf(lowest) + i * step)) / rate),
    );
    const weights = new Array<number>(size(shape)).fill(0);
    const put = (bin: number, band: number, weight: number) => {
      if (bin >= 0 && bin < shape[0]) weights[bin * bands + band] = weight;
    };
    for (let band = 0; band < bands; band++) {
      const [low = 0, center = 0, high = 0] = edges.slice(band, band + 3);
      for (let bin = low; bin < center; bin++) put(bin, band, (bin - low) / (center - low));
      put(center, band, 1);
      for (let bin = center + 1; bin < high; bin++) put(bin, band, (high - bin) / (high - center));
    }
    return [constant(tensor(weights, { dtype: dtypeOfCode("MelWeightMatrix", output_datatype) as "float32", shape }))];
  },
});
