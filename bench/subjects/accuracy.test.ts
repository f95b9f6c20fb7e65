import { expect, test } from "vitest";
import { augmentImages, elementCount, tensor } from "../../core/index.ts";
import { accuracySubject, augmentationOf, cautious, parametersOf } from "./index.ts";

test.each([
  ["lenet", 61_706],
  ["resnet18", 11_172_810], // torchvision's 11,689,512 with a 3 x 3 stem of one channel and ten classes
  ["resnet18-width8", 176_402],
] as const)("%s has as many parameters as its twin in PyTorch", (name, count) => {
  const sizes = Object.values(parametersOf(accuracySubject(name).build(0))).map(({ shape }) => elementCount(shape));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
});

test("a network that is not there is refused with those that are", () => {
  expect(() => accuracySubject("toString")).toThrow('no network "toString"; there are lenet, resnet18, resnet18-width8');
});

test("seeds have first weights of their own, and the same seed the same ones", () => {
  const weights = (seed: number): unknown => Object.values(parametersOf(accuracySubject("lenet").build(seed)))[0]?.data;
  expect(weights(1)).toEqual(weights(1));
  expect(weights(1)).not.toEqual(weights(2));
});

test("a cautious recipe differs in its rate alone", () => {
  const { recipe } = accuracySubject("resnet18-width8");
  expect(cautious(recipe)).toEqual({ ...recipe, optimizer: { ...recipe.optimizer, learningRate: 0.001 } });
});

test("a crop out of an image with 4 more pixels moves it by up to 4 pixels either way, and repeats its border", () => {
  const image = Float32Array.from({ length: 32 * 32 }, (_, i) => (i % 32) + 100 * Math.floor(i / 32)); // says where a pixel comes from
  const count = 400;
  const images = tensor(
    "float32",
    [count, 1, 32, 32],
    Float32Array.from({ length: count * 1024 }, (_, i) => image[i % 1024] ?? 0),
  );
  const augmentation = augmentationOf({ pad: 4, horizontalFlip: false }, 32);
  const rows = Array.from({ length: count }, (_, row) => row);
  const { data } = augmentImages(images, { ...augmentation, rows, pass: { seed: 0, epoch: 1 } });
  const centres = rows.map((row) => Number(data[row * 1024 + 16 * 32 + 16]));
  const moved = { down: centres.map((value) => 16 - Math.floor(value / 100)), right: centres.map((value) => 16 - (value % 100)) };
  for (const distances of Object.values(moved)) expect([...new Set(distances)].toSorted((a, b) => a - b)).toEqual([-4, -3, -2, -1, 0, 1, 2, 3, 4]);
  const downMost = moved.down.indexOf(4);
  const [first, fifth] = [0, 4].map((y) => Math.floor(Number(data[downMost * 1024 + y * 32 + 16]) / 100));
  expect([first, fifth]).toEqual([0, 0]);
});
