/** Which layer a node of a file belongs to, by what exporters leave in names. */
import type { FileNode } from "./model-file.ts";

/** `conv1.weight`, `conv2d/kernel` and `conv2d_0.w_0` all belong to what stands before the last separator. */
const ownerOf = (weight: string): string | undefined => /^(.+)[./](?=[^./]+$)/.exec(weight)?.[1]?.replaceAll("/", ".");

/** Names that exporters number and that say nothing of a layer: `onnx::MatMul_12`, `v31`. */
const isAnonymous = (name: string): boolean => /^(onnx::|v\d+$|\d+$)/.test(name);

/**
 * The path of the layer that made a node: from the module path that PyTorch notes or puts into the node's name
 * (`/layer1/layer1.0/conv1/Conv`), from a name with slashes (`model/conv2d/Conv2D`), from the weights it reads
 * (`conv1.weight`), or its own name. `undefined` when nothing is named.
 */
export function pathOfNode(node: FileNode, weights: readonly string[]): string | undefined {
  const noted = node.metadata.get("pkg.torch.onnx.name_scopes");
  if (noted) return notedPath(noted);
  const segments = node.name.split("/").filter(Boolean);
  if (segments.length > 1) return modulePath(segments.slice(0, -1));
  const owner = weights.filter((name) => !isAnonymous(name)).map(ownerOf)[0];
  if (owner) return owner;
  return node.name === "" || isAnonymous(node.name) || node.name.startsWith("/") ? undefined : node.name;
}

/** The innermost module of `['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d']`; the last entry is the node's own. */
function notedPath(noted: string): string | undefined {
  const scopes = Array.from(noted.matchAll(/'([^']*)'/g), ([, scope]) => scope ?? "");
  return scopes.slice(0, -1).findLast(Boolean);
}

/** Joins a module's ancestors; in a list, PyTorch repeats the list's own name before the index. */
function modulePath(segments: readonly string[]): string {
  return segments
    .reduce((path, segment) => {
      const last = path.slice(path.lastIndexOf("/") + 1);
      return segment.startsWith(`${last}.`)
        ? `${path.slice(0, path.length - last.length)}${segment}`
        : `${path}/${segment}`;
    })
    .replaceAll("/", ".");
}
