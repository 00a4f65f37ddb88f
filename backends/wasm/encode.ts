// Encodes generated code (codegen/code.ts) as a WebAssembly module, instruction by instruction: it improves nothing,
// the engine does. Layout and numbers: WebAssembly Core Specification 2.0, chapter 5, and the threads proposal.

import { InternalError, unreachable } from "../../compiler/unreachable.ts";
import type { Expr, Func, Local, Module, Stmt, Type } from "../codegen/code.ts";
import { ByteWriter } from "./bytes.ts";
import * as table from "./opcodes.ts";
import { EMPTY, op, V128, wasmTypes } from "./opcodes.ts";

export interface MemoryType {
  readonly shared: boolean;
  /** 64 KiB pages; needed where shared, at least the maximum of the memory that will be given. */
  readonly maximum: number;
}

/**
 * The binary of a module that imports its memory as `frond.memory` and exports `module.exports` by name. One with marks
 * imports a function `frond.mark` too, which gets their ids.
 */
export function encodeModule(module: Module, memory: MemoryType): Uint8Array<ArrayBuffer> {
  const { functions } = module;
  const isMarked = functions.some(({ body }) => hasMark(body));
  // Imported functions have the first numbers.
  const first = isMarked ? 1 : 0;
  const numbers = new Map(functions.map((func, i) => [func, first + i]));
  const arities = [...new Set([...functions.map(func => func.params), ...(isMarked ? [1] : [])])];
  const out = new ByteWriter();
  for (const byte of [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(byte);
  const list = <T>(items: readonly T[], write: (item: T, i: number) => void) => {
    out.u32(items.length);
    items.forEach(write);
  };
  out.section(1, () =>
    list(arities, params => {
      out.byte(0x60);
      out.u32(params);
      for (let i = 0; i < params; i++) out.byte(wasmTypes.i32);
      out.u32(0);
    }),
  );
  out.section(2, () => {
    out.u32(1 + first);
    writeMemoryImport(out, memory);
    if (isMarked) writeMarkImport(out, arities.indexOf(1));
  });
  out.section(3, () => list(functions, func => out.u32(arities.indexOf(func.params))));
  out.section(7, () =>
    list(module.exports, func => {
      out.name(func.name);
      out.byte(0x00);
      out.u32(numberOf(func, numbers));
    }),
  );
  const body = new BodyEncoder(numbers);
  out.section(10, () => list(functions, func => out.sized(() => body.encode(func, out))));
  // Names of functions, for stack traces and profiles.
  out.section(0, () => {
    out.name("name");
    out.section(1, () =>
      list(functions, (func, i) => {
        out.u32(first + i);
        out.name(func.name);
      }),
    );
  });
  return out.finish();
}

function writeMemoryImport(out: ByteWriter, memory: MemoryType): void {
  out.name("frond");
  out.name("memory");
  out.byte(0x02);
  // A memory that is not shared may be given without a maximum, if none is asked for.
  out.byte(memory.shared ? 0x03 : 0x00);
  out.u32(0);
  if (memory.shared) out.u32(memory.maximum);
}

function writeMarkImport(out: ByteWriter, type: number): void {
  out.name("frond");
  out.name("mark");
  out.byte(0x00);
  out.u32(type);
}

const hasMark = (body: readonly Stmt[]): boolean =>
  body.some(statement => {
    switch (statement.kind) {
      case "mark":
        return true;
      case "for":
      case "doWhile":
        return hasMark(statement.body);
      case "if":
        return hasMark(statement.holds) || hasMark(statement.otherwise);
      default:
        return false;
    }
  });

function numberOf(func: Func, numbers: ReadonlyMap<Func, number>): number {
  return numbers.get(func) ?? missing(`${func.name} is not a function of the module`);
}

function missing(what: string): never {
  throw new InternalError("wasm encoder", what);
}

/** The function that is imported where there are marks. */
const markNumber = 0;

const isVector = (type: Type): boolean => wasmTypes[type] === V128;

const opcodeOf = (name: string, opcodes: { readonly [T in Type]: number | null }, type: Type): number =>
  opcodes[type] ?? missing(`no ${name} of ${type}`);

/** i32 comes last: the limits of loops, counted while the loops are encoded, are added to those. */
const localOrder = [wasmTypes.f32, V128, wasmTypes.i32];

/** Encodes one function at a time. */
class BodyEncoder {
  readonly #numbers: ReadonlyMap<Func, number>;
  /** The instructions of a function, apart since its locals stand before them and loops need more of those. */
  readonly #code = new ByteWriter();
  /** By `Local.index`. */
  #localNumbers: number[] = [];
  #firstLimit = 0;
  /** Loops open here, and most of them at any place, whose limit is held in a local. */
  #limits = 0;
  #mostLimits = 0;

  constructor(numbers: ReadonlyMap<Func, number>) {
    this.#numbers = numbers;
  }

  /** Locals of a type lie side by side, which makes their declaration short. */
  encode(func: Func, out: ByteWriter): void {
    const order = func.locals.map((_, i) => i).slice(func.params);
    const wasmType = (i: number) => wasmTypes[func.locals[i]!];
    const runs = localOrder.map(type => order.filter(i => wasmType(i) === type));
    this.#localNumbers = func.locals.map((_, i) => i);
    runs.flat().forEach((local, i) => {
      this.#localNumbers[local] = func.params + i;
    });
    this.#firstLimit = func.locals.length;
    this.#mostLimits = 0;
    this.#code.clear();
    this.#block(func.body);
    const counts = runs.map(run => run.length);
    counts[2]! += this.#mostLimits;
    out.u32(counts.length);
    counts.forEach((count, i) => {
      out.u32(count);
      out.byte(localOrder[i]!);
    });
    out.append(this.#code);
    out.byte(op.end);
  }

  #block(statements: readonly Stmt[]): void {
    for (const statement of statements) this.#stmt(statement);
  }

  #stmt(s: Stmt): void {
    const code = this.#code;
    switch (s.kind) {
      case "set":
        this.#expr(s.value);
        this.#local(op.localSet, s.local);
        break;
      case "store":
        this.#memory(table.stores[s.value.type], s.value.type, s.offset, s.address, s.value);
        break;
      case "storeLane":
        this.#memory(op.store32Lane, s.value.type, s.offset, s.address, s.value);
        code.byte(s.lane);
        break;
      case "for":
        this.#for(s);
        break;
      case "doWhile":
        this.#open(op.loop);
        this.#block(s.body);
        this.#expr(s.condition);
        this.#endLoop();
        break;
      case "if":
        this.#expr(s.condition);
        this.#open(op.if);
        this.#block(s.holds);
        if (s.otherwise.length > 0) code.byte(op.else);
        this.#block(s.otherwise);
        code.byte(op.end);
        break;
      case "call":
        this.#apply(op.call, ...s.args);
        code.u32(numberOf(s.callee, this.#numbers));
        break;
      case "atomicStore":
        this.#memory(op.atomicStore, "i32", 0, s.address, s.value);
        break;
      case "wait":
        this.#expr(s.address);
        this.#expr(s.expected);
        this.#const(op.i64Const, -1); // No timeout.
        this.#memory(op.atomicWait32, "i32", 0);
        code.byte(op.drop);
        break;
      case "notify":
        this.#expr(s.address);
        this.#const(op.i32Const, -1); // All who wait: the count is unsigned.
        this.#memory(op.atomicNotify, "i32", 0);
        code.byte(op.drop);
        break;
      case "copyMemory":
        this.#apply(op.memoryCopy, s.to, s.from, s.bytes);
        code.byte(0);
        code.byte(0);
        break;
      case "fillMemory":
        this.#expr(s.to);
        this.#const(op.i32Const, s.byte);
        this.#apply(op.memoryFill, s.bytes);
        code.byte(0);
        break;
      case "mark":
        this.#const(op.i32Const, s.id);
        code.byte(op.call);
        code.u32(markNumber);
        break;
      default:
        unreachable(s);
    }
  }

  /** The test stands before the first round and at the end of each, where it is the only jump. */
  #for({ index, from, to, step, body }: Stmt & { readonly kind: "for" }): void {
    const known = to.kind === "const" ? to.value : null;
    this.#expr(from);
    this.#local(op.localSet, index);
    const limit = this.#firstLimit + this.#limits;
    if (known === null) {
      this.#mostLimits = Math.max(this.#mostLimits, ++this.#limits);
      this.#expr(to);
      this.#localNumber(op.localSet, limit);
    }
    const test = (get: number) => {
      this.#local(get, index);
      if (known === null) this.#localNumber(op.localGet, limit);
      else this.#const(op.i32Const, known);
      this.#code.byte(table.comparisons.lt.i32!);
    };
    const runs = known !== null && from.kind === "const" && from.value < known;
    if (!runs) {
      test(op.localGet);
      this.#open(op.if);
    }
    this.#open(op.loop);
    this.#block(body);
    this.#local(op.localGet, index);
    this.#expr(step);
    this.#code.byte(table.binaries.add.i32!);
    test(op.localTee);
    this.#endLoop();
    if (!runs) this.#code.byte(op.end);
    if (known === null) this.#limits--;
  }

  #open(block: number): void {
    this.#code.byte(block);
    this.#code.byte(EMPTY);
  }

  /** Again where the number on the stack is not 0. */
  #endLoop(): void {
    this.#code.byte(op.brIf);
    this.#code.u32(0);
    this.#code.byte(op.end);
  }

  #apply(opcode: number, ...operands: readonly Expr[]): void {
    for (const x of operands) this.#expr(x);
    this.#code.opcode(opcode);
  }

  /** Vectors need no alignment, which costs nothing on today's machines; scalars stand at multiples of 4. */
  #memory(opcode: number, type: Type, offset: number, ...operands: readonly Expr[]): void {
    this.#apply(opcode, ...operands);
    this.#code.u32(isVector(type) ? 0 : 2);
    this.#code.u32(offset);
  }

  #expr(x: Expr): void {
    const code = this.#code;
    switch (x.kind) {
      case "const":
        if (x.type === "i32") this.#const(op.i32Const, x.value);
        else {
          code.byte(op.f32Const);
          code.f32(x.value);
        }
        break;
      case "local":
        this.#local(op.localGet, x.local);
        break;
      case "unary":
        this.#apply(opcodeOf(x.op, table.unaries[x.op], x.type), x.x);
        break;
      case "binary":
        if (x.op === "mulHigh") this.#mulHigh(x.a, x.b);
        else this.#apply(opcodeOf(x.op, table.binaries[x.op], x.type), x.a, x.b);
        break;
      case "compare":
        this.#apply(opcodeOf(x.op, table.comparisons[x.op], x.a.type), x.a, x.b);
        break;
      case "convert":
        if (x.op === "bits" && isVector(x.type)) this.#expr(x.x);
        else this.#apply(opcodeOf(x.op, table.conversions[x.op], x.type), x.x);
        break;
      case "select":
        this.#apply(isVector(x.condition.type) ? op.bitselect : op.select, x.a, x.b, x.condition);
        break;
      case "lane":
        this.#apply(x.type === "f32" ? op.f32ExtractLane : op.i32ExtractLane, x.x);
        code.byte(x.lane);
        break;
      case "shuffle":
        this.#apply(op.shuffle, x.a, x.b);
        for (let i = 0; i < 4 * table.LANES; i++) code.byte(4 * x.lanes[i >> 2]! + (i & 3));
        break;
      case "load":
        this.#memory(table.loads[x.type], x.type, x.offset, x.address);
        break;
      case "loadSplat":
        this.#memory(op.load32Splat, x.type, x.offset, x.address);
        break;
      case "anyTrue":
        this.#apply(op.anyTrue, x.x);
        break;
      case "atomicAdd":
        this.#memory(op.atomicAdd, "i32", 0, x.address, x.value);
        break;
      case "atomicLoad":
        this.#memory(op.atomicLoad, "i32", 0, x.address);
        break;
      default:
        unreachable(x);
    }
  }

  /** By way of the whole product, as an i64. */
  #mulHigh(a: Expr, b: Expr): void {
    if (a.type !== "i32") missing(`no mulHigh of ${a.type}`);
    for (const x of [a, b]) {
      this.#expr(x);
      this.#code.byte(op.i64ExtendI32U);
    }
    this.#code.byte(op.i64Mul);
    this.#const(op.i64Const, 32);
    this.#code.byte(op.i64ShrU);
    this.#code.byte(op.i32WrapI64);
  }

  #const(opcode: number, value: number): void {
    this.#code.byte(opcode);
    this.#code.s32(value);
  }

  #local(opcode: number, local: Local): void {
    this.#localNumber(opcode, this.#localNumbers[local.index]!);
  }

  #localNumber(opcode: number, number: number): void {
    this.#code.byte(opcode);
    this.#code.u32(number);
  }
}
