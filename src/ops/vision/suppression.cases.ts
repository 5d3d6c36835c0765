/** Cases of non-maximum suppression. */
import { given, opCase } from "../define.cases.ts";
import * as s from "./suppression.ts";

// Two pairs of boxes that overlap by more than half, and one alone.
const boxes = given(
  [
    0, 0, 10, 10, 1, 1, 10, 10, 20, 20, 30, 40, 20, 21, 30, 38, 50, 0, 60, 10, 50, 0, 60, 10, 0, 0, 9, 9, 1, 0, 9, 10,
    30, 30, 9, 40, 2, 2, 8, 8,
  ],
  [2, 5, 4],
);
const scores = given(
  [0.9, 0.8, 0.3, 0.7, 0.2, 0.05, 0.1, 0.6, 0.5, 0.01, 0.4, 0.9, 0.85, 0.3, 0.2, 0.01, 0.02, 0.03, 0.04, 0.05],
  [2, 2, 5],
);

export const suppressionCases = [
  opCase(s.NonMaxSuppression, "two classes of two images", {
    inputs: { boxes, scores },
    build: ({ boxes, scores }) => s.nonMaxSuppression(boxes, scores, { limit: 3, overlap: 0.5, threshold: 0.1 }),
    torch: "suppress(boxes, scores, 3, 0.5, 0.1)",
  }),
  opCase(s.NonMaxSuppression, "fewer places than boxes, any overlap", {
    inputs: { boxes, scores },
    build: ({ boxes, scores }) => s.nonMaxSuppression(boxes, scores, { limit: 2, overlap: 1, threshold: 0 }),
    torch: "suppress(boxes, scores, 2, 1, 0)",
  }),
];
