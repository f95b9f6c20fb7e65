import { checkedWindow, elementCount } from "../../../core/index.ts";
import { int, ints, text } from "../onnx-emitter.ts";
import type { Lowering } from "./lowering.ts";
import { isDisjoint } from "./window.ts";

/**
 * Max pooling's gradient: MaxPoolGrad(X, Y, dY) -> dX; the first maximum of a window takes it all.
 *
 * MaxUnpool where windows do not overlap (it overwrites), ScatterElements that adds where they do.
 */
export const maxPoolGrad: Lowering = {
  operator: "MaxPoolGrad",
  lower({ emit, input, attributes }) {
    const x = input(0);
    const gradient = input(2).name;
    const window = checkedWindow(attributes, attributes.ints("kernel_shape"), x.shape.slice(2));
    const pool = emit.emit(
      "MaxPool",
      [x.name],
      {
        kernel_shape: ints(window.kernel),
        strides: ints(window.strides),
        dilations: ints(window.dilations),
        pads: ints([...window.begin, ...window.end]),
        ceil_mode: int(attributes.int("ceil_mode")),
      },
      { outputs: 2 },
    );
    const indices = `${pool}:1`; // positions in the whole of X
    if (isDisjoint(window)) {
      const unpooled = { kernel_shape: ints(window.kernel), strides: ints(window.strides) };
      return [emit.emit("MaxUnpool", [gradient, indices, emit.ints(x.shape)], unpooled)];
    }
    const flat = emit.ints([-1]);
    const zeros = emit.emit("Expand", [emit.scalar(0, x.dtype), emit.ints([elementCount(x.shape)])]);
    const added = emit.emit("ScatterElements", [zeros, emit.emit("Reshape", [indices, flat]), emit.emit("Reshape", [gradient, flat])], {
      axis: int(0),
      reduction: text("add"),
    });
    return [emit.emit("Reshape", [added, emit.ints(x.shape)])];
  },
};
