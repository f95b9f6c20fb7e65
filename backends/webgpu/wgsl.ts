import { elementCount } from "../../core/index.ts";
import type { Scalar, Storage } from "./storage.ts";

/** Threads of a workgroup in kernels that give every element one thread. */
export const flatWorkgroup = 64;

/** The largest number of workgroups of one dimension that every device has. @see https://www.w3.org/TR/webgpu/#limits */
const maxWorkgroups = 65_535;

/** Workgroups along x, y and z. */
export type Workgroups = readonly [x: number, y: number, z: number];

/** Collects what one WGSL module is made of: bindings, functions, workgroup memory. */
export class Shader {
  readonly storages: Storage[] = [];
  #functions = new Set<string>();
  #shared: string[] = [];

  /** The name under which a storage is bound; the same storage has one name. */
  bind(storage: Storage): string {
    const known = this.storages.indexOf(storage);
    if (known >= 0) return `b${known}`;
    this.storages.push(storage);
    return `b${this.storages.length - 1}`;
  }

  /** Adds a module-level function, once. */
  define(source: string): void {
    this.#functions.add(source);
  }

  /** Adds an array that a workgroup's threads share. */
  share(name: string, scalar: Scalar, length: number): void {
    this.#shared.push(`var<workgroup> ${name}: array<${scalar}, ${length}>;`);
  }

  /** The module, with an entry point of `width` threads a workgroup. */
  source(body: string, { width = flatWorkgroup }: { readonly width?: number } = {}): string {
    // Regions of one buffer may be bound several times in a dispatch, and a buffer has one usage in it: all bindings are read_write.
    const bindings = this.storages.map((storage, i) => {
      const element = storage.source.kind === "status" ? "atomic<u32>" : storage.scalar;
      // A known length saves the check of every access (a product was 1.4 to 2.5 times faster on SwiftShader); the status is still growing.
      const type = storage.source.kind === "status" ? `array<${element}>` : `array<${element}, ${Math.max(1, storage.elements)}>`;
      return `@group(0) @binding(${i}) var<storage, read_write> b${i}: ${type};`;
    });
    return [
      ...bindings,
      ...this.#shared,
      ...this.#functions,
      `@compute @workgroup_size(${width})`,
      "fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {",
      body,
      "}",
    ].join("\n");
  }
}

/** Workgroups for a number of independent groups, over two dimensions where one is too short. */
export function spreadWorkgroups(groups: number): Workgroups {
  if (groups <= maxWorkgroups) return [groups, 1, 1];
  const rows = Math.ceil(groups / maxWorkgroups);
  return [Math.ceil(groups / rows), rows, 1];
}

/** WGSL: the number of this workgroup among those of `spreadWorkgroups`. */
export function workgroupIndex(groups: number): string {
  const [width, rows] = spreadWorkgroups(groups);
  return rows === 1 ? "workgroup.x" : `(workgroup.y * ${width}u + workgroup.x)`;
}

/** WGSL that gives every thread one element `i` of `count`, and its workgroups. */
export function flatLoop(count: number, body: string): { readonly body: string; readonly workgroups: Workgroups } {
  const groups = Math.ceil(count / flatWorkgroup);
  return {
    body: `let i = ${workgroupIndex(groups)} * ${flatWorkgroup}u + lane;\nif (i >= ${count}u) { return; }\n${body}`,
    workgroups: spreadWorkgroups(groups),
  };
}

/** A number as WGSL writes it; undefined where the language has no literal (NaN, infinities). */
export function literal(value: number, scalar: Scalar): string | undefined {
  if (scalar === "u32") return `${value >>> 0}u`;
  if (scalar === "i32") return value < 0 ? `i32(${value})` : `${value}i`;
  const rounded = Math.fround(value);
  if (!Number.isFinite(rounded)) return undefined;
  const digits = Object.is(rounded, -0) ? "-0.0" : String(rounded);
  const text = /[.e]/.test(digits) ? digits : `${digits}.0`;
  return rounded < 0 || Object.is(rounded, -0) ? `(${text}f)` : `${text}f`;
}

/** How a value is read through strides: element `sum(coordinate * stride) + offset`. */
export interface StridedRead {
  /** The shape whose flat index is given. */
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset?: number;
}

/** WGSL: the position that a flat index over `shape` has through strides. Axes that run on without a gap are one. */
export function stridedIndex(index: string, { shape, strides, offset = 0 }: StridedRead): string {
  const axes: { size: number; stride: number; inner: number }[] = [];
  let inner = elementCount(shape);
  for (const [axis, size] of shape.entries()) {
    inner /= size;
    const stride = strides[axis] ?? 0;
    const last = axes.at(-1);
    if (size === 1) continue;
    if (last && last.stride === stride * size) axes.splice(-1, 1, { size: last.size * size, stride, inner });
    else axes.push({ size, stride, inner });
  }
  const moving = axes.filter((axis) => axis.stride !== 0);
  const signed = offset < 0 || moving.some((axis) => axis.stride < 0);
  const unit = signed ? "i" : "u";
  const terms = moving.map((axis) => {
    const quotient = axis.inner === 1 ? index : `(${index} / ${axis.inner}u)`;
    const coordinate = axis === axes[0] ? quotient : `(${quotient} % ${axis.size}u)`;
    const typed = signed ? `i32(${coordinate})` : coordinate;
    return axis.stride === 1 ? typed : `${typed} * ${signed ? `(${axis.stride}i)` : `${axis.stride}u`}`;
  });
  if (offset !== 0 || terms.length === 0) terms.push(`${offset}${unit}`);
  const sum = terms.join(" + ");
  return signed ? `u32(${sum})` : terms.length === 1 ? sum : `(${sum})`;
}

/** Elements between neighbours along each axis of a dense, row-major shape. */
export function denseStrides(shape: readonly number[]): readonly number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

/** Strides that read a value of shape `from` as if it had the broadcast shape `to`. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): readonly number[] {
  const dense = denseStrides(from);
  return to.map((_, axis) => {
    const own = axis - to.length + from.length;
    return own < 0 || from[own] === 1 ? 0 : (dense[own] ?? 0);
  });
}
