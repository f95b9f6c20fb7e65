import { describe, expect, it } from "vitest";
import { tensor, type Tensor } from "../tensor.ts";
import { augmentedFeeds, augmentImages, type ImageAugmentation } from "./augment-images.ts";
import { feedBatches } from "./feed-batches.ts";
import { tensorFeeds } from "./tensor-batches.ts";

const pass = { seed: 5, epoch: 2 };
/** [1, 1, 3, 4] whose pixels all differ. */
const one = tensor("float32", [1, 1, 3, 4], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
const many = (count: number): Tensor =>
  tensor(
    "float32",
    [count, 2, 6, 6],
    Array.from({ length: count * 72 }, (_, i) => ((i * 37) % 101) / 101),
  );
const vary = (images: Tensor, options: ImageAugmentation, row = 0): number[] =>
  Array.from(augmentImages(images, { ...options, rows: [row], pass }).data, Number);

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** The image moved down and right by whole pixels, zeros from outside: written out independently. */
function moved(
  values: readonly number[],
  { down, right, mirror = false, edge = false }: { down: number; right: number; mirror?: boolean; edge?: boolean },
): number[] {
  const [height, width] = [3, 4];
  return Array.from({ length: height * width }, (_, i) => {
    const y = Math.floor(i / width) - down;
    const x = (mirror ? width - 1 - (i % width) : i % width) - right;
    if (edge) return values[Math.min(2, Math.max(0, y)) * width + Math.min(3, Math.max(0, x))] ?? 0;
    return y < 0 || y >= height || x < 0 || x >= width ? 0 : (values[y * width + x] ?? 0);
  });
}

describe("augmentImages", () => {
  it("does nothing when nothing is asked for", () => {
    expect(augmentImages(many(3), { rows: [0, 1, 2], pass }).data).toEqual(many(3).data);
  });

  it("moves by whole pixels, up to the share asked for, with zeros or the border's pixels from outside", () => {
    for (const fill of ["zero", "edge"] as const) {
      const all = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => String(moved(vary(one, {}), { down, right, edge: fill === "edge" }))));
      const seen = new Set(Array.from({ length: 200 }, (_, row) => String(vary(one, { shift: 1 / 3, fill }, row))));
      expect([...seen].toSorted()).toEqual([...new Set(all)].toSorted());
    }
  });

  it("mirrors about half of the images, and only left to right", () => {
    const results = Array.from({ length: 400 }, (_, row) => String(vary(one, { horizontalFlip: true }, row)));
    const mirrored = results.filter((result) => result === String(moved(vary(one, {}), { down: 0, right: 0, mirror: true }))).length;
    const same = results.filter((result) => result === String(vary(one, {}))).length;
    expect(mirrored + same).toBe(400);
    expect(Math.abs(mirrored - 200)).toBeLessThan(40); // four standard deviations
  });

  it("turns and resizes about the middle: a blob stays where it is and keeps its mass, a bar turns by the angle", () => {
    const side = 33;
    const bar = tensor(
      "float32",
      [1, 1, side, side],
      Array.from({ length: side * side }, (_, i) => Math.exp(-(((i % side) - 16) ** 2) / 90 - (Math.floor(i / side) - 16) ** 2 / 8)),
    );
    for (const row of [0, 1, 2, 3, 4, 5]) {
      const turned = vary(bar, { rotation: 30 }, row);
      let [mass, covariance, variance, y, x] = [0, 0, 0, 0, 0];
      for (const [i, value] of turned.entries()) {
        const [down, right] = [Math.floor(i / side) - 16, (i % side) - 16];
        mass += value;
        y += value * down;
        x += value * right;
        covariance += value * down * right;
        variance += value * (right * right - down * down);
      }
      expect(Math.abs(y / mass) + Math.abs(x / mass)).toBeLessThan(1e-4);
      // The bar's axis by its second moments: at most 30 degrees from the horizontal, and not where it was.
      const degrees = (Math.atan2(2 * covariance, variance) / 2) * (180 / Math.PI);
      expect(Math.abs(degrees)).toBeLessThan(30);
      expect(Math.abs(degrees)).toBeGreaterThan(0.01);
      const zoomed = vary(bar, { zoom: 0.2 }, row).reduce((sum, value) => sum + value, 0) / mass;
      expect(zoomed).toBeGreaterThan(0.8 ** 2 - 0.01);
      expect(zoomed).toBeLessThan(1.2 ** 2 + 0.01);
    }
  });

  it("slants: the upper half goes one way and the lower half the other, each row by its distance from the middle", () => {
    const side = 21;
    const column = tensor(
      "float32",
      [1, 1, side, side],
      Array.from({ length: side * side }, (_, i) => (i % side === 10 ? 1 : 0)),
    );
    const slopes = Array.from({ length: 20 }, (_, row) => {
      const slanted = vary(column, { shear: 0.4 }, row);
      const middleOf = (y: number): number => {
        const line = slanted.slice(y * side, (y + 1) * side);
        return line.reduce((sum, value, x) => sum + value * x, 0) / line.reduce((sum, value) => sum + value, 0);
      };
      const slope = (middleOf(16) - middleOf(4)) / 12;
      expect(middleOf(10)).toBeCloseTo(10, 5);
      for (const y of [4, 7, 13, 16]) expect(middleOf(y)).toBeCloseTo(10 + slope * (y - 10), 4);
      return slope;
    });
    expect(Math.max(...slopes)).toBeLessThanOrEqual(0.4);
    expect(Math.min(...slopes)).toBeGreaterThanOrEqual(-0.4);
    expect(Math.max(...slopes) - Math.min(...slopes)).toBeGreaterThan(0.3);
  });

  it("is a function of seed, epoch and row, not of the batch that a row comes in", () => {
    const options = { horizontalFlip: true, shift: 0.2, rotation: 10, zoom: 0.1 };
    const all = augmentImages(many(4), { ...options, rows: [7, 8, 9, 10], pass });
    const last = augmentImages(
      { ...many(4), shape: [1, 2, 6, 6], data: (many(4).data as Float32Array).subarray(3 * 72) },
      { ...options, rows: [10], pass },
    );
    expect(last.data).toEqual((all.data as Float32Array).slice(3 * 72));
    expect(augmentImages(many(4), { ...options, rows: [7, 8, 9, 10], pass: { ...pass, epoch: 3 } }).data).not.toEqual(all.data);
    expect(augmentImages(many(4), { ...options, rows: [7, 8, 9, 10], pass: { ...pass, seed: 6 } }).data).not.toEqual(all.data);
  });

  it("refuses numbers out of range and tensors that are no images", () => {
    const feeds = tensorFeeds({ image: many(2) });
    expect(() => augmentedFeeds(feeds, { input: "image", shift: 0.6 })).toThrow(/shift must be from 0 to 0.5, not 0.6/);
    expect(() => augmentedFeeds(feeds, { input: "image", rotation: -1 })).toThrow(/rotation must be from 0 to 45, not -1/);
    expect(() => augmentImages(tensor("float32", [2, 2], [1, 2, 3, 4]), { rows: [0, 1], pass })).toThrow(
      /\[batch, channels, height, width\], not float32 \[2, 2\]/,
    );
  });
});

describe("augmentedFeeds", () => {
  it("varies training batches only, and a pass that goes on from a state sees the same images", async () => {
    const feeds = augmentedFeeds(
      tensorFeeds({
        image: many(10),
        labels: tensor(
          "int32",
          [10],
          Array.from({ length: 10 }, (_, i) => i),
        ),
      }),
      {
        input: "image",
        shift: 0.2,
        rotation: 5,
      },
    );
    const training = feedBatches(feeds, { batchSize: 4, shuffle: pass });
    const whole = await collect(training.iterate());
    const iterator = training.iterate();
    await iterator.next();
    const rest = await collect(training.iterate(iterator.state()));
    expect(rest).toEqual(whole.slice(1));
    const plain = await collect(feedBatches(feeds, { batchSize: 10 }).iterate());
    expect(plain[0]?.["image"]).toEqual(many(10));
    expect(whole[0]?.["image"]).not.toEqual(plain[0]?.["image"]);
  });

  it("refuses an input that the feeds do not have", async () => {
    const feeds = augmentedFeeds(tensorFeeds({ image: many(2) }), { input: "picture" });
    await expect(Promise.resolve(feeds.feedsAt(Uint32Array.of(0), pass))).rejects.toMatchObject({ code: "TENSOR_INVALID" });
  });
});
