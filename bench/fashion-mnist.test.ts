import { expect, test } from "vitest";
import { tensor } from "../core/index.ts";
import { cifarShaped } from "./fashion-mnist.ts";

test("images at CIFAR's shape have a black border of two pixels and their own pixels in every channel", () => {
  const x = Float32Array.from({ length: 2 * 28 * 28 }, (_, i) => i + 1);
  const labels = tensor("int32", [2], Int32Array.of(4, 7));
  const shaped = cifarShaped({ x: tensor("float32", [2, 1, 28, 28], x), labels });
  expect(shaped["labels"]).toBe(labels);
  expect(shaped["x"]?.shape).toEqual([2, 3, 32, 32]);
  const black = Math.fround(-0.286 / 0.353);
  for (let image = 0; image < 2; image += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      for (let y = 0; y < 32; y += 1) {
        for (let column = 0; column < 32; column += 1) {
          const inside = y >= 2 && y < 30 && column >= 2 && column < 30;
          const expected = inside ? image * 784 + (y - 2) * 28 + (column - 2) + 1 : black;
          if (shaped["x"]?.data[((image * 3 + channel) * 32 + y) * 32 + column] !== expected)
            expect.fail(`image ${image}, ${channel}, ${y}, ${column}`);
        }
      }
    }
  }
});
