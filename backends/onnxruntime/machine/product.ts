import { Assembler, type Address, type Label, type Register } from "./assembler.ts";

/** Sizes of, or distances along, an outer and an inner axis of products. */
export type Batches = readonly [outer: number, inner: number];

/** Matrix products [rows, depth] times [depth, columns], with the distances between neighbours in floats. */
export interface Product {
  readonly batches: Batches;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** One of row and depth is 1. */
  readonly left: { readonly batches: Batches; readonly row: number; readonly depth: number };
  /** One of depth and column is 1. */
  readonly right: { readonly batches: Batches; readonly depth: number; readonly column: number };
  readonly result: { readonly batches: Batches; readonly row: number };
  /** What the products are multiplied with. */
  readonly scale: number;
  /** What a third operand is: a row of `columns` or a matrix that is added, or a matrix above 0 where the result is not 0. Matrices lie as the result does. */
  readonly third: "none" | "row" | "matrix" | "gate";
  /** Whether negative results become 0. NaN stays NaN. */
  readonly relu: boolean;
}

/** Floats of a vector. */
export const lanes = 16;
const floatBytes = 4;
const vectorBytes = lanes * floatBytes;
/** Rows summed in registers at a time, by the vectors of a row: 28 sums of the 32 registers. */
const mostRows = [28, 14] as const;
const panelVectors = mostRows.length;
/** Columns of a panel of the right matrix. */
const panelColumns = panelVectors * lanes;
/**
 * Depth and columns of a block of the right matrix, which are copied together: 1 MiB of the second-level cache, and 14 rows of the left matrix take 14 KiB
 * of the first. With a depth of 384 or 512 most shapes took as long.
 */
const [blockDepth, blockColumns] = [256, 1024];
/** Steps of depth written one after the other. */
const unrolled = 4;

/** Where values are. */
const at = { left: "rdi", right: "rsi", result: "rdx", third: "rcx", packedRight: "r8", panel: "r9", packedLeft: "r12", rows: "r15" } as const;
const counter = { depth: "r10", outer: "r14", inner: "r13", row: "rbx", column: "rbp" } as const;
const moving = { left: "r11", right: "rax" } as const;
const saved: readonly Register[] = ["rbx", "rbp", "r12", "r13", "r14", "r15"];
/** Mask registers: of the last columns, of a panel's last rows, of the last steps of depth, of what a gate lets pass. */
const mask = { columns: 1, rows: 2, depth: 3, gate: 4 } as const;

/** Rows over which copying the right matrix pays, multiplications that a call is worth (both chosen, not measured), and floats whose bytes fit 31 bits. */
const worth = { rows: 24, multiplications: 2 ** 16, mostFloats: 2 ** 29 };

/** Whether a product is made machine code: one of few rows or little work is ONNX Runtime's. */
export function worthCode({ batches, rows, columns, depth, left, right, result }: Product): boolean {
  const count = batches[0] * batches[1];
  const extents = [left.row * rows, left.depth * depth, right.depth * depth, right.column * columns, result.row * rows];
  const farthest = Math.max(...extents, ...[left, right, result].map((of) => of.batches[0] * batches[0] + of.batches[1] * batches[1]));
  return rows >= worth.rows && count * rows * columns * depth >= worth.multiplications && farthest < worth.mostFloats;
}

/** Bytes of scratch memory that a product's code needs, at an address that is a multiple of 64. */
export function productScratchBytes(product: Product): number {
  return packedRightBytes(product) + Math.min(product.depth, blockDepth) * mostRows[0] * floatBytes + vectorBytes;
}

function packedRightBytes({ columns, depth }: Product): number {
  return Math.min(depth, blockDepth) * Math.ceil(Math.min(columns, blockColumns) / lanes) * vectorBytes;
}

/**
 * Machine code that multiplies: `void (left, right, result, third, scratch)` by the System V calling convention.
 *
 * Block by block of depth and columns, the right matrix is copied to panels of 32 columns, and where the left matrix is transposed, 14 rows of it at a
 * time; 14 rows times 32 columns are summed in registers.
 * @see Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008
 */
export function productCode(product: Product): Uint8Array<ArrayBuffer> {
  return new ProductWriter(product).write();
}

/** Columns side by side in `count` panels. */
interface Panel {
  readonly count: number;
  readonly vectors: number;
  readonly columns: number;
}

/** Steps of depth that are summed before the next. */
interface Block {
  readonly depth: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** What one function of the code sums: `rows` of the left matrix times a panel of the right. */
interface Tile {
  readonly rows: number;
  readonly panel: Panel;
  readonly block: Block;
}

/** A vector of a panel's columns. */
interface PanelPart {
  readonly vector: number;
  readonly vectors: number;
  readonly columns: number;
}

class ProductWriter {
  readonly #code = new Assembler();
  readonly #product: Product;
  readonly #isTransposed: boolean;
  readonly #rows: ReturnType<typeof evenly>;
  readonly #tiles = new Map<string, Tile & { readonly label: Label }>();

  constructor(product: Product) {
    this.#product = product;
    this.#isTransposed = product.left.depth !== 1;
    this.#rows = evenly(product.rows, mostRows[product.columns > lanes ? 1 : 0]);
  }

  write(): Uint8Array<ArrayBuffer> {
    const { batches, columns, left, right, result } = this.#product;
    const code = this.#code;
    code.push(...saved);
    this.#setMask(mask.columns, columns % lanes || lanes);
    code.addressOf(at.packedLeft, { base: at.packedRight, displacement: packedRightBytes(this.#product) });
    const move = (distance: (of: Batches) => number): void => {
      code.add(at.left, distance(left.batches) * floatBytes);
      code.add(at.right, distance(right.batches) * floatBytes);
      this.#moveResult(distance(result.batches));
    };
    this.#nested(counter.outer, batches[0], () => {
      this.#nested(counter.inner, batches[1], () => {
        this.#multiply();
        move(([, inner]) => inner);
      });
      move(([outer, inner]) => outer - batches[1] * inner); // to the next, from behind the last of this one
    });
    code.leaveVectors();
    code.pop(...saved.toReversed());
    code.return();
    for (const { label, ...tile } of this.#tiles.values()) {
      code.place(label);
      this.#writeTile(tile);
      code.return();
    }
    return code.code();
  }

  /** One product. */
  #multiply(): void {
    const { columns, depth, left, right } = this.#product;
    const code = this.#code;
    for (const { count, ...block } of depthBlocks(depth)) {
      this.#nested(counter.inner, count, () => {
        for (const part of columnBlocks(columns)) {
          this.#nested(counter.inner, part.count, () => {
            this.#packRight(block.depth, part.columns);
            this.#multiplyBlock(block, part.columns);
            code.add(at.right, part.columns * right.column * floatBytes);
            this.#moveColumns(part.columns, block);
          });
        }
        code.add(at.right, (block.depth * right.depth - columns * right.column) * floatBytes);
        this.#moveColumns(-columns, block);
        code.add(at.left, block.depth * left.depth * floatBytes);
      });
    }
    code.add(at.left, -depth * left.depth * floatBytes);
    code.add(at.right, -depth * right.depth * floatBytes);
  }

  /** All rows times a block of the right matrix that is packed. */
  #multiplyBlock(block: Block, columns: number): void {
    const { rows, left, result } = this.#product;
    const code = this.#code;
    code.move(at.rows, at.left);
    for (const { count, size } of this.#rows) {
      if (this.#isTransposed) this.#setMask(mask.rows, size % lanes || lanes);
      code.repeat(counter.row, count, () => {
        if (this.#isTransposed) this.#packLeft(size, block.depth);
        code.move(at.panel, at.packedRight);
        for (const panel of panels(columns)) {
          const tile = this.#tile({ rows: size, panel, block });
          code.repeat(counter.column, panel.count, () => {
            code.call(tile);
            code.add(at.panel, block.depth * panel.vectors * vectorBytes);
            this.#moveColumns(panel.columns, block);
          });
        }
        this.#moveColumns(-columns, block);
        this.#moveResult(size * result.row);
        code.add(at.rows, size * left.row * floatBytes);
      });
    }
    this.#moveResult(-rows * result.row);
  }

  /** To other columns of the result and of the third operand. */
  #moveColumns(columns: number, { isFirst }: Block): void {
    const { third } = this.#product;
    this.#code.add(at.result, columns * floatBytes);
    if (isMatrix(third) || (third === "row" && isFirst)) this.#code.add(at.third, columns * floatBytes);
  }

  /** To another place of the result and of a third matrix. */
  #moveResult(floats: number): void {
    this.#code.add(at.result, floats * floatBytes);
    if (isMatrix(this.#product.third)) this.#code.add(at.third, floats * floatBytes);
  }

  /** A loop whose body may use its counter. */
  #nested(register: Register, count: number, body: () => void): void {
    this.#code.repeat(register, count, () => {
      if (count > 1) this.#code.push(register);
      body();
      if (count > 1) this.#code.pop(register);
    });
  }

  #setMask(register: number, count: number): void {
    this.#code.set("rax", 2 ** count - 1);
    this.#code.setMask(register, "rax");
  }

  /** A block of the right matrix to panels [depth, columns]. */
  #packRight(depth: number, columns: number): void {
    const { right } = this.#product;
    const code = this.#code;
    const isTransposed = right.column !== 1;
    if (isTransposed && depth % lanes !== 0) this.#setMask(mask.depth, depth % lanes);
    code.move(at.panel, at.packedRight);
    code.move(at.rows, at.right);
    for (const panel of panels(columns)) {
      if (!isTransposed) {
        this.#copyRows(depth, panel);
        continue;
      }
      code.repeat(counter.column, panel.count, () => {
        for (let vector = 0; vector < panel.vectors; vector += 1) {
          this.#transposeColumns(depth, { vector, vectors: panel.vectors, columns: Math.min(lanes, panel.columns - vector * lanes) });
        }
        code.add(at.panel, depth * panel.vectors * vectorBytes);
        code.add(at.rows, panel.columns * right.column * floatBytes);
      });
    }
  }

  /** Row after row to all panels, so that memory is read in its order: panel after panel they would lie a row apart. */
  #copyRows(depth: number, { count, vectors, columns }: Panel): void {
    const code = this.#code;
    const panelBytes = depth * vectors * vectorBytes;
    code.move(moving.right, at.rows);
    code.move(moving.left, at.panel);
    code.repeat(counter.depth, depth, () => {
      for (let i = 0; i < count * vectors; i += 1) {
        const [panel, vector] = [Math.floor(i / vectors), i % vectors];
        const some = columns - vector * lanes < lanes ? mask.columns : 0;
        code.loadVector(i % 32, { base: moving.right, displacement: i * vectorBytes }, some);
        code.storeVector({ base: moving.left, displacement: panel * panelBytes + vector * vectorBytes }, i % 32);
      }
      code.add(moving.right, this.#product.right.depth * floatBytes);
      code.add(moving.left, vectors * vectorBytes);
    });
    code.add(at.panel, count * panelBytes);
    code.add(at.rows, count * columns * floatBytes);
  }

  #transposeColumns(depth: number, { vector, vectors, columns }: PanelPart): void {
    const code = this.#code;
    const step = this.#product.right.column * floatBytes;
    code.addressOf(moving.right, { base: at.rows, displacement: vector * lanes * step });
    code.addressOf(moving.left, { base: at.panel, displacement: vector * vectorBytes });
    const block = (steps: number): void => {
      for (let column = 0; column < lanes; column += 1) {
        if (column < columns) code.loadVector(column, { base: moving.right, displacement: column * step }, steps < lanes ? mask.depth : 0);
        else code.clear(column);
      }
      transposeRegisters(code);
      for (let i = 0; i < steps; i += 1) code.storeVector({ base: moving.left, displacement: i * vectors * vectorBytes }, i);
      code.add(moving.right, vectorBytes);
      code.add(moving.left, lanes * vectors * vectorBytes);
    };
    code.repeat(counter.depth, Math.floor(depth / lanes), () => block(lanes));
    if (depth % lanes > 0) block(depth % lanes);
  }

  /** Rows of a transposed left matrix to a panel [depth, rows]. */
  #packLeft(rows: number, depth: number): void {
    const code = this.#code;
    const step = this.#product.left.depth * floatBytes;
    const vectors = Math.ceil(rows / lanes);
    code.move(moving.right, at.rows);
    code.move(moving.left, at.packedLeft);
    this.#steps(depth, (steps) => {
      for (let i = 0; i < steps; i += 1) {
        for (let vector = 0; vector < vectors; vector += 1) {
          const [target, some] = [i * vectors + vector, vector === vectors - 1 ? mask.rows : 0];
          code.loadVector(target, { base: moving.right, displacement: i * step + vector * vectorBytes }, some);
          code.storeVector({ base: moving.left, displacement: i * rows * floatBytes + vector * vectorBytes }, target, some);
        }
      }
      code.add(moving.right, steps * step);
      code.add(moving.left, steps * rows * floatBytes);
    });
  }

  /** Calls back for as many steps as are written one after the other, in a loop, and for the rest. */
  #steps(count: number, body: (steps: number) => void): void {
    this.#code.repeat(counter.depth, Math.floor(count / unrolled), () => body(unrolled));
    if (count % unrolled > 0) body(count % unrolled);
  }

  #tile(tile: Tile): Label {
    const key = `${tile.rows} ${tile.panel.columns} ${tile.block.depth} ${tile.block.isFirst} ${tile.block.isLast}`;
    const label = this.#tiles.get(key)?.label ?? this.#code.label();
    this.#tiles.set(key, { ...tile, label });
    return label;
  }

  #writeTile({ rows, panel: { vectors, columns }, block }: Tile): void {
    const { left } = this.#product;
    const code = this.#code;
    const [rowStep, depthStep] = this.#isTransposed ? [floatBytes, rows * floatBytes] : [left.row * floatBytes, floatBytes];
    const [sums, b, a] = [rows * vectors, rows * vectors, rows * vectors + vectors];
    code.move(moving.left, this.#isTransposed ? at.packedLeft : at.rows);
    code.move(moving.right, at.panel);
    for (let sum = 0; sum < sums; sum += 1) code.clear(sum);
    for (let row = 0; row < rows; row += 1) {
      for (let v = 0; v < vectors; v += 1) code.prefetch(this.#place(at.result, row, v));
    }
    this.#steps(block.depth, (steps) => {
      for (let i = 0; i < steps; i += 1) {
        for (let v = 0; v < vectors; v += 1) code.loadVector(b + v, { base: moving.right, displacement: (i * vectors + v) * vectorBytes });
        for (let row = 0; row < rows; row += 1) {
          code.broadcast(a, { base: moving.left, displacement: row * rowStep + i * depthStep });
          for (let v = 0; v < vectors; v += 1) code.multiplyAdd(row * vectors + v, a, b + v);
        }
      }
      code.add(moving.left, steps * depthStep);
      code.add(moving.right, steps * vectors * vectorBytes);
    });
    this.#writeSums(rows, { vectors, columns }, block);
  }

  /** Scales sums, adds what is there or is to be added, and writes them. */
  #writeSums(rows: number, { vectors, columns }: Pick<Panel, "vectors" | "columns">, { isFirst, isLast }: Block): void {
    const { scale, third, relu } = this.#product;
    const code = this.#code;
    const [factor, other] = [rows * vectors, rows * vectors + 1];
    if (scale !== 1) {
      code.set("rax", new Int32Array(Float32Array.of(scale).buffer)[0] ?? 0);
      code.broadcastRegister(factor, "rax");
    }
    for (let v = 0; v < vectors; v += 1) {
      const some = columns - v * lanes < lanes ? mask.columns : 0;
      if (isFirst && third === "row") code.loadVector(other, { base: at.third, displacement: v * vectorBytes }, some);
      for (let row = 0; row < rows; row += 1) {
        const sum = row * vectors + v;
        if (scale !== 1) code.arithmetic("multiply", sum, sum, factor);
        if (!isFirst) code.loadVector(other, this.#place(at.result, row, v), some);
        else if (third === "matrix") code.loadVector(other, this.#place(at.third, row, v), some);
        if (!isFirst || third === "row" || third === "matrix") code.arithmetic("add", sum, sum, other);
      }
    }
    const isGated = isLast && third === "gate";
    if (isLast && (relu || isGated)) code.clear(factor);
    for (let sum = 0; sum < rows * vectors; sum += 1) {
      const v = sum % vectors;
      if (isLast && relu) code.arithmetic("max", sum, factor, sum); // the second operand where it is NaN
      const some = columns - v * lanes < lanes ? mask.columns : 0;
      if (isGated) {
        code.loadVector(other, this.#place(at.third, Math.floor(sum / vectors), v), some);
        code.less(mask.gate, factor, other);
        code.keep(sum, mask.gate);
      }
      code.storeVector(this.#place(at.result, Math.floor(sum / vectors), v), sum, some);
    }
  }

  /** A vector of the result, or of the matrix that is added. */
  #place(base: Register, row: number, vector: number): Address {
    return { base, displacement: row * this.#product.result.row * floatBytes + vector * vectorBytes };
  }
}

/** Whether a third operand has all the result's places. */
export function isMatrix(third: Product["third"]): boolean {
  return third === "matrix" || third === "gate";
}

/** `length` in parts of nearly one size, none larger than `most`. */
function evenly(length: number, most: number): readonly { readonly count: number; readonly size: number }[] {
  const parts = Math.ceil(length / most);
  const small = Math.floor(length / parts);
  const large = length - small * parts;
  return [
    { count: large, size: small + 1 },
    { count: parts - large, size: small },
  ].filter(({ count }) => count > 0);
}

/** Blocks of depth, those alike together: the first and the last are others. */
function depthBlocks(depth: number): readonly (Block & { readonly count: number })[] {
  const sizes = evenly(depth, blockDepth).flatMap(({ count, size }) => Array.from({ length: count }, () => size));
  const blocks: (Block & { count: number })[] = [];
  for (const [i, size] of sizes.entries()) {
    const block = { depth: size, isFirst: i === 0, isLast: i === sizes.length - 1, count: 1 };
    const before = blocks.at(-1);
    if (before?.depth === size && before.isFirst === block.isFirst && before.isLast === block.isLast) before.count += 1;
    else blocks.push(block);
  }
  return blocks;
}

/** Columns in blocks, of which only the last may be narrower. */
function columnBlocks(columns: number): readonly { readonly count: number; readonly columns: number }[] {
  return [
    { count: Math.floor(columns / blockColumns), columns: blockColumns },
    { count: 1, columns: columns % blockColumns },
  ].filter((block) => block.count > 0 && block.columns > 0);
}

function panels(columns: number): readonly Panel[] {
  const rest = columns % panelColumns;
  return [
    { count: Math.floor(columns / panelColumns), vectors: panelVectors, columns: panelColumns },
    { count: 1, vectors: Math.ceil(rest / lanes), columns: rest },
  ].filter((panel) => panel.count > 0 && panel.columns > 0);
}

/** 16 vectors of 16 floats, in registers 0 to 15, transposed: by singles and pairs within quarters, then by quarters. */
function transposeRegisters(code: Assembler): void {
  for (let i = 0; i < lanes; i += 2) {
    code.unpack("lowSingles", lanes + i, i, i + 1);
    code.unpack("highSingles", lanes + i + 1, i, i + 1);
  }
  for (let i = 0; i < lanes; i += 4) {
    code.unpack("lowDoubles", i, lanes + i, lanes + i + 2);
    code.unpack("highDoubles", i + 1, lanes + i, lanes + i + 2);
    code.unpack("lowDoubles", i + 2, lanes + i + 1, lanes + i + 3);
    code.unpack("highDoubles", i + 3, lanes + i + 1, lanes + i + 3);
  }
  const [evens, odds] = [0x88, 0xdd];
  for (let i = 0; i < 4; i += 1) {
    code.shuffleQuarters(lanes + i, i, i + 4, evens);
    code.shuffleQuarters(lanes + i + 4, i, i + 4, odds);
    code.shuffleQuarters(lanes + i + 8, i + 8, i + 12, evens);
    code.shuffleQuarters(lanes + i + 12, i + 8, i + 12, odds);
  }
  for (let i = 0; i < 4; i += 1) {
    code.shuffleQuarters(i, lanes + i, lanes + i + 8, evens);
    code.shuffleQuarters(i + 8, lanes + i, lanes + i + 8, odds);
    code.shuffleQuarters(i + 4, lanes + i + 4, lanes + i + 12, evens);
    code.shuffleQuarters(i + 12, lanes + i + 4, lanes + i + 12, odds);
  }
}
