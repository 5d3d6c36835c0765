/** What the files of a machine speak for: cards of makers, and nothing where a display is software's. */
import { expect, test } from "vitest";
import { likelyDevices, type Surroundings, surroundings, withoutSoftware } from "./cards.node.ts";

/** A machine with these files; folders are what lies in them. */
function machine(
  platform: string,
  arch: string,
  files: Readonly<Record<string, string>> = {},
  cuda = false,
): Surroundings {
  return {
    platform,
    arch,
    hasCuda: () => cuda,
    exists: (path) => path in files,
    names: (folder) =>
      Object.keys(files).flatMap((path) => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [])),
    text: (path) => files[path] ?? "",
  };
}

const rendering = (vendor: string) => ({
  "/dev/dri/card0": "",
  "/dev/dri/renderD128": "",
  "/sys/class/drm/renderD128/device/vendor": `${vendor}\n`,
});
const nvidia = { "/dev/nvidiactl": "" };

test.each([
  ["nothing", machine("linux", "x64"), []],
  ["a card of AMD's", machine("linux", "x64", rendering("0x1002")), ["webgpu"]],
  ["a part of an Intel processor", machine("linux", "x64", rendering("0x8086")), ["webgpu"]],
  ["the display of a virtual machine (virtio)", machine("linux", "x64", rendering("0x1af4")), []],
  ["a display without a maker (vgem)", machine("linux", "x64", { "/dev/dri/renderD128": "" }), []],
  ["a display that computes nothing", machine("linux", "x64", { "/dev/dri/card0": "" }), []],
  ["a card of NVIDIA's in a container", machine("linux", "x64", nvidia), ["webgpu"]],
  ["the same with CUDA's provider", machine("linux", "x64", nvidia, true), ["webgpu", "cuda"]],
  ["CUDA's provider without a card", machine("linux", "x64", {}, true), []],
  ["a card of AMD's and CUDA's provider", machine("linux", "x64", rendering("0x1002"), true), ["webgpu"]],
  ["NVIDIA on ARM, for which there is no provider", machine("linux", "arm64", nvidia, true), ["webgpu"]],
  ["Metal", machine("darwin", "arm64"), ["webgpu"]],
  ["an older Mac, for which there is no engine", machine("darwin", "x64"), []],
  ["Windows without a driver", machine("win32", "x64"), []],
  ["another system", machine("freebsd", "x64", rendering("0x1002")), []],
])("%s", (_, here, devices) => {
  expect(likelyDevices(here)).toEqual(devices);
});

test("files that cannot be read are none", () => {
  expect(surroundings.names("/nonexistent")).toEqual([]);
  expect(surroundings.text("/nonexistent")).toBe("");
});

test("drivers of software are passed over beside those that were before, once", () => {
  const first = withoutSoftware({});
  expect(first).toEqual({ VK_LOADER_DRIVERS_DISABLE: "*lvp*,*swiftshader*" });
  expect(withoutSoftware({ ...first })).toEqual(first);
  expect(withoutSoftware({ VK_LOADER_DRIVERS_DISABLE: "*hasvk*" }).VK_LOADER_DRIVERS_DISABLE).toBe(
    "*hasvk*,*lvp*,*swiftshader*",
  );
});
