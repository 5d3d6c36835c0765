/** The profile of images with boxes: what the images are, and what their annotations say. */

import type { Extents } from "../../data/images/padding.ts";
import { countsOf, type LabelsProfile, profileFolder } from "../../data/profile/folder-profile.node.ts";
import type { DataProfile } from "../../data/profile/profile.ts";
import { endingOf } from "../../storage/ending.ts";
import { LeftOut } from "./annotated-images.ts";
import { boxesProfile, type ImageWithBoxes, isSeveral, shareOf } from "./box-figures.ts";
import { boxFindings } from "./box-findings.ts";
import { type ListedBoxes, listBoxes } from "./list-boxes.node.ts";
import { objectsInImage } from "./place-objects.ts";

/** What annotations say, given the images that can be read. */
function labelsOf(list: ListedBoxes, extents: ReadonlyMap<string, Extents>, leftOut: LeftOut): LabelsProfile {
  const names = new Map(list.files.map(({ path, name }) => [path, name]));
  const images = list.images.flatMap((image): ImageWithBoxes[] => {
    const name = names.get(image.path) as string;
    const own = extents.get(name);
    const objects = own && objectsInImage(image, { unit: list.unit, own, leftOut });
    return own && objects ? [{ name, part: image.part, extents: own, objects }] : [];
  });
  const boxes = boxesProfile(list, images, leftOut);
  const classes = boxes.classes.map(({ value, count }) => ({ value, count }));
  const single = images.flatMap(({ objects, extents: own }) =>
    objects.filter(isSeveral(false)).map(({ box }) => shareOf(box, own)),
  );
  const byName = new Map(images.map((image) => [image.name, image]));
  return {
    notes: [`${list.what}; sizes of boxes are shares of their image's`],
    findings: boxFindings(list, images, boxes),
    target: { name: "boxes", task: "classes", classes, predictors: [] },
    boxes,
    figures: {
      "boxes an image": images.map(({ objects }) => objects.filter(isSeveral(false)).length),
      "box width": single.map(({ width }) => width),
      "box height": single.map(({ height }) => height),
      "box area": single.map(({ area }) => area),
    },
    boxesOf(name) {
      const { objects = [], extents: { width, height } = { width: 1, height: 1 } } = byName.get(name) ?? {};
      return objects.map(({ box: [left, top, right, bottom] }) => [
        left / width,
        top / height,
        right / width,
        bottom / height,
      ]);
    },
    split:
      boxes.parts.length > 0
        ? { by: "group", column: "folder", why: "the data say themselves which images are to train on and to test on" }
        : {
            by: "class",
            column: "boxes",
            why: "images are spread over the parts by the rarest class in each, those that show the same on one side",
          },
  };
}

/**
 * Profiles a folder of images with boxes, or a file of annotations with the images beside it. Throws FileError or DataError for what cannot be
 * read, naming the line.
 * @param samples images that are shown at most, with their boxes
 */
export async function profileBoxes(path: string, samples: number): Promise<DataProfile> {
  const leftOut = new LeftOut();
  const list = await listBoxes(path, leftOut);
  const classesOf = new Map(
    list.images.map(({ path: file, objects }) => [file, [...new Set(objects.map(({ label }) => label))].sort()]),
  );
  return profileFolder({
    path,
    samples,
    found: {
      kind: "images",
      files: list.files.map((file) => ({ ...file, label: classesOf.get(file.path)?.join(", ") ?? "" })),
      others: countsOf(list.others.map(({ name }) => endingOf(name))),
    },
    labels: (extents) => labelsOf(list, extents, leftOut),
  });
}
