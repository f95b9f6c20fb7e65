import type { Bundle } from "./bundle.ts";
import { bundleFiles, manifestText } from "./open.ts";
import { parseManifest } from "./parse-manifest.ts";
import { encodeSafetensors } from "./safetensors.ts";

/** The folder form: file name to bytes. @throws BUNDLE_INVALID for what could not be opened again */
export async function encodeBundleFolder(bundle: Bundle): Promise<Readonly<Record<string, Uint8Array<ArrayBuffer>>>> {
  checkReadable(bundle);
  return {
    [bundleFiles.weights]: encodeSafetensors(await bundle.readTensors()),
    [bundleFiles.manifest]: new TextEncoder().encode(manifestText(bundle.manifest)),
  };
}

/** The one-file form: a safetensors file with the manifest in its metadata, so that any safetensors reader opens the weights. @throws BUNDLE_INVALID for what could not be opened again */
export async function encodeBundle(bundle: Bundle): Promise<Uint8Array<ArrayBuffer>> {
  checkReadable(bundle);
  return encodeSafetensors(await bundle.readTensors(), { espalier: JSON.stringify(bundle.manifest) });
}

/** A metric that is no number, say, would be found only when the bundle is wanted. */
function checkReadable({ manifest }: Bundle): void {
  parseManifest(JSON.parse(manifestText(manifest)), manifest.name);
}
