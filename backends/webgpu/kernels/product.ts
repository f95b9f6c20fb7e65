import { dispatchShader, type KernelContext } from "../kernel.ts";
import { flatLoop, flatWorkgroup, Shader, spreadWorkgroups, workgroupIndex } from "../wgsl.ts";

/** A named loop variable. */
export interface Axis {
  readonly name: string;
  readonly size: number;
}

/**
 * A sum of products over the `k` axes, for every place of the `z`, `m` and `n` axes: matrix products and convolutions alike.
 *
 * `a` depends on z, m and k, `b` on z, k and n; both are WGSL function bodies over the axes' names (u32) that return an f32.
 */
export interface Product {
  readonly z: readonly Axis[];
  readonly m: readonly Axis[];
  readonly n: readonly Axis[];
  readonly k: readonly Axis[];
  readonly a: (shader: Shader) => string;
  readonly b: (shader: Shader) => string;
  /** Whether neighbours of A in memory differ in m (else in k), and neighbours of B in k (else in n). */
  readonly aAlongM?: boolean;
  readonly bAlongK?: boolean;
  /** WGSL expression over z, m and n axes: the flat index of the result. */
  readonly position: string;
  /** WGSL: what becomes of the sum `sum` at flat index `i` before it is handed on. */
  readonly finish?: (shader: Shader, index: string, sum: string) => string;
}

/** Sums that are cut in parts so that enough threads have work: a part is at least this long. */
const shortestPart = 256;

/** Workgroups below which a long sum is cut. */
const enoughWorkgroups = 64;

/** Writes the dispatches of a product: tiled in workgroup memory or direct, by the device's tuning; a long sum of few results in parts. */
export function writeProduct(context: KernelContext, product: Product): void {
  const sizes = { z: extent(product.z), m: extent(product.m), n: extent(product.n), k: extent(product.k) };
  const shape = context.tuning.tiles ? tileShape(sizes.m, sizes.n) : directShape(sizes.m, sizes.n);
  const groups = context.tuning.tiles
    ? sizes.z * Math.ceil(sizes.m / shape.tileM) * Math.ceil(sizes.n / shape.tileN)
    : Math.ceil((sizes.z * Math.ceil(sizes.m / shape.rows) * Math.ceil(sizes.n / shape.columns)) / flatWorkgroup);
  const parts = Math.min(Math.ceil(enoughWorkgroups / Math.max(1, groups)), Math.floor(sizes.k / shortestPart));
  const write = context.tuning.tiles ? writeTiled : writeDirect;
  if (parts < 2) {
    write(context, product, {
      sizes,
      shape,
      partLength: sizes.k,
      parts: 1,
      store: (shader, index, sum) => storeResult(context, product, { shader, index, sum }),
    });
    return;
  }
  const count = sizes.z * sizes.m * sizes.n;
  const partial = context.temporary("f32", parts * count);
  write(context, product, {
    sizes,
    shape,
    parts,
    partLength: Math.ceil(sizes.k / parts),
    store: (shader, index, sum) => `${shader.bind(partial)}[part * ${count}u + ${index}] = ${sum};`,
  });
  const shader = new Shader();
  const name = shader.bind(partial);
  const { body, workgroups } = flatLoop(
    count,
    `var sum = 0.0f;\nfor (var part = 0u; part < ${parts}u; part++) { sum += ${name}[part * ${count}u + i]; }\n${storeResult(context, product, { shader, index: "i", sum: "sum" })}`,
  );
  dispatchShader(context, shader, { body, workgroups, part: " (sum of parts)" });
}

interface Sizes {
  readonly z: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

interface TileShape {
  readonly tileM: number;
  readonly tileN: number;
  /** Results of one thread. */
  readonly rows: number;
  readonly columns: number;
}

interface WriteOptions {
  readonly sizes: Sizes;
  readonly shape: TileShape;
  readonly parts: number;
  readonly partLength: number;
  readonly store: (shader: Shader, index: string, sum: string) => string;
}

/** Depth of a tile along k. */
const tileK = 16;

function tileShape(m: number, n: number): TileShape {
  const rows = m > 32 ? 4 : m > 16 ? 2 : 1;
  const columns = n > 32 ? 4 : n > 16 ? 2 : 1;
  return { rows, columns, tileM: 16 * rows, tileN: 16 * columns };
}

/** Blocks of 4 x 4 results a thread were 3 to 5 times faster on SwiftShader than one by one: each element that is loaded is used four times. */
function directShape(m: number, n: number): TileShape {
  const [rows, columns] = [Math.min(4, m), Math.min(4, n)];
  return { rows, columns, tileM: rows, tileN: columns };
}

function extent(axes: readonly Axis[]): number {
  return axes.reduce((product, { size }) => product * size, 1);
}

function storeResult(context: KernelContext, { finish }: Product, { shader, index, sum }: { shader: Shader; index: string; sum: string }): string {
  return context.epilogue.store(shader, index, finish ? finish(shader, index, sum) : sum);
}

/** WGSL statements that split one index into its axes. */
function splitAxes(index: string, axes: readonly Axis[]): string {
  let inner = extent(axes);
  return axes
    .map(({ name, size }, i) => {
      inner /= size;
      const quotient = inner === 1 ? index : `${index} / ${inner}u`;
      return `let ${name} = ${size === 1 ? "0u" : i === 0 ? quotient : `(${quotient}) % ${size}u`};`;
    })
    .join("\n");
}

function names(axes: readonly Axis[]): string {
  return axes.map(({ name }) => name).join(", ");
}

function defineLoads(shader: Shader, { z, m, n, k, a, b }: Product): void {
  const parameters = (axes: readonly Axis[]): string => axes.map(({ name }) => `${name}: u32`).join(", ");
  shader.define(`fn loadA(${parameters([...z, ...m, ...k])}) -> f32 {\n${a(shader)}\n}`);
  shader.define(`fn loadB(${parameters([...z, ...k, ...n])}) -> f32 {\n${b(shader)}\n}`);
}

/** Every thread sums a block of results on its own; the loops over k are nested, so that nothing is divided in them. */
function writeDirect(context: KernelContext, product: Product, { sizes, shape, parts, partLength, store }: WriteOptions): void {
  const { z, m, n, k, position } = product;
  const shader = new Shader();
  defineLoads(shader, product);
  const rows = Array.from({ length: shape.rows }, (_, row) => row);
  const columns = Array.from({ length: shape.columns }, (_, column) => column);
  const [down, across] = [Math.ceil(sizes.m / shape.rows), Math.ceil(sizes.n / shape.columns)];
  const named = (axes: readonly Axis[], suffix: string): readonly Axis[] => axes.map(({ name, size }) => ({ name: `${name}_${suffix}`, size }));
  const restored = (axes: readonly Axis[], suffix: string): string => axes.map(({ name }) => `let ${name} = ${name}_${suffix};`).join("\n");
  // What lies beyond the last row or column is computed from that one again, and not stored.
  const starts = [
    ...rows.map((row) => `let row${row} = block * ${shape.rows}u + ${row}u;\nlet safeRow${row} = min(row${row}, ${sizes.m - 1}u);`),
    ...rows.map((row) => splitAxes(`safeRow${row}`, named(m, `r${row}`))),
    // A thread's columns lie apart, so that neighbouring threads read neighbouring elements.
    ...columns.map(
      (column) => `let column${column} = lineUp + ${column * across}u;\nlet safeColumn${column} = min(column${column}, ${sizes.n - 1}u);`,
    ),
    ...columns.map((column) => splitAxes(`safeColumn${column}`, named(n, `c${column}`))),
    ...rows.flatMap((row) => columns.map((column) => `var sum${row}_${column} = 0.0f;`)),
  ];
  const inner = [
    ...columns.map((column) => `let b${column}_ = loadB(${names([...z, ...k, ...named(n, `c${column}`)])});`),
    ...rows.map((row) => `let a${row}_ = loadA(${names([...z, ...named(m, `r${row}`), ...k])});`),
    ...rows.flatMap((row) => columns.map((column) => `sum${row}_${column} += a${row}_ * b${column}_;`)),
  ].join("\n");
  const loops =
    parts === 1
      ? nest(k, inner)
      : `for (var at = part * ${partLength}u; at < min((part + 1u) * ${partLength}u, ${sizes.k}u); at++) {\n${splitAxes("at", k)}\n${inner}\n}`;
  const stores = rows.flatMap((row) =>
    columns.map(
      (column) =>
        `if (row${row} < ${sizes.m}u && column${column} < ${sizes.n}u) {\n${restored(m, `r${row}`)}\n${restored(n, `c${column}`)}\n` +
        `let place = ${position};\n${store(shader, "place", `sum${row}_${column}`)}\n}`,
    ),
  );
  const { body, workgroups } = flatLoop(
    parts * sizes.z * down * across,
    [
      `let lineUp = i % ${across}u;`,
      `let block = (i / ${across}u) % ${down}u;`,
      `let batch = (i / ${across * down}u) % ${sizes.z}u;`,
      `let part = i / ${across * down * sizes.z}u;`,
      splitAxes("batch", z),
      ...starts,
      loops,
      ...stores,
    ].join("\n"),
  );
  dispatchShader(context, shader, { body, workgroups });
}

function nest(axes: readonly Axis[], inner: string): string {
  return axes.reduceRight((body, { name, size }) => `for (var ${name} = 0u; ${name} < ${size}u; ${name}++) {\n${body}\n}`, inner);
}

/** A workgroup of 16 x 16 threads loads tiles of A and B into shared memory, and each thread sums up to 4 x 4 results from them. */
function writeTiled(context: KernelContext, product: Product, { sizes, shape, parts, partLength, store }: WriteOptions): void {
  const { z, m, n, k, position } = product;
  const { tileM, tileN, rows, columns } = shape;
  const shader = new Shader();
  defineLoads(shader, product);
  shader.share("tileA", "f32", tileM * tileK);
  shader.share("tileB", "f32", tileN * tileK);
  const [down, across] = [Math.ceil(sizes.m / tileM), Math.ceil(sizes.n / tileN)];
  const groups = parts * sizes.z * down * across;
  const cells = Array.from({ length: rows * columns }, (_, i) => ({ row: Math.floor(i / columns), column: i % columns }));
  const body = [
    `let group = ${workgroupIndex(groups)};`,
    `if (group >= ${groups}u) { return; }`,
    `let firstN = (group % ${across}u) * ${tileN}u;`,
    `let firstM = ((group / ${across}u) % ${down}u) * ${tileM}u;`,
    `let batch = (group / ${across * down}u) % ${sizes.z}u;`,
    `let part = group / ${across * down * sizes.z}u;`,
    `let endK = min((part + 1u) * ${partLength}u, ${sizes.k}u);`,
    splitAxes("batch", z),
    "let threadM = lane / 16u;\nlet threadN = lane % 16u;",
    ...cells.map(({ row, column }) => `var sum${row}_${column} = 0.0f;`),
    `for (var firstK = part * ${partLength}u; firstK < endK; firstK += ${tileK}u) {`,
    loadTile({
      tile: "tileA",
      width: tileM,
      along: product.aAlongM ?? false,
      first: "firstM",
      limit: sizes.m,
      call: `loadA(${names([...z, ...m, ...k])})`,
      axes: m,
      k,
    }),
    loadTile({
      tile: "tileB",
      width: tileN,
      along: !(product.bAlongK ?? false),
      first: "firstN",
      limit: sizes.n,
      call: `loadB(${names([...z, ...k, ...n])})`,
      axes: n,
      k,
    }),
    "workgroupBarrier();",
    `for (var kk = 0u; kk < ${tileK}u; kk++) {`,
    ...Array.from({ length: rows }, (_, row) => `let a${row} = tileA[kk * ${tileM}u + threadM * ${rows}u + ${row}u];`),
    ...Array.from({ length: columns }, (_, column) => `let b${column} = tileB[kk * ${tileN}u + threadN + ${column * 16}u];`),
    ...cells.map(({ row, column }) => `sum${row}_${column} += a${row} * b${column};`),
    "}",
    "workgroupBarrier();",
    "}",
    ...cells.map(
      ({ row, column }) =>
        `{\nlet row = firstM + threadM * ${rows}u + ${row}u;\nlet column = firstN + threadN + ${column * 16}u;\n` +
        `if (row < ${sizes.m}u && column < ${sizes.n}u) {\n${splitAxes("row", m)}\n${splitAxes("column", n)}\n` +
        `let place = ${position};\n${store(shader, "place", `sum${row}_${column}`)}\n}\n}`,
    ),
  ].join("\n");
  dispatchShader(context, shader, { body, workgroups: spreadWorkgroups(groups), width: 256 });
}

/** WGSL: all threads fill a [k][width] tile, neighbours reading what lies together in memory; beyond the edges it is 0. */
function loadTile(options: {
  readonly tile: string;
  readonly width: number;
  /** Whether neighbours differ along the tile's width; else along k. */
  readonly along: boolean;
  readonly first: string;
  readonly limit: number;
  readonly call: string;
  readonly axes: readonly Axis[];
  readonly k: readonly Axis[];
}): string {
  const { tile, width, along, first, limit, call, axes, k } = options;
  const across = along ? `t % ${width}u` : `t / ${tileK}u`;
  const deep = along ? `t / ${width}u` : `t % ${tileK}u`;
  return [
    `for (var t = lane; t < ${width * tileK}u; t += 256u) {`,
    `let acrossTile = ${across};\nlet deep = ${deep};\nlet line = ${first} + acrossTile;\nlet at = firstK + deep;`,
    "var element = 0.0f;",
    `if (line < ${limit}u && at < endK) {\n${splitAxes("line", axes)}\n${splitAxes("at", k)}\nelement = ${call};\n}`,
    `${tile}[deep * ${width}u + acrossTile] = element;`,
    "}",
  ].join("\n");
}
