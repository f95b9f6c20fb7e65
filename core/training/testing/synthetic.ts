import { Random } from "../../random.ts";
import { tensor, type Tensors } from "../../tensor.ts";

/** Normal features, and labels on a plane through them with some noise. */
export function plane({
  rows,
  coefficients,
  intercept = 0,
  noise = 0,
  seed = 1,
}: {
  readonly rows: number;
  readonly coefficients: readonly number[];
  readonly intercept?: number;
  readonly noise?: number;
  readonly seed?: number;
}): Tensors {
  const random = new Random(seed);
  const width = coefficients.length;
  const features = random.normals(rows * width);
  const labels = Float32Array.from({ length: rows }, (_, row) =>
    coefficients.reduce((sum, coefficient, i) => sum + coefficient * features[row * width + i]!, intercept + noise * random.normal()),
  );
  return { features: tensor("float32", [rows, width], features), labels: tensor("float32", [rows, 1], labels) };
}

/** Three round clouds of points in the plane, well apart: features [rows, 2], labels 0 to 2 in turn. */
export function blobs({ rows, seed = 1, spread = 0.5 }: { readonly rows: number; readonly seed?: number; readonly spread?: number }): Tensors {
  const random = new Random(seed);
  const centres = [
    [0, 2],
    [2, -1],
    [-2, -1],
  ];
  const features = Float32Array.from({ length: rows * 2 }, (_, i) => centres[Math.floor(i / 2) % 3]![i % 2]! + spread * random.normal());
  return {
    features: tensor("float32", [rows, 2], features),
    labels: tensor(
      "int32",
      [rows],
      Int32Array.from({ length: rows }, (_, row) => row % 3),
    ),
  };
}
