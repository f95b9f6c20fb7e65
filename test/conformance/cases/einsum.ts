import { f32, weight, type InputSpec, type OperatorSpec } from "../operator-spec.ts";

/** Sums of products over named axes. */
export const einsumSpecs: readonly OperatorSpec[] = [
  einsum("ij,jk->ik", f32(["batch", 4]), weight([4, 3])),
  einsum("bij,bjk->bik", f32(["batch", 2, 4]), f32(["batch", 4, 3])),
  einsum("bsd,de->bse", f32(["batch", 3, 4]), weight([4, 2])),
  einsum("bqhd,bkhd->bhqk", f32(["batch", 3, 2, 4]), f32(["batch", 5, 2, 4])),
  einsum("bhqk,bkhd->bqhd", f32(["batch", 2, 3, 5]), f32(["batch", 5, 2, 4])),
  einsum("bi,bi->b", f32(["batch", 5]), f32(["batch", 5])),
  einsum("bi,bj->ij", f32(["batch", 3]), f32(["batch", 2])),
  einsum("bsi,bsj->ij", f32(["batch", 2, 3]), f32(["batch", 2, 2])),
  einsum("bi,j->bij", f32(["batch", 3]), weight([2])),
  einsum("bi,j", f32(["batch", 3]), weight([2])),
  einsum("ij->ji", f32(["batch", 3])),
  einsum("bij->b", f32(["batch", 3, 2])),
  einsum("bii->bi", f32(["batch", 3, 3])),
  einsum("ii", weight([4, 4])),
  einsum("ij,jk,kl->il", f32(["batch", 3]), weight([3, 4]), weight([4, 2])),
  einsum("bn,anm,bm->ba", f32(["batch", 3]), weight([2, 3, 4]), f32(["batch", 4])),
  einsum("...ij,...jk->...ik", f32(["batch", 2, 3, 4]), weight([2, 4, 2])),
  einsum("b...i , i -> b...", f32(["batch", 2, 3, 4]), weight([4])),
  einsum("...i,...i", f32(["batch", 1, 4]), f32([3, 4])),
  einsum("i,i->", f32([6]), f32([6])),
];

function einsum(equation: string, ...inputs: readonly InputSpec[]): OperatorSpec {
  return { operator: "Einsum", about: equation, inputs, attributes: { equation } };
}
