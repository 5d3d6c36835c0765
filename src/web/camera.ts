/** The user's camera. */
import { OptionError, RuntimeError } from "../core/errors.ts";
import { oneOf } from "../core/option-types.ts";
import { optionsOf } from "../core/options.ts";
import type { Tensor } from "../core/tensor.ts";
import { imageTensor, type PageImageOptions, pageImageTypes } from "./images.ts";

/** Which camera, and how its images become tensors. */
export interface CameraOptions extends PageImageOptions {
  /** "user" for the camera that looks at the user, "environment" for the one behind; default the browser's choice. */
  readonly facing?: "user" | "environment";
}

const checkOptions = optionsOf<CameraOptions>("openCamera", {
  ...pageImageTypes,
  facing: oneOf("user", "environment"),
});

/** A camera that is on. */
export interface Camera {
  /** Shows what it sees; put it into the page, or leave it out. */
  readonly video: HTMLVideoElement;
  /** What it sees now: uint8 [channels, height, width]. */
  capture(): Promise<Tensor<"uint8">>;
  /** Turns it off. */
  close(): void;
}

/** What browsers refuse, by the name of their error, with what to do (Media Capture and Streams, sec. 10.3). */
const refusals: Readonly<Record<string, string>> = {
  NotAllowedError:
    "the page may not use the camera; allow it in the browser's settings of this site, and open the page anew",
  NotFoundError: "there is no camera; connect one, or read images of files by imageTensor",
  OverconstrainedError: "there is no such camera; leave facing out",
  NotReadableError: "another program uses the camera, or its driver fails; close that program",
};

/**
 * Turns a camera on, for which the browser asks the user. Throws RuntimeError where there is none, where it is in use, and where the user or
 * the page's address does not allow it.
 * @example
 * const camera = await openCamera({ size: [96, 96] });
 * document.body.append(camera.video);
 * const image = await camera.capture(); // uint8 [3, 96, 96]
 */
export async function openCamera(options: CameraOptions = {}): Promise<Camera> {
  const { facing, ...image } = checkOptions(options);
  if (typeof document === "undefined")
    throw new OptionError(
      "openCamera: a worker has no camera; open it in the page, and post its tensors to the worker",
    );
  if (!navigator.mediaDevices)
    throw new RuntimeError(
      "camera: browsers give it to pages that are served by https or from this machine; serve the page so",
    );
  const video = document.createElement("video");
  const stream = await navigator.mediaDevices
    .getUserMedia({ video: facing === undefined ? true : { facingMode: { exact: facing } } })
    .catch((cause: Error) => {
      throw new RuntimeError(
        `camera: ${refusals[cause.name] ?? `it cannot be turned on (${cause.message}); try another browser`}`,
        {
          cause,
        },
      );
    });
  const close = () => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  try {
    await video.play();
  } catch (cause) {
    close();
    throw new RuntimeError(`camera: its images cannot be shown (${(cause as Error).message}); try again`, { cause });
  }
  return {
    video,
    close,
    async capture() {
      if (!stream.active) throw new RuntimeError("camera: it is off; open it again by openCamera");
      return imageTensor(video, image);
    },
  };
}
