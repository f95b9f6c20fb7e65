import type { FunctionBuilder, Local } from "../../wasm/function-builder.ts";
import type { Matrix } from "./algorithm.ts";

/** A value times a number. */
interface Term {
  readonly factor: number;
  readonly value: Local;
}

/** Multiplies vectors by constant matrices: code without loops that leaves out zeros and ones, and computes once what two rows or two columns share. */
export class LinearCode {
  readonly #code: FunctionBuilder;
  readonly #constants = new Map<number, Local>();

  constructor(code: FunctionBuilder) {
    this.#code = code;
  }

  /** matrix [rows, columns] times the column of `inputs`. */
  multiply(matrix: Matrix, inputs: readonly Local[]): readonly Local[] {
    const columns = inputs.map((value, j) => ({ value, factors: matrix.map((row) => row[j] ?? 0) }));
    const mixed = columns.flatMap((column, j) => {
      const [before, after] = [columns[j - 1], columns[j + 1]];
      if (after !== undefined && areAlike(column.factors, after.factors)) {
        const isSum = column.factors.map((factor, i) => same(factor, after.factors[i] ?? 0));
        const part = (operation: "add" | "sub"): { value: Local; factors: readonly number[] } => ({
          value: this.#code.vector(operation, [column.value, after.value]),
          factors: column.factors.map((factor, i) => ((operation === "add") === isSum[i] ? factor : 0)),
        });
        return [part("add"), part("sub")];
      }
      return before !== undefined && areAlike(before.factors, column.factors) ? [] : [column];
    });
    const rows = matrix.map((_, i) => mixed.map(({ value, factors }): Term => ({ value, factor: factors[i] ?? 0 })));
    const results: Local[] = [];
    for (let i = 0; i < rows.length; i += 1) {
      const [row, next] = [rows[i] ?? [], rows[i + 1]];
      if (next !== undefined && areAlike(factorsOf(row), factorsOf(next))) {
        results.push(...this.#pair(row, next));
        i += 1;
      } else {
        results.push(this.#sum(row));
      }
    }
    return results;
  }

  /** Rows that differ in signs only: a + b and a - b. */
  #pair(row: readonly Term[], next: readonly Term[]): readonly [Local, Local] {
    const isEven = (_: Term, i: number): boolean => same(row[i]?.factor ?? 0, next[i]?.factor ?? 0);
    const even = this.#sum(row.filter(isEven));
    const odd = row.filter((term, i) => !isEven(term, i));
    const scale = Math.abs(odd.at(-1)?.factor ?? 1);
    const rest = this.#sum(odd.map(({ factor, value }) => ({ factor: factor / scale, value })));
    return [
      this.#sum([
        { factor: 1, value: even },
        { factor: scale, value: rest },
      ]),
      this.#sum([
        { factor: 1, value: even },
        { factor: -scale, value: rest },
      ]),
    ];
  }

  #sum(terms: readonly Term[]): Local {
    const present = terms.filter(({ factor }) => !same(factor, 0)).toSorted((a, b) => Number(same(b.factor, 1)) - Number(same(a.factor, 1)));
    const [first, ...others] = present;
    if (first === undefined) return this.#code.constant(0);
    const start = same(first.factor, 1) ? first.value : this.#code.vector("mul", [first.value, this.#constant(first.factor)]);
    return others.reduce((sum, { factor, value }) => {
      if (same(factor, 1)) return this.#code.vector("add", [sum, value]);
      if (same(factor, -1)) return this.#code.vector("sub", [sum, value]);
      return this.#code.vector("multiplyAdd", [value, this.#constant(factor), sum]);
    }, start);
  }

  /** What was made once stays valid: the code has no branches but loops that run at least once. */
  #constant(value: number): Local {
    const rounded = Math.fround(value);
    const known = this.#constants.get(rounded) ?? this.#code.constant(rounded);
    this.#constants.set(rounded, known);
    return known;
  }
}

/** Whether lists of numbers are equal but for signs, and neither equal nor opposite as a whole. */
function areAlike(a: readonly number[], b: readonly number[]): boolean {
  const present = a.flatMap((value, i) => (same(value, 0) && same(b[i] ?? 0, 0) ? [] : [[value, b[i] ?? 0] as const]));
  if (!present.every(([value, other]) => same(Math.abs(value), Math.abs(other)))) return false;
  const equal = present.filter(([value, other]) => same(value, other)).length;
  return equal > 0 && equal < present.length;
}

function factorsOf(row: readonly Term[]): readonly number[] {
  return row.map(({ factor }) => factor);
}

function same(a: number, b: number): boolean {
  return Math.abs(a - b) < 1e-9;
}
