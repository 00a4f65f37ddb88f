// The encoder of WebAssembly: small modules are built, run in the engine that runs these tests, and compared with
// JavaScript. Floats must agree to the bit, but for which NaN it is.

import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import * as build from "../../backends/codegen/builder.ts";
import { FunctionBuilder, type Operand } from "../../backends/codegen/builder.ts";
import type { Binary, Comparison, Expr, Func, Local, Type, Unary } from "../../backends/codegen/code.ts";
import { encodeModule } from "../../backends/wasm/encode.ts";

const A = 0;
const B = 4096;
const OUT = 8192;
const types: readonly Type[] = ["i32", "f32", "f32x", "i32x"];
const isVector = (type: Type) => type === "f32x" || type === "i32x";
const isFloat = (type: Type) => type === "f32x" || type === "f32";

class Machine {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly i32: Int32Array;
  readonly f32: Float32Array;
  readonly #exports: WebAssembly.Exports;

  constructor(functions: readonly Func[], exported = functions, shared = false) {
    this.memory = new WebAssembly.Memory(shared ? { initial: 1, maximum: 4, shared } : { initial: 1 });
    this.bytes = encodeModule({ functions, exports: exported }, { shared, maximum: 4 });
    expect(WebAssembly.validate(this.bytes)).toBe(true);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(this.bytes), {
      frond: { memory: this.memory },
    });
    this.#exports = instance.exports;
    this.i32 = new Int32Array(this.memory.buffer);
    this.f32 = new Float32Array(this.memory.buffer);
  }

  run(name: string, ...args: readonly number[]): void {
    (this.#exports[name] as (...args: readonly number[]) => void)(...args);
  }
}

/** A function `f` of `params` parameters. */
function make(
  params: number,
  write: (f: FunctionBuilder, params: readonly Local[]) => void,
  name = "f",
): Func {
  const f = new FunctionBuilder(name);
  write(
    f,
    Array.from({ length: params }, () => f.param()),
  );
  return f.finish();
}

/** `compute` of every element (4 at a time for vectors) of two arrays, one of them perhaps ignored. */
function map(
  type: Type,
  a: readonly number[],
  b: readonly number[],
  compute: (a: Expr, b: Expr) => Expr,
  floatResult = isFloat(type),
): readonly number[] {
  const bytes = isVector(type) ? 16 : 4;
  const f = make(0, f =>
    f.for(0, 4 * a.length, bytes, at =>
      f.store(at, compute(build.load(type, at, A), build.load(type, at, B)), OUT),
    ),
  );
  const machine = new Machine([f]);
  const inputs = isFloat(type) ? machine.f32 : machine.i32;
  inputs.set(a, A / 4);
  inputs.set(b, B / 4);
  machine.run("f");
  const results = floatResult ? machine.f32 : machine.i32;
  return [...results.subarray(OUT / 4, OUT / 4 + a.length)];
}

const integers = [0, 1, -1, 2, 3, -7, 31, 32, 33, 65537, 0x7fffffff, -0x80000000];
const floats = [0, -0, 0.5, -0.5, 1.5, 2.5, -3.7, 1e-40, 3e9, -3e38, Infinity, NaN].map(Math.fround);
const pairs = (values: readonly number[]) => ({
  a: values.flatMap(x => values.map(() => x)),
  b: values.flatMap(() => values),
});
const pairsOf = (type: Type) => pairs(isFloat(type) ? floats : integers);

type Reference = (a: number, b: number) => number;
type Cases<O extends string> = { readonly [K in O]: { readonly [T in Type]?: Reference } };

const both = (float: Reference, integer: Reference) => ({
  f32: float,
  f32x: float,
  i32: integer,
  i32x: integer,
});
const same = (f: Reference) => both(f, f);
const float = (f: Reference) => ({ f32: f, f32x: f });
const integer = (f: Reference) => ({ i32: f, i32x: f });

const binaries: Cases<Binary> = {
  add: same((a, b) => a + b),
  sub: same((a, b) => a - b),
  mul: both((a, b) => a * b, Math.imul),
  div: float((a, b) => a / b),
  min: { ...float(Math.min), i32x: Math.min },
  max: { ...float(Math.max), i32x: Math.max },
  divU: { i32: (a, b) => (a >>> 0) / (b >>> 0) },
  remU: { i32: (a, b) => (a >>> 0) % (b >>> 0) },
  mulHigh: { i32: (a, b) => Number((BigInt(a >>> 0) * BigInt(b >>> 0)) >> 32n) },
  and: integer((a, b) => a & b),
  or: integer((a, b) => a | b),
  xor: integer((a, b) => a ^ b),
  shl: integer((a, b) => a << b),
  shr: integer((a, b) => a >>> b),
  sar: integer((a, b) => a >> b),
};

const comparisons: Cases<Comparison> = {
  eq: same((a, b) => Number(a === b)),
  ne: same((a, b) => Number(a !== b)),
  lt: same((a, b) => Number(a < b)),
  le: same((a, b) => Number(a <= b)),
  gt: same((a, b) => Number(a > b)),
  ge: same((a, b) => Number(a >= b)),
};

function nearest(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 23) return x;
  const down = Math.floor(x);
  const up = x - down > 0.5 || (x - down === 0.5 && down % 2 !== 0);
  const rounded = up ? down + 1 : down;
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
}

const unaries: Cases<Unary> = {
  neg: float(x => -x),
  abs: float(Math.abs),
  sqrt: float(Math.sqrt),
  floor: float(Math.floor),
  trunc: float(Math.trunc),
  nearest: float(nearest),
  not: { i32x: x => ~x },
};

function toInt(x: number): number {
  return Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), -0x80000000), 0x7fffffff) | 0;
}

/** Those of `cases` for which there is a reference, and those for which there is none. */
function eachCase<O extends string>(
  cases: Cases<O>,
  legal: (op: O, type: Type, reference: Reference) => void,
  illegal: (op: O, type: Type) => void,
): void {
  for (const op of Object.keys(cases) as O[]) {
    for (const type of types) {
      const reference = cases[op][type];
      if (reference !== undefined) legal(op, type, reference);
      else illegal(op, type);
    }
  }
}

const refused = (type: Type, compute: (x: Expr) => Expr) => {
  const f = make(0, f => f.store(0, compute(build.load(type, 0))));
  expect(() => encodeModule({ functions: [f], exports: [] }, { shared: false, maximum: 1 })).toThrow(
    /no \w+ of/,
  );
};

describe("operations agree with JavaScript", () => {
  const shifts = new Set<Binary>(["shl", "shr", "sar"]);
  eachCase(
    binaries,
    (op, type, reference) =>
      it(`${op} of ${type}`, () => {
        let { a, b } = pairsOf(type);
        if (op === "divU" || op === "remU") {
          a = a.filter((_, i) => b[i] !== 0);
          b = b.filter(x => x !== 0);
        }
        const round = isFloat(type) ? Math.fround : (x: number) => x | 0;
        if (type === "i32x" && shifts.has(op)) {
          for (const count of integers) {
            const got = map(type, integers, [], x => build.binary(op, x, count));
            expect(got).toEqual(integers.map(x => round(reference(x, count))));
          }
        } else {
          const got = map(type, a, b, (x, y) => build.binary(op, x, y));
          expect(got).toEqual(a.map((x, i) => round(reference(x, b[i]!))));
        }
      }),
    (op, type) => it(`no ${op} of ${type}`, () => refused(type, x => build.binary(op, x, x))),
  );

  eachCase(
    comparisons,
    (op, type, reference) =>
      it(`${op} of ${type}`, () => {
        const { a, b } = pairsOf(type);
        const got = map(type, a, b, (x, y) => build.compare(op, x, y), false);
        const yes = isVector(type) ? -1 : 1;
        expect(got).toEqual(a.map((x, i) => (reference(x, b[i]!) ? yes : 0)));
      }),
    () => {},
  );

  eachCase(
    unaries,
    (op, type, reference) =>
      it(`${op} of ${type}`, () => {
        const values = isFloat(type) ? floats : integers;
        const got = map(type, values, [], x => build.unary(op, x));
        expect(got).toEqual(
          values.map(x => (isFloat(type) ? Math.fround(reference(x, 0)) : reference(x, 0))),
        );
      }),
    (op, type) => it(`no ${op} of ${type}`, () => refused(type, x => build.unary(op, x))),
  );
});

describe("conversions", () => {
  const view = new DataView(new ArrayBuffer(4));
  const bitsOf = (x: number) => {
    view.setFloat32(0, x);
    return view.getInt32(0);
  };
  for (const int of ["i32", "i32x"] as const) {
    const flt = int === "i32" ? "f32" : "f32x";
    it(`bits of ${int} and ${flt}`, () => {
      const numbers = floats.filter(x => !Number.isNaN(x));
      expect(map(flt, floats, [], x => build.convert("bits", x), false)).toEqual(floats.map(bitsOf));
      expect(map(int, numbers.map(bitsOf), [], x => build.convert("bits", x), true)).toEqual(numbers);
    });
    it(`${int} to ${flt} and back`, () => {
      const got = map(int, integers, [], x => build.convert("toFloat", x), true);
      expect(got).toEqual(integers.map(Math.fround));
      expect(map(flt, floats, [], x => build.convert("toInt", x), false)).toEqual(floats.map(toInt));
    });
  }

  it("splat", () => {
    const f = make(1, (f, [x]) => {
      f.store(OUT, build.splat(x!));
      f.store(OUT, build.splat(build.convert("toFloat", x!)), 16);
      f.store(OUT, build.splat(build.f32(-0.1)), 32);
    });
    const machine = new Machine([f]);
    machine.run("f", -5);
    expect([...machine.i32.subarray(OUT / 4, OUT / 4 + 4)]).toEqual([-5, -5, -5, -5]);
    expect([...machine.f32.subarray(OUT / 4 + 4, OUT / 4 + 12)]).toEqual(
      [-5, -5, -5, -5, -0.1, -0.1, -0.1, -0.1].map(Math.fround),
    );
  });
});

it("constants of every length", () => {
  const ints = [...Array(32).keys()]
    .flatMap(n => [2 ** n - 1, 2 ** n, -(2 ** n), -(2 ** n) - 1])
    .map(x => x | 0);
  const f = make(0, f => {
    for (const [i, x] of ints.entries()) f.store(0, x, OUT + 4 * i);
    for (const [i, x] of floats.entries()) f.store(0, build.f32(x), A + 4 * i);
  });
  const machine = new Machine([f]);
  machine.run("f");
  expect([...machine.i32.subarray(OUT / 4, OUT / 4 + ints.length)]).toEqual(ints);
  expect([...machine.f32.subarray(A / 4, A / 4 + floats.length)]).toEqual(floats);
});

describe("vectors and choices", () => {
  const [a, b] = [integers, integers.toReversed()];

  it.each(types)("select of %s by an i32", type => {
    const [x, y] = isFloat(type) ? [floats, floats.toReversed()] : [a, b];
    for (const condition of [0, 1, -1, 256]) {
      const got = map(type, x, y, (p, q) => build.select(condition, p, q));
      expect(got).toEqual(condition ? x : y);
    }
  });

  it("select by a mask", () => {
    const larger = map("i32x", a, b, (p, q) => build.select(build.compare("gt", p, q), p, q));
    expect(larger).toEqual(a.map((x, i) => Math.max(x, b[i]!)));
    const relu = map("f32x", floats, [], p =>
      build.select(build.compare("gt", p, build.splat(build.f32(0))), p, p0()),
    );
    expect(relu).toEqual(floats.map(x => (x > 0 ? x : 0)));
  });
  const p0 = () => build.splat(build.f32(0));

  it.each(["i32x", "f32x"] as const)("shuffle and lane of %s", type => {
    const values = isFloat(type) ? floats : integers;
    const got = map(type, values, values.toReversed(), (p, q) => build.shuffle(p, q, [7, 0, 2, 5]));
    const reversed = values.toReversed();
    expect(got.slice(0, 4)).toEqual([reversed[3], values[0], values[2], reversed[1]]);
    for (let i = 0; i < 4; i++) {
      const lanes = map(type, values, [], p => build.splat(build.lane(p, i)));
      expect(lanes).toEqual(values.map((_, at) => values[(at & ~3) + i]));
    }
  });

  it("anyTrue", () => {
    const f = make(0, f => f.for(0, 64, 16, at => f.store(OUT, build.anyTrue(build.load("i32x", at)), 0)));
    for (const set of [null, 12, 15]) {
      const machine = new Machine([f]);
      if (set !== null) machine.i32[set] = 1;
      machine.run("f");
      expect(machine.i32[OUT / 4]).toBe(set === null ? 0 : 1);
    }
  });
});

describe("memory", () => {
  it.each(types)("loads and stores %s at any offset", type => {
    // Vectors also stand where no alignment is.
    const from = isVector(type) ? 7 : 8;
    for (const offset of [0, 4, 128, 20000]) {
      const f = make(1, (f, [at]) => f.store(at!, build.load(type, at!, offset), 40000));
      const machine = new Machine([f]);
      const bytes = new Uint8Array(machine.memory.buffer);
      for (let i = 0; i < 16; i++) bytes[from + offset + i] = i + 1;
      machine.run("f", from);
      const size = isVector(type) ? 16 : 4;
      const expected = [...Array(16).keys()].map(i => (i < size ? i + 1 : 0));
      expect([...bytes.subarray(40000 + from, 40000 + from + 16)]).toEqual(expected);
    }
  });

  it("splat loads and lane stores", () => {
    const f = make(1, (f, [at]) => {
      f.store(at!, build.loadSplat("f32x", at!, 4), OUT);
      f.store(at!, build.loadSplat("i32x", at!, 8), OUT + 16);
      for (const i of [3, 1]) f.storeLane(at!, build.load("i32x", at!, 16), i, OUT + 32 + 4 * i);
    });
    const machine = new Machine([f]);
    machine.f32[11] = 1.5;
    machine.i32[12] = -9;
    machine.i32.set([20, 21, 22, 23], 14);
    machine.run("f", 40);
    expect([...machine.f32.subarray(OUT / 4 + 10, OUT / 4 + 14)]).toEqual([1.5, 1.5, 1.5, 1.5]);
    expect([...machine.i32.subarray(OUT / 4 + 14, OUT / 4 + 22)]).toEqual([-9, -9, -9, -9, 0, 21, 0, 23]);
  });

  it("copy and fill, also of nothing and onto itself", () => {
    const f = make(3, (f, [to, from, bytes]) => {
      f.add({ kind: "copyMemory", to: build.expr(to!), from: build.expr(from!), bytes: build.expr(bytes!) });
      f.add({ kind: "fillMemory", to: build.add(to!, 100), byte: 200, bytes: build.expr(bytes!) });
    });
    const machine = new Machine([f]);
    const bytes = new Uint8Array(machine.memory.buffer);
    bytes.set([1, 2, 3, 4, 5]);
    machine.run("f", 50, 0, 0);
    expect(bytes.subarray(6).every(x => x === 0)).toBe(true);
    machine.run("f", 1, 0, 5);
    expect([...bytes.subarray(0, 7)]).toEqual([1, 1, 2, 3, 4, 5, 0]);
    expect([...bytes.subarray(100, 107)]).toEqual([0, 200, 200, 200, 200, 200, 0]);
  });
});

describe("control", () => {
  /** Writes the indices that a loop runs through. */
  const trace = (
    write: (f: FunctionBuilder, params: readonly Local[], visit: (x: Operand) => void) => void,
  ) => {
    const f = make(3, (f, params) => {
      const next = f.let(OUT);
      write(f, params, x => {
        f.store(next, x);
        f.set(next, build.add(next, 4));
      });
      f.store(0, build.binary("shr", build.sub(next, OUT), 2));
    });
    const machine = new Machine([f]);
    return (...args: readonly number[]) => {
      machine.run("f", ...args);
      return [...machine.i32.subarray(OUT / 4, OUT / 4 + machine.i32[0]!)];
    };
  };
  const expected = (from: number, to: number, step: number) => {
    const indices: number[] = [];
    for (let i = from; i < to; i += step) indices.push(i);
    return indices;
  };
  // biome-ignore format: from, to, step
  const ranges = [[0, 5, 1], [0, 5, 2], [3, 3, 1], [4, 3, 1], [-3, 2, 1], [0, 1, 9]] as const;

  it("for, with known and unknown bounds", () => {
    const unknown = trace((f, [from, to, step], visit) => f.for(from!, to!, step!, visit));
    for (const [from, to, step] of ranges) {
      expect(unknown(from, to, step)).toEqual(expected(from, to, step));
      const known = trace((f, _, visit) => f.for(from, to, step, visit));
      expect(known(0, 0, 0)).toEqual(expected(from, to, step));
      const half = trace((f, [start], visit) => f.for(start!, to, step, visit));
      expect(half(from, 0, 0)).toEqual(expected(from, to, step));
    }
  });

  it("nested loops keep their own limits, computed once", () => {
    const run = trace((f, [n, m], visit) => {
      f.for(0, n!, 1, i => {
        f.for(i, m!, 1, j => {
          f.for(0, build.add(i, 1), 1, () => visit(j));
          f.set(m!, build.add(m!, 0));
        });
        f.for(0, i, 1, visit);
        f.set(n!, 0);
      });
    });
    const visited: number[] = [];
    for (let i = 0; i < 3; i++) {
      for (let j = i; j < 4; j++) for (let k = 0; k < i + 1; k++) visited.push(j);
      visited.push(...expected(0, i, 1));
    }
    expect(run(3, 4, 0)).toEqual(visited);
  });

  it("doWhile runs at least once", () => {
    const run = trace((f, [n], visit) =>
      f.doWhile(() => {
        visit(n!);
        f.set(n!, build.sub(n!, 1));
        return build.compare("gt", n!, 0);
      }),
    );
    expect(run(3, 0, 0)).toEqual([3, 2, 1]);
    expect(run(-3, 0, 0)).toEqual([-3]);
  });

  it("if, with and without else, nested in loops", () => {
    const run = trace((f, [n, m], visit) =>
      f.for(0, n!, 1, i => {
        f.if(
          build.compare("lt", i, m!),
          () => visit(build.sub(0, i)),
          () => f.if(build.binary("and", i, 1), () => visit(i)),
        );
        f.if(
          build.compare("eq", i, m!),
          () => {},
          () => {},
        );
      }),
    );
    expect(run(8, 3, 0)).toEqual([0, -1, -2, 3, 5, 7]);
  });

  it("calls, of functions with other numbers of parameters, by export name", () => {
    const put = make(3, (f, [at, x, y]) => f.store(at!, build.sub(x!, y!)), "put");
    const none = make(0, f => f.call(put, [16, 9, 2]), "none");
    const both = make(
      1,
      (f, [x]) => {
        f.call(none, []);
        f.call(put, [20, x!, build.mul(x!, 3)]);
      },
      "both ∂",
    );
    const machine = new Machine([put, none, both], [both]);
    machine.run("both ∂", 5);
    expect([...machine.i32.subarray(4, 6)]).toEqual([7, -10]);
    const module = new WebAssembly.Module(machine.bytes);
    expect(WebAssembly.Module.exports(module)).toEqual([{ name: "both ∂", kind: "function" }]);
    expect(WebAssembly.Module.customSections(module, "name")).toHaveLength(1);
    expect(() => encodeModule({ functions: [both], exports: [] }, { shared: false, maximum: 1 })).toThrow(
      /none is not a function of the module/,
    );
  });

  it("locals of all types in any order, more than a byte can number", () => {
    const f = make(2, (f, [x, y]) => {
      const locals = [...Array(200).keys()].map(i => {
        const value = build.add(x!, i);
        const asFloat = build.convert("toFloat", value);
        return f.let([value, asFloat, build.splat(value), build.splat(asFloat)][i % 4]!);
      });
      f.for(0, y!, 1, () => {
        for (const [i, local] of locals.entries()) {
          const scalar = isVector(local.type) ? build.lane(local, 3) : build.expr(local);
          f.store(0, scalar.type === "f32" ? build.convert("toInt", scalar) : scalar, OUT + 4 * i);
        }
      });
    });
    const machine = new Machine([f]);
    machine.run("f", 1000, 1);
    expect([...machine.i32.subarray(OUT / 4, OUT / 4 + 200)]).toEqual(
      [...Array(200).keys()].map(i => 1000 + i),
    );
  });
});

describe("shared memory", () => {
  const at = (x: number) => build.expr(x);

  it("atomic operations", () => {
    const f = make(1, (f, [x]) => {
      f.add({ kind: "atomicStore", address: at(8), value: build.expr(x!) });
      f.store(OUT, { kind: "atomicAdd", type: "i32", address: at(8), value: at(5) });
      f.store(OUT, { kind: "atomicLoad", type: "i32", address: at(8) }, 4);
      // Nobody waits, and the value differs: neither blocks.
      f.add({ kind: "wait", address: at(8), expected: build.expr(x!) });
      f.add({ kind: "notify", address: at(8) });
    });
    const machine = new Machine([f], [f], true);
    machine.run("f", 37);
    expect([...machine.i32.subarray(OUT / 4, OUT / 4 + 2)]).toEqual([37, 42]);
  });

  it("wakes the thread that waits", async () => {
    const wait = make(
      0,
      f => {
        f.add({ kind: "atomicStore", address: at(4), value: at(1) });
        f.add({ kind: "wait", address: at(0), expected: at(0) });
        f.add({
          kind: "atomicStore",
          address: at(8),
          value: { kind: "atomicLoad", type: "i32", address: at(0) },
        });
      },
      "wait",
    );
    const wake = make(
      1,
      (f, [x]) => {
        f.add({ kind: "atomicStore", address: at(0), value: build.expr(x!) });
        f.add({ kind: "notify", address: at(0) });
      },
      "wake",
    );
    const machine = new Machine([wait, wake], [wait, wake], true);
    const script = `const { workerData: { bytes, memory } } = require("node:worker_threads");
      new WebAssembly.Instance(new WebAssembly.Module(bytes), { frond: { memory } }).exports.wait();`;
    const worker = new Worker(script, {
      eval: true,
      workerData: { bytes: machine.bytes, memory: machine.memory },
    });
    const ended = new Promise(resolve => worker.once("exit", resolve));
    const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));
    while (Atomics.load(machine.i32, 1) === 0) await pause(1);
    // Between its first store and its sleep nothing can be observed.
    await pause(20);
    machine.run("wake", 42);
    expect(await ended).toBe(0);
    expect(machine.i32[2]).toBe(42);
  });
});

it("encodes large functions fast", () => {
  const f = make(1, (f, [x]) => {
    for (let i = 0; i < 4000; i++)
      f.store(x!, build.add(build.load("f32x", x!, 16 * i), build.splat(build.f32(i))), 0);
  });
  const module = { functions: [f], exports: [f] };
  // Alone, 20 ms before the engine has warmed up, 1 ms afterwards; an encoder that copies too much takes seconds.
  const start = performance.now();
  const bytes = encodeModule(module, { shared: false, maximum: 1 });
  expect(bytes.length).toBeGreaterThan(80_000);
  expect(performance.now() - start).toBeLessThan(500);
  expect(WebAssembly.validate(bytes)).toBe(true);
});
