// A growing array of bytes with what the binary format of WebAssembly is written in: LEB128 numbers, names, and parts
// that stand behind their own size. Knows nothing of instructions.

const utf8 = new TextEncoder();

export class ByteWriter {
  #bytes = new Uint8Array(1 << 12);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  byte(x: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = x;
  }

  /** Unsigned LEB128. */
  u32(x: number): void {
    let rest = x >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Signed LEB128; ends where the remaining bits all equal the sign bit of the byte just written. */
  s32(x: number): void {
    let rest = x | 0;
    while (rest < -0x40 || rest >= 0x40) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  f32(x: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.#length, x, true);
    this.#length += 4;
  }

  /** One byte, or a prefix byte and a LEB128 number: `0xPP_NNNN`. */
  opcode(code: number): void {
    if (code < 0x100) {
      this.byte(code);
    } else {
      this.byte(code >> 16);
      this.u32(code & 0xffff);
    }
  }

  name(text: string): void {
    const bytes = utf8.encode(text);
    this.u32(bytes.length);
    this.#append(bytes);
  }

  append(other: ByteWriter): void {
    this.#append(other.#bytes.subarray(0, other.#length));
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** What `write` writes, behind its size; moved once, since the size of the size is known only afterwards. */
  sized(write: () => void): void {
    const start = this.#length;
    write();
    const end = this.#length;
    this.u32(end - start);
    const prefix = this.#bytes.slice(end, this.#length);
    this.#bytes.copyWithin(start + prefix.length, start, end);
    this.#bytes.set(prefix, start);
  }

  section(id: number, write: () => void): void {
    this.byte(id);
    this.sized(write);
  }

  /** Forgets everything written, keeps the room. */
  clear(): void {
    this.#length = 0;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}
