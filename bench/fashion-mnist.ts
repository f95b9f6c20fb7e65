import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parseIdx, tensor, type Tensors } from "../core/index.ts";

/** Where Fashion-MNIST is: a folder that was given, or where Debian's package dataset-fashion-mnist puts it. */
export function fashionMnistFolder(given: string | undefined): string {
  return given ?? "/usr/share/datasets/fashion-mnist";
}

/** The 60,000 training and 10,000 test images, `x` float32 [rows, 1, 28, 28] with mean 0 and deviation 1 over the training images, and `labels` int32 [rows]. */
export async function fashionMnist(folder: string): Promise<{ readonly train: Tensors; readonly test: Tensors }> {
  const part = async (name: string): Promise<Tensors> => {
    const [images, labels] = await Promise.all(
      [`${name}-images-idx3-ubyte.gz`, `${name}-labels-idx1-ubyte.gz`].map(async (file) =>
        parseIdx(gunzipSync(await readFile(join(folder, file))), file),
      ),
    );
    if (images === undefined || labels === undefined) throw new Error("two files were read");
    const x = Float32Array.from(images.data, (value) => (value / 255 - mean) / deviation);
    return { x: tensor("float32", [labels.data.length, 1, 28, 28], x), labels: tensor("int32", [labels.data.length], Int32Array.from(labels.data)) };
  };
  return { train: await part("train"), test: await part("t10k") };
}

/** Images at CIFAR's shape, `x` [rows, 3, 32, 32]: two more black pixels on each side, the same values in all three channels. What else there is stays. */
export function cifarShaped({ x, ...rest }: Tensors): Tensors {
  if (!(x?.data instanceof Float32Array)) throw new TypeError("x is float32 [rows, 1, 28, 28]");
  const rows = x.shape[0] ?? 0;
  const result = new Float32Array(rows * 3 * 32 * 32).fill((0 - mean) / deviation);
  for (let plane = 0; plane < 3 * rows; plane += 1) {
    const image = Math.floor(plane / 3);
    for (let y = 0; y < 28; y += 1) {
      const line = (image * 28 + y) * 28;
      result.set(x.data.subarray(line, line + 28), (plane * 32 + y + 2) * 32 + 2);
    }
  }
  return { x: tensor("float32", [rows, 3, 32, 32], result), ...rest };
}

/** Of the training images' pixels, from 0 to 1. */
const mean = 0.286;
const deviation = 0.353;
