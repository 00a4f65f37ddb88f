// The tfjs side: opens a tfjs backend without changing the caller's, registers Frond's kernels on it, and hands out
// buffers (tensors of one dimension) that kernels read and write in place.

import type { KernelBackend, KernelFunc, NamedTensorInfoMap, TensorInfo } from "@tensorflow/tfjs-core";
import type { DType } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";

/** tfjs's names for our dtypes. */
const tfDType = { real: "float32", index: "int32", bool: "bool" } as const satisfies Record<DType, string>;

export type Values = Float32Array | Int32Array | Uint8Array;

export const elementBytes = { real: 4, index: 4, bool: 1 } as const satisfies Record<DType, number>;

/** Places in buffers are counted with 32 bits. */
const mostValues = 2 ** 31 - 1;

export function makeValues(dtype: DType, size: number): Values {
  // Newer engines make larger arrays than can be walked here.
  if (size > mostValues) throw new RangeError(`an array of ${size} values is too large`);
  if (dtype === "real") return new Float32Array(size);
  return dtype === "index" ? new Int32Array(size) : new Uint8Array(size);
}

/** What all devices' buffers hold at the moment: tfjs counts tensors, but not the bytes of what kernels make. */
export const allocated = { bytes: 0 };

/** A flat piece of the device's memory. */
export interface Buffer {
  readonly dtype: DType;
  readonly info: TensorInfo;
  readonly values: Values;
}

/**
 * What a Frond kernel is: it works on flat buffers, outputs among them, at `offsets`; `spec` was fixed when the call
 * was bound. In tfjs's registry it is an ordinary kernel whose inputs are named "0", "1", ..
 */
export type FrondKernel<Spec> = (values: readonly Values[], offsets: Int32Array, spec: Spec) => void;

/** Any of them; what it is given is checked where calls are bound (binder.ts). */
type AnyKernel = FrondKernel<never>;

/** What a call of a Frond kernel carries beside its inputs. */
export interface CallAttributes {
  readonly operands: number;
  readonly offsets: Int32Array;
  readonly spec: object;
}

/** What tfjs's cpu backend is known to have beside KernelBackend. */
interface CpuBackend extends KernelBackend {
  readonly data: { get(dataId: object): { readonly values: Values } };
  makeTensorInfo(shape: number[], dtype: string, values: Values): TensorInfo;
  disposeIntermediateTensorInfo(info: TensorInfo): void;
}

export class Device {
  readonly #tf: typeof import("@tensorflow/tfjs-core");
  readonly #backend: CpuBackend;
  readonly #name: string;

  private constructor(tf: typeof import("@tensorflow/tfjs-core"), name: string, backend: CpuBackend) {
    this.#tf = tf;
    this.#name = name;
    this.#backend = backend;
  }

  /** Loads tfjs and its cpu backend; both stay loaded. */
  static async openCpu(kernels: Readonly<Record<string, AnyKernel>>): Promise<Device> {
    const tf = await import("@tensorflow/tfjs-core");
    await import("@tensorflow/tfjs-backend-cpu");
    const backend = tf.findBackend("cpu") as CpuBackend | null;
    if (backend === null) throw new InternalError("Device.openCpu", "tfjs has no cpu backend");
    const device = new Device(tf, "cpu", backend);
    device.#quietly(() => device.free(device.allocate("bool", 1)));
    for (const [name, kernel] of Object.entries(kernels)) device.#register(name, kernel);
    return device;
  }

  allocate(dtype: DType, size: number): Buffer {
    const values = makeValues(dtype, size);
    allocated.bytes += values.byteLength;
    return { dtype, values, info: this.#backend.makeTensorInfo([size], tfDType[dtype], values) };
  }

  free(buffer: Buffer): void {
    allocated.bytes -= buffer.values.byteLength;
    this.#backend.disposeIntermediateTensorInfo(buffer.info);
  }

  kernel(name: string): KernelFunc {
    const config = this.#tf.getKernel(name, this.#name);
    if (config === undefined || config === null)
      throw new InternalError("Device.kernel", `no kernel ${name}`);
    return config.kernelFunc;
  }

  get backend(): KernelBackend {
    return this.#backend;
  }

  #register(name: string, kernel: AnyKernel): void {
    if (this.#tf.getKernel(name, this.#name) !== undefined) return;
    this.#tf.registerKernel({
      kernelName: name,
      backendName: this.#name,
      // biome-ignore lint/suspicious/noExplicitAny: tfjs types attributes as numbers and texts only
      kernelFunc: ({ inputs, backend, attrs }: { inputs: NamedTensorInfoMap; backend: any; attrs?: any }) => {
        const { data }: CpuBackend = backend;
        const { operands, offsets, spec }: CallAttributes = attrs;
        const values: Values[] = [];
        for (let k = 0; k < operands; k++) values.push(data.get(inputs[k]!.dataId).values);
        kernel(values, offsets, spec as never);
        return [];
      },
    });
  }

  /** tfjs greets at the first write to its cpu backend, recommending another package; that is not our user's. */
  #quietly(write: () => void): void {
    const production = this.#tf.env().getBool("PROD");
    this.#tf.env().set("PROD", true);
    try {
      write();
    } finally {
      this.#tf.env().set("PROD", production);
    }
  }
}
