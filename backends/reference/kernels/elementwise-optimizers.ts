import { nadamMomentumProducts, type Attributes } from "../../../core/index.ts";
import { memoryFor, numbersOf, required, scalarOf, tensorOf, type Kernel, type KernelContext, type KernelFactory, type Numbers } from "../kernel.ts";

/** Where an update stands. */
interface Moment {
  readonly rate: number;
  readonly step: number;
}

/** The update of one element: the new x; `slots` holds the old slots and gets the new ones. */
type ElementRule = (x: number, g: number, slots: number[]) => number;

/** Optimizers that update every element by itself, one node for all parameters: R, T, X1.., G1.. and the slots, to X1'.. and the new slots. */
export const elementwiseOptimizerKernels: Readonly<Record<string, KernelFactory>> = {
  Adadelta: elementwise(adadelta),
  Adagrad: elementwise(adagrad),
  AdamW: elementwise(adamW),
  Adamax: elementwise(adamax),
  Ftrl: elementwise(ftrl),
  Lion: elementwise(lion),
  MovingAverage: elementwise(movingAverage),
  Nadam: elementwise(nadam),
  RMSprop: elementwise(rmsProp),
};

/** @see core/operators/adadelta.ts, as for the others, whose formulas these are in float64 */
function adadelta(attributes: Attributes, { rate }: Moment): ElementRule {
  const [rho, epsilon, decay] = [attributes.float("rho"), attributes.float("epsilon"), attributes.float("norm_coefficient")];
  return (x, gradient, slots) => {
    const g = gradient + decay * x;
    const h = rho * slots[0]! + (1 - rho) * g * g;
    const change = (g * Math.sqrt(slots[1]! + epsilon)) / Math.sqrt(h + epsilon);
    slots[0] = h;
    slots[1] = rho * slots[1]! + (1 - rho) * change * change;
    return x - rate * change;
  };
}

function adagrad(attributes: Attributes, { rate, step }: Moment): ElementRule {
  const [epsilon, decay] = [attributes.float("epsilon"), attributes.float("norm_coefficient")];
  const decayed = rate / (1 + step * attributes.float("decay_factor"));
  return (x, gradient, slots) => {
    const g = gradient + decay * x;
    slots[0] = slots[0]! + g * g;
    return x - (decayed * g) / (Math.sqrt(slots[0]) + epsilon);
  };
}

function adamW(attributes: Attributes, { rate, step }: Moment): ElementRule {
  const [alpha, beta, epsilon] = [attributes.float("alpha"), attributes.float("beta"), attributes.float("epsilon")];
  const [decay, decoupled, largest] = [attributes.float("norm_coefficient"), attributes.float("weight_decay"), attributes.int("amsgrad") === 1];
  const corrected = step > 0 ? (rate * Math.sqrt(1 - beta ** step)) / (1 - alpha ** step) : rate;
  return (x, gradient, slots) => {
    const g = gradient + decay * x;
    slots[0] = alpha * slots[0]! + (1 - alpha) * g;
    slots[1] = beta * slots[1]! + (1 - beta) * g * g;
    if (largest) slots[2] = Math.max(slots[2]!, slots[1]);
    return x * (1 - rate * decoupled) - (corrected * slots[0]) / (Math.sqrt(largest ? slots[2]! : slots[1]) + epsilon);
  };
}

function adamax(attributes: Attributes, { rate, step }: Moment): ElementRule {
  const [alpha, beta] = [attributes.float("alpha"), attributes.float("beta")];
  const [epsilon, decay] = [attributes.float("epsilon"), attributes.float("norm_coefficient")];
  const corrected = rate / (1 - alpha ** step);
  return (x, gradient, slots) => {
    const g = gradient + decay * x;
    slots[0] = alpha * slots[0]! + (1 - alpha) * g;
    slots[1] = Math.max(beta * slots[1]!, Math.abs(g));
    return x - (corrected * slots[0]) / (slots[1] + epsilon);
  };
}

function ftrl(attributes: Attributes, { rate }: Moment): ElementRule {
  const [initial, beta] = [attributes.float("initial"), attributes.float("beta")];
  const [l1, l2, shrinkage] = [attributes.float("l1"), attributes.float("l2"), attributes.float("l2_shrinkage")];
  return (x, g, slots) => {
    const before = Math.sqrt(slots[0]! + initial);
    slots[0] = slots[0]! + g * g;
    const root = Math.sqrt(slots[0] + initial);
    slots[1] = slots[1]! + g + 2 * shrinkage * x - ((root - before) / rate) * x;
    return (Math.min(Math.max(slots[1], -l1), l1) - slots[1]) / ((root + beta) / rate + 2 * l2);
  };
}

function lion(attributes: Attributes, { rate }: Moment): ElementRule {
  const [alpha, beta, decay] = [attributes.float("alpha"), attributes.float("beta"), attributes.float("weight_decay")];
  return (x, g, slots) => {
    const direction = Math.sign(alpha * slots[0]! + (1 - alpha) * g);
    slots[0] = beta * slots[0]! + (1 - beta) * g;
    return x - rate * (direction + decay * x);
  };
}

function movingAverage(attributes: Attributes, { rate, step }: Moment): ElementRule {
  const share = step > attributes.int("start") ? rate : 1;
  return (average, value) => average + share * (value - average);
}

function nadam(attributes: Attributes, { rate, step }: Moment): ElementRule {
  const [alpha, beta, epsilon] = [attributes.float("alpha"), attributes.float("beta"), attributes.float("epsilon")];
  const [decay, growth] = [attributes.float("norm_coefficient"), attributes.float("momentum_decay")];
  const momentum = (t: number): number => alpha * (1 - 0.5 * 0.96 ** (t * growth));
  const products = [1, ...nadamMomentumProducts(alpha, growth)];
  const ofMean = (rate * momentum(step + 1)) / (1 - (products[step + 1] ?? 0));
  const ofGradient = (rate * (1 - momentum(step))) / (1 - (products[step] ?? 0));
  const correction = 1 - beta ** step;
  return (x, gradient, slots) => {
    const g = gradient + decay * x;
    slots[0] = alpha * slots[0]! + (1 - alpha) * g;
    slots[1] = beta * slots[1]! + (1 - beta) * g * g;
    return x - (ofMean * slots[0] + ofGradient * g) / (Math.sqrt(slots[1] / correction) + epsilon);
  };
}

function rmsProp(attributes: Attributes, { rate }: Moment): ElementRule {
  const [rho, momentum, epsilon] = [attributes.float("rho"), attributes.float("momentum"), attributes.float("epsilon")];
  const [decay, centered] = [attributes.float("norm_coefficient"), attributes.int("centered") === 1];
  return (x, gradient, slots) => {
    const g = gradient + decay * x;
    slots[0] = rho * slots[0]! + (1 - rho) * g * g;
    if (centered) slots[1] = rho * slots[1]! + (1 - rho) * g;
    const variance = centered ? Math.max(0, slots[0] - slots[1]! * slots[1]!) : slots[0];
    const direction = g / (Math.sqrt(variance) + epsilon);
    if (momentum === 0) return x - rate * direction;
    const velocity = momentum * slots.at(-1)! + direction;
    slots[slots.length - 1] = velocity;
    return x - rate * velocity;
  };
}

function elementwise(rule: (attributes: Attributes, moment: Moment) => ElementRule): KernelFactory {
  return ({ attributes, node }: KernelContext): Kernel => {
    const count = node.inputs.length - 2 - node.outputs.length; // n parameters have n(2 + slots) inputs and n(1 + slots) outputs
    const slots = node.outputs.length / count - 1;
    return (inputs) => {
      const update = rule(attributes, { rate: scalarOf(required(inputs, 0)), step: scalarOf(required(inputs, 1)) });
      const results = Array.from({ length: count }, (_, i) => {
        const list = Array.from({ length: slots + 2 }, (__, part) => required(inputs, 2 + part * count + i));
        const x = list[0]!; // a parameter has x and g at least
        const [values, gradients, ...old] = list.map(numbersOf) as [Numbers, Numbers, ...Numbers[]];
        const written = Array.from({ length: slots + 1 }, () => memoryFor(x.dtype, values.length));
        const element = old.map(() => 0);
        for (let at = 0; at < values.length; at += 1) {
          for (let slot = 0; slot < slots; slot += 1) element[slot] = old[slot]![at]!;
          written[0]![at] = update(values[at]!, gradients[at]!, element);
          for (let slot = 0; slot < slots; slot += 1) written[slot + 1]![at] = element[slot]!;
        }
        return written.map((numbers) => tensorOf(x.dtype, x.shape, numbers));
      });
      return Array.from({ length: slots + 1 }, (_, part) => results.map((written) => written[part]!)).flat();
    };
  };
}
