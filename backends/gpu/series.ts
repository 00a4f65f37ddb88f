// The numbers that preludes are made of: polynomials, minimax in the relative error, and constants in parts. They are those
// of the wasm backend (backends/codegen/math); each device's prelude says what is done with them.

/** The smallest normal number; most devices take what is smaller for 0. */
export const TINY = "1.17549435e-38";

/** ln 2; the high part has 16 bits, so that its product with an exponent is exact. */
export const LN2_HIGH = "0.693145751953125";
export const LN2_LOW = "1.4286068203e-6";

/** The polynomial in `x` with these coefficients, the highest first, by Horner's rule. */
export function polynomial(x: string, [first, ...rest]: readonly [number, ...number[]]): string {
  const literal = (value: number): string => (Number.isInteger(value) ? `${value}.0` : `${value}`);
  return rest.reduce((sum, c) => `(${sum} * ${x} + ${literal(c)})`, literal(first));
}

/** log2 e, for the exponent; where digits count, LOG2_E_PARTS. */
export const LOG2_E = "1.44269504";

/** exp(r) on [-ln 2 / 2, ln 2 / 2]. */
export const EXP = [0.00138436537, 0.0083741555, 0.0416680016, 0.166664317, 0.49999994, 1, 1] as const;
/** (artanh(s) / s - 1) * 2 / s^2 in s^2 on [0, 1/3]. */
export const ARTANH = [0.280312747, 0.279978633, 0.400217712, 0.666664124] as const;
/** (tanh(r) / r - 1) / r^2 in r^2 on [0, ln 2 / 4]. */
export const TANH = [0.131103992, -0.33331269] as const;

/** Below ln 2^-126 the result is no normal number: taken as 0. Above ln of the largest number it is infinite. */
export const LOWEST = "-87.3365447";
export const HIGHEST = "88.722835";

/** (log((1 + s) / (1 - s)) - 2s) / s^3 in s^2, up to s = 0.1716. */
export const SERIES = [0.298734993, 0.39977482, 0.666667759] as const;
/** 2^r on [-1/2, 1/2]. */
export const POWER = [
  0.00015353362, 0.00133988739, 0.00961843692, 0.0555033237, 0.240226477, 0.693147182, 1,
] as const;
/** log2 e in parts, the first of few bits. */
export const LOG2_E_PARTS = ["1.4423828125", "3.122283889634e-4"] as const;

/** pi / 2 in parts, the first of so few bits that whole numbers times them are exact. */
export const HALF_PI = ["1.5", "0.0703125", "4.837512969970703e-4", "7.54978995489e-8"] as const;

/** (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2/2) / r^4 in r^2, up to pi/4. */
export const SINE = [-0.000195160115, 0.00833216868, -0.166666552] as const;
export const COSINE = [0.0000244316689, -0.00138873036, 0.0416666456] as const;
