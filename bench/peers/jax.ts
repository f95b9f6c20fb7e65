/** An array of `@jax-js/jax` 0.1.25. Every use takes it over; `ref` keeps it for another. */
export interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: readonly number[];
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray): JaxArray;
  sum(): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  data(): Promise<Float32Array>;
}

/** The part of jax-js that is used; the package is installed by `npm run bench:setup`, not by the product. */
export interface Jax {
  init(device: "wasm"): Promise<readonly string[]>;
  defaultDevice(device: "wasm"): unknown;
  jit<A extends readonly unknown[], R>(compute: (...args: A) => R): (...args: A) => R;
  valueAndGrad<A extends readonly unknown[]>(
    compute: (parameters: readonly JaxArray[], ...args: A) => JaxArray,
  ): (parameters: readonly JaxArray[], ...args: A) => readonly [JaxArray, readonly JaxArray[]];
  readonly numpy: {
    array(values: Float32Array | number): JaxArray;
    zeros(shape: readonly number[]): JaxArray;
    dot(a: JaxArray, b: JaxArray): JaxArray;
    sqrt(a: JaxArray): JaxArray;
  };
  readonly nn: { relu(a: JaxArray): JaxArray; logSoftmax(a: JaxArray, axis: number): JaxArray };
}

/** Loads jax-js on its wasm backend. @throws Error when it is not installed */
export async function loadJax(): Promise<Jax> {
  const name = "@jax-js/jax" as string; // not a literal: compilers do not look for it
  const jax = (await import(name).catch((error: unknown) => {
    throw new Error(`${name} is not installed: run npm run bench:setup`, { cause: error });
  })) as Jax; // pinned in bench/package.json
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  return jax;
}
