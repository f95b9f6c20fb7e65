import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Columns } from "../../../core/index.ts";
import { openIdxFile } from "./idx-files.ts";
import { openImageFolder } from "./image-folder.ts";
import { listImages } from "./image-files.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "espalier-images-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Colour {
  readonly r: number;
  readonly g: number;
  readonly b: number;
}

async function paint(name: string, background: Colour, [width, height]: readonly [number, number] = [10, 10]): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await sharp({ create: { width, height, channels: 3, background } }).toFile(join(folder, name));
}

const red = { r: 250, g: 10, b: 20 };
const gray = { r: 90, g: 90, b: 90 };
const allRows = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

/** The image column's values and the label of each row. */
function rowsOf(columns: Columns): { values: number[]; labels: string[]; shape: readonly number[] } {
  const [image, label] = [columns.columns.get("image"), columns.columns.get("label")];
  if (image?.kind !== "tensor" || label?.kind !== "string") throw new Error("expected an image and a label");
  return { values: [...image.values], labels: Array.from(label.codes, (code) => label.dictionary[code] ?? ""), shape: image.shape };
}

describe("listImages", () => {
  it("takes the class from the folder, knows the parts, and passes over hidden and other files", async () => {
    for (const name of ["train/cat/b.png", "train/cat/deep/a.JPG", "val/dog/c.webp", "test/dog/d.jpeg", "train/dog/.hidden.png", "train/notes.txt"]) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), "");
    }
    expect((await listImages(folder)).map(({ path, part, label }) => ({ name: path.slice(folder.length + 1), part, label }))).toEqual([
      { name: "test/dog/d.jpeg", part: "test", label: "dog" },
      { name: "train/cat/b.png", part: "train", label: "cat" },
      { name: "train/cat/deep/a.JPG", part: "train", label: "cat" },
      { name: "val/dog/c.webp", part: "validation", label: "dog" },
    ]);
  });

  it("takes folders named test and train as classes when there are others beside them", async () => {
    for (const name of ["train/a.png", "plane/b.png"]) await paint(name, red);
    expect((await listImages(folder)).map(({ label, part }) => [label, part])).toEqual([
      ["plane", undefined],
      ["train", undefined],
    ]);
  });

  it("does not follow links to folders, so that a ring has an end", async () => {
    await paint("cat/a.png", red);
    await symlink(folder, join(folder, "cat", "ring"));
    expect(await listImages(folder)).toHaveLength(1);
  });
});

describe("openImageFolder", () => {
  it("reads pixels, plane by plane, as the files have them, whatever the format", async () => {
    await paint("cat/a.png", red);
    await paint("dog/b.webp", red, [20, 10]);
    await paint("dog/c.jpg", { r: 0, g: 0, b: 255 }, [10, 30]);
    const data = await openImageFolder(folder, { imageSize: 2 });
    const { source, notes } = await data.read();
    expect(notes).toEqual([]);
    const { values, labels, shape } = rowsOf(await source.readRows(allRows(3)));
    expect(shape).toEqual([3, 2, 2]);
    expect(labels).toEqual(["cat", "dog", "dog"]);
    expect(values.slice(0, 12)).toEqual([250, 250, 250, 250, 10, 10, 10, 10, 20, 20, 20, 20]);
    const blue = values.slice(24);
    for (const value of blue.slice(0, 8)) expect(value).toBeLessThan(6); // JPEG is not exact
    for (const value of blue.slice(8)) expect(value).toBeGreaterThan(249);
  });

  it("chooses the median side, in whole multiples of 8, at most 64", async () => {
    for (const [i, size] of [40, 45, 300].entries()) await paint(`a/${i}.png`, red, [size + 9, size]);
    expect((await openImageFolder(folder, {})).notes[0]).toContain("images are read as 40x40 pixels, from a median of 54x45");
    for (const i of [3, 4, 5]) await paint(`b/${i}.png`, red, [500, 400]);
    expect((await openImageFolder(folder, {})).notes[0]).toContain("64x64 pixels");
  });

  it("gives one channel when no image has colour, also when the files are stored in colour", async () => {
    await paint("a/1.png", gray);
    await paint("b/2.png", { r: 5, g: 5, b: 5 });
    const { source } = await (await openImageFolder(folder, { imageSize: 2 })).read();
    const kept = rowsOf(await source.readRows(allRows(2)));
    expect(kept).toEqual({ values: [90, 90, 90, 90, 5, 5, 5, 5], labels: ["a", "b"], shape: [1, 2, 2] });
    // The same when the images do not fit into memory and are decoded for each batch.
    const streamed = await (await openImageFolder(folder, { imageSize: 2, maxBytes: 0 })).read();
    expect(rowsOf(await streamed.source.readRows(allRows(2)))).toEqual(kept);
  });

  it("leaves out broken images with a count and their paths, and refuses when there are many", async () => {
    for (let i = 0; i < 19; i++) await paint(`a/${String(i).padStart(2, "0")}.png`, red);
    await writeFile(join(folder, "a", "05-broken.png"), "no image");
    const { source, notes } = await (await openImageFolder(folder, { imageSize: 2 })).read();
    expect(source.columns.length).toBe(19);
    expect(notes[0]).toMatch(/^1 of 20 images in .* cannot be decoded: .*05-broken\.png cannot be decoded: .*; they are left out$/);
    for (let i = 0; i < 5; i++) await writeFile(join(folder, "a", `bad-${i}.png`), "no image");
    await expect((await openImageFolder(folder, { imageSize: 2 })).read()).rejects.toMatchObject({
      code: "DATA_MALFORMED",
      message: expect.stringMatching(/6 of 25 images .* and 3 more; mend or remove them/),
    });
  });

  it("refuses a truncated image, an empty folder and images without a class", async () => {
    await expect(openImageFolder(folder, {})).rejects.toMatchObject({ code: "DATA_EMPTY" });
    await paint("loose.png", red);
    await expect(openImageFolder(folder, {})).rejects.toMatchObject({ code: "DATA_MALFORMED", message: expect.stringContaining("<class>/<file>") });
    await rm(join(folder, "loose.png"));
    const whole = await sharp({
      create: { width: 200, height: 200, channels: 3, background: red, noise: { type: "gaussian", mean: 128, sigma: 50 } },
    })
      .png()
      .toBuffer();
    await mkdir(join(folder, "a"));
    await writeFile(join(folder, "a", "cut.png"), whole.subarray(0, whole.length / 2));
    await expect((await openImageFolder(folder, {})).read()).rejects.toMatchObject({ code: "DATA_MALFORMED" });
  });

  it("has a fingerprint of names and bytes", async () => {
    await paint("a/1.png", red);
    const first = (await openImageFolder(folder, {})).fingerprint;
    expect((await openImageFolder(folder, {})).fingerprint).toBe(first);
    await paint("a/1.png", gray);
    expect((await openImageFolder(folder, {})).fingerprint).not.toBe(first);
  });

  it("stops when its signal says so", async () => {
    await paint("a/1.png", red);
    const data = await openImageFolder(folder, { signal: AbortSignal.timeout(0) }).catch((error: unknown) => error);
    expect(data).toBeDefined();
    const controller = new AbortController();
    const opened = await openImageFolder(folder, { signal: controller.signal });
    controller.abort();
    await expect(opened.read()).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("openIdxFile", () => {
  const header = (...sizes: readonly number[]): number[] => [0, 0, 8, sizes.length, ...sizes.flatMap((size) => [0, 0, 0, size])];

  it("finds labels and the test part beside the file, packed or not", async () => {
    await writeFile(join(folder, "train-images-idx3-ubyte.gz"), gzipSync(Uint8Array.from([...header(3, 1, 2), 1, 2, 3, 4, 5, 6])));
    await writeFile(join(folder, "train-labels-idx1-ubyte.gz"), gzipSync(Uint8Array.from([...header(3), 7, 8, 9])));
    await writeFile(join(folder, "t10k-images-idx3-ubyte"), Uint8Array.from([...header(1, 1, 2), 11, 12]));
    await writeFile(join(folder, "t10k-labels-idx1-ubyte"), Uint8Array.from([...header(1), 5]));
    const data = await openIdxFile(join(folder, "train-images-idx3-ubyte.gz"));
    const { source } = await data.read();
    expect(source.parts).toEqual({ train: Uint32Array.of(0, 1, 2), test: Uint32Array.of(3) });
    const { columns } = await source.readRows(Uint32Array.of(3, 0));
    expect(columns.get("image")).toEqual({ kind: "tensor", shape: [1, 1, 2], values: Uint8Array.of(11, 12, 1, 2) });
    expect(columns.get("label")).toEqual({ kind: "number", values: Float64Array.of(5, 7) });
  });

  it("says which file is missing or damaged", async () => {
    const path = join(folder, "train-images-idx3-ubyte.gz");
    await expect(openIdxFile(path)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    await writeFile(path, gzipSync(Uint8Array.from([...header(1, 1, 2), 1, 2])));
    await expect(openIdxFile(path)).rejects.toThrow(/has no labels beside it: .*train-labels-idx1-ubyte\.gz is missing/);
    await writeFile(path, gzipSync(Uint8Array.from([...header(1, 1, 2), 1, 2])).subarray(0, 20));
    await expect(openIdxFile(path)).rejects.toMatchObject({ code: "DATA_MALFORMED", message: expect.stringContaining("not readable gzip") });
  });
});
