// What of tfjs-node's interface is used here, declared by hand: the package is optional, so its own types may be
// missing. The binding is tfjs-node's addon: TensorFlow's eager ops by name, on tensors that have numbers.

/** What the binding calls tensors: keys of a table, valid until `deleteTensor`. */
export type TensorId = number;

export type NativeValues = Float32Array | Int32Array | Uint8Array;

/** An attribute of an op; `type` is one of the binding's TF_ATTR_ constants, and says what `value` must be. */
export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean | string | readonly number[];
}

export interface OpOutput {
  readonly id: TensorId;
  readonly shape: readonly number[];
  /** One of the binding's TF_ constants. */
  readonly dtype: number;
}

export interface Binding {
  readonly TF_Version: string;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_INT64: number;
  readonly TF_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_STRING: number;
  /** Shares the memory of `values` with TensorFlow: they must not change while the tensor is there. */
  createTensor(shape: readonly number[], dtype: number, values: NativeValues): TensorId;
  deleteTensor(id: TensorId): void;
  /** A copy. */
  tensorDataSync(id: TensorId): NativeValues;
  executeOp(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly TensorId[],
    outputs: number,
  ): readonly OpOutput[];
  /** A session of a SavedModel's graph; `tags` say which of its graphs. */
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(id: number): void;
  /** Inputs and outputs by the names of tensors, `name:0`, with commas between. */
  runSavedModel(
    id: number,
    inputs: readonly TensorId[],
    inputNames: string,
    outputNames: string,
  ): readonly OpOutput[];
  getNumOfTensors(): number;
  getNumOfSavedModels(): number;
}

export interface TfjsTensor {
  readonly shape: readonly number[];
  dataSync(): NativeValues;
  dispose(): void;
}

/** The module `@tensorflow/tfjs-node`: all of tfjs, with a backend named `tensorflow`. */
export interface TfjsNode {
  readonly version: Readonly<Record<string, string>>;
  getBackend(): string;
  setBackend(name: string): Promise<boolean>;
  tensor2d(values: readonly (readonly number[])[]): TfjsTensor;
  matMul(a: TfjsTensor, b: TfjsTensor): TfjsTensor;
}
