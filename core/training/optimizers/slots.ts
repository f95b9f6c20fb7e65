import { EspalierError } from "../../errors.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../operators/operator.ts";

/** A slot in the shape of each parameter, named after it. Slots start at zero. */
export function slots(builder: GraphBuilder, prefix: string, parameters: readonly Value[]): readonly Value[] {
  return parameters.map(({ name, dtype, shape }) => builder.state(`${prefix}/${name}`, dtype, shape as readonly number[], { role: "slot" })); // state has no batch dimension
}

/** @param above whether 0 itself is refused @throws ARGUMENT_INVALID for a value below 0, or not below `limit` */
export function checkRange(
  where: string,
  values: Readonly<Record<string, number>>,
  limit: number,
  { above = false }: { readonly above?: boolean } = {},
): void {
  for (const [name, value] of Object.entries(values)) {
    if ((above ? value > 0 : value >= 0) && value < limit) continue;
    throw new EspalierError(
      "ARGUMENT_INVALID",
      `${where}: ${name} must be a number ${above ? "above" : "from"} 0${limit === Infinity ? "" : ` to below ${limit}`}, not ${value}`,
      { [name]: value },
    );
  }
}
