/** What is remarkable about boxes in images. */
import { percent, plural } from "../../core/number-text.ts";
import { quoted } from "../../core/printable.ts";
import { overlapOf } from "../../data/images/boxes.ts";
import type { BoxesProfile, Finding } from "../../data/profile/profile.ts";
import { balanceFindings } from "../../data/profile/target.ts";
import { type AnnotatedImages, fractionsInPixels } from "./annotated-images.ts";
import { type ImageWithBoxes, isSeveral } from "./box-figures.ts";

/** Overlap from which two boxes of a class are held to be of one object. */
const sameObject = 0.95;
/** Boxes of an image that are compared with one another. */
const mostCompared = 300;
/** The largest square that images are brought into, and the pixels below which an object is hard to find there. */
const [largestSide, smallExtent] = [512, 8];

const problem = (text: string): Finding => ({ weight: "problem", text });
const hint = (text: string): Finding => ({ weight: "hint", text });

/** A finding of those that there are, the first of them named. */
const some = (places: readonly string[], say: (number: number, such: string) => Finding): readonly Finding[] =>
  places.length === 0 ? [] : [say(places.length, places.slice(0, 3).join("; "))];

/** Boxes that stand twice, by where the second of each pair is written. */
function repeated(images: readonly ImageWithBoxes[]): readonly string[] {
  return images.flatMap(({ objects }) => {
    const own = objects.filter(isSeveral(false)).slice(0, mostCompared);
    return own.flatMap(({ name, box, where }, i) =>
      own.slice(0, i).some((other) => other.name === name && overlapOf(other.box, box) >= sameObject) ? [where] : [],
    );
  });
}

/** Parts that nothing can be learned of or measured by, and classes that only parts to measure by have. */
function partFindings(images: readonly ImageWithBoxes[], { parts }: BoxesProfile): readonly Finding[] {
  if (parts.length === 0) return [];
  const known = new Set(
    images.flatMap(({ part, objects }) => (part === "train" ? objects.map(({ name }) => name) : [])),
  );
  const strange = images.flatMap(({ objects }) => objects.map(({ name }) => name)).filter((name) => !known.has(name));
  return [
    ...parts
      .filter(({ boxes }) => boxes === 0)
      .map(({ part }) => problem(`no image of the part "${part}" has a box: nothing can be measured there`)),
    ...some([...new Set(strange)].map(quoted), (number, such) =>
      problem(
        `no box to train on is of ${number === 1 ? "the class" : `${number} classes, such as`} ${such}, which other parts have: ${number === 1 ? "it is" : "they are"} never found`,
      ),
    ),
  ];
}

/** Boxes that are hard to find whatever size images are brought into. */
function smallFindings(images: readonly ImageWithBoxes[], { count }: BoxesProfile): readonly Finding[] {
  const small = images.flatMap(({ objects, extents: { width, height } }) =>
    objects.flatMap(({ box: [left, top, right, bottom], where }) => {
      const scale = largestSide / Math.max(width, height);
      return scale * Math.sqrt((right - left) * (bottom - top)) < smallExtent ? [where] : [];
    }),
  );
  return some(small, (number, such) =>
    hint(
      `${plural(number, "box", "boxes")} (${percent(number / count)}) ${number === 1 ? "is" : "are"} smaller than ${smallExtent} x ${smallExtent} pixels where an image is brought into ${largestSide} x ${largestSide}, and hard to find, such as ${such}; cut images into parts`,
    ),
  );
}

/** Problems and hints. */
export function boxFindings(
  list: AnnotatedImages,
  images: readonly ImageWithBoxes[],
  boxes: BoxesProfile,
): readonly Finding[] {
  const { classes, leftOut, unlabelled, count } = boxes;
  const wrong = fractionsInPixels(list);
  const empty = images.filter(({ objects }) => objects.length === 0).map(({ name }) => name);
  const cut = images.flatMap(({ objects }) => objects.filter(({ isCut }) => isCut).map(({ where }) => where));
  const named = new Set(images.flatMap(({ objects }) => objects.map(({ name }) => name)));
  return [
    ...(wrong === undefined ? [] : [problem(wrong)]),
    ...(count === 0 ? [problem("no image has a box, so there is nothing to find")] : []),
    ...leftOut.map(({ reason, count: own, places }) =>
      problem(`${plural(own, reason, reason)}, left out where it is trained, such as ${places.join("; ")}`),
    ),
    ...some(repeated(images), (number, such) =>
      problem(
        `${plural(number, "box", "boxes")} nearly ${number === 1 ? "covers" : "cover"} another of the same class, such as ${such}; remove one of both`,
      ),
    ),
    ...partFindings(images, boxes),
    ...some(cut, (number, such) =>
      hint(
        `${plural(number, "box", "boxes")} ${number === 1 ? "reaches" : "reach"} beyond the image and ${number === 1 ? "is" : "are"} cut there, such as ${such}`,
      ),
    ),
    ...some(unlabelled, (number, such) =>
      hint(
        `${plural(number, "image")} without a file of labels, such as ${such}: taken for ${number === 1 ? "an image" : "images"} without objects; remove what nobody has looked at`,
      ),
    ),
    ...some(unlabelled.length === 0 ? empty : [], (number, such) =>
      hint(
        `${plural(number, "image")} without a box, such as ${such}: learned as having no object; remove what nobody has looked at`,
      ),
    ),
    ...some(list.names.filter((name) => !named.has(name)).map(quoted), (number, such) =>
      hint(
        `${plural(number, "class has", "classes have")} a name and no box: ${such}${number > 3 ? " and others" : ""}`,
      ),
    ),
    // A detector of one class has something to tell apart: where it is and where it is not.
    ...(classes.length > 1
      ? balanceFindings(
          classes,
          "the class of objects",
          "object",
          (largest) => `mAP weighs all classes alike: gather more than those of ${largest}`,
        )
      : []),
    ...smallFindings(images, boxes),
  ];
}
