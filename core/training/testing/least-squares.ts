import { toNumbers, type Tensors } from "../../tensor.ts";

/**
 * Ordinary least squares by the normal equations, solved by Gaussian elimination in float64: independent of the graph.
 *
 * @param tensors `features` [rows, width] and `labels` [rows, 1]
 * @returns the coefficients and then the intercept
 */
export function leastSquares(tensors: Tensors): readonly number[] {
  const labels = toNumbers(tensors["labels"]!);
  const features = toNumbers(tensors["features"]!);
  const width = features.length / labels.length;
  const rows = labels.map((label, row) => ({ x: [...features.slice(row * width, (row + 1) * width), 1], label }));
  const size = width + 1;
  const system = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (__, j) => rows.reduce((sum, { x }) => sum + x[i]! * x[j]!, 0)),
    rows.reduce((sum, { x, label }) => sum + x[i]! * label, 0),
  ]);
  for (let column = 0; column < size; column++) {
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = system[row]![column]! / system[column]![column]!;
      for (let k = column; k <= size; k++) system[row]![k]! -= factor * system[column]![k]!;
    }
  }
  return system.map((row, i) => row[size]! / row[i]!);
}
