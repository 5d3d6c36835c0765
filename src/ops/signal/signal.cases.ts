/** Cases of signal processing: Fourier transforms, windows, mel bands. */
import { apply } from "../../graph/op.ts";
import { scalar } from "../constant.ts";
import { normal, opCase, positive } from "../define.cases.ts";
import { mul } from "../elementwise.ts";
import { DFT, STFT } from "./fourier.ts";
import { BlackmanWindow, HammingWindow, HannWindow, MelWeightMatrix } from "./windows.ts";

const int64 = (value: number) => scalar(value, "int64");
const none = { derivative: "none" } as const;
const real = "torch.view_as_real";

const transformCases = [
  opCase(DFT, "real numbers along the last axis", {
    inputs: { x: normal([2, 6, 1]) },
    build: ({ x }) => apply(DFT, [x]),
    torch: `${real}(torch.fft.fft(x[..., 0]))`,
    flops: 155, // 5 · 2 · 6 · log₂ 6
  }),
  opCase(DFT, "complex numbers along the first axis, of another length", {
    inputs: { x: normal([5, 3, 2]) },
    build: ({ x }) => apply(DFT, [x, int64(4), int64(0)]),
    torch: `${real}(torch.fft.fft(torch.view_as_complex(x), n=4, dim=0))`,
  }),
  opCase(DFT, "real numbers, one side, padded with zeros", {
    inputs: { x: normal([2, 5, 1]) },
    build: ({ x }) => apply(DFT, [x, int64(8)], { onesided: 1 }),
    torch: `${real}(torch.fft.rfft(x[..., 0], n=8))`,
  }),
  opCase(DFT, "inverse", {
    inputs: { x: normal([2, 6, 2]) },
    build: ({ x }) => apply(DFT, [x], { inverse: 1 }),
    torch: `${real}(torch.fft.ifft(torch.view_as_complex(x)))`,
  }),
  opCase(STFT, "windows that overlap", {
    inputs: { x: normal([2, 20, 1]), w: positive([8]) },
    build: ({ x, w }) => apply(STFT, [x, int64(4), w]),
    torch: `${real}(torch.stft(x[..., 0], 8, 4, window=w, center=False, return_complex=True).transpose(1, 2))`,
    ...none,
  }),
  opCase(STFT, "without a window, both sides", {
    inputs: { x: normal([1, 12, 1]) },
    build: ({ x }) => apply(STFT, [x, int64(5), undefined, int64(4)], { onesided: 0 }),
    torch: `${real}(torch.fft.fft(torch.stack([x[:, :4, 0], x[:, 5:9, 0]], 1)))`,
    ...none,
  }),
];

const windowRows = [
  [HannWindow, "hann_window"],
  [HammingWindow, "hamming_window"],
  [BlackmanWindow, "blackman_window"],
] as const;

const windowCases = windowRows.flatMap(([op, name]) =>
  [1, 0].map((periodic) =>
    opCase(op, periodic ? "periodic" : "symmetric", {
      inputs: { x: normal([7]) },
      build: ({ x }) => mul(x, apply(op, [int64(7)], { periodic })),
      // PyTorch's Hamming window is 0.54 - 0.46 cos by default.
      torch: `x * torch.${name}(7, periodic=${periodic ? "True" : "False"}, ${name === "hamming_window" ? "alpha=25 / 46, beta=21 / 46, " : ""}dtype=torch.float64)`,
      ...none,
    }),
  ),
);

export const signalCases = [
  ...transformCases,
  ...windowCases,
  opCase(MelWeightMatrix, "four bands of nine bins", {
    inputs: { x: normal([9, 1]) },
    build: ({ x }) => mul(x, apply(MelWeightMatrix, [int64(4), int64(16), int64(8000), scalar(0), scalar(4000)])),
    torch: "x * mel_bands(4, 16, 8000, 0.0, 4000.0)",
    ...none,
  }),
];
