// Amounts of memory as text: `64MB` is read, `61.0 MiB` is shown.

const decimal = ["B", "kB", "MB", "GB", "TB"];
const binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Units that are read; their letters may be of either case. */
export const byteUnits: readonly string[] = ["B", "kB", "MB", "GB", "KiB", "MiB", "GiB"];

/** A number with a unit, as whole bytes; null where it is none, or nothing. */
export function readBytes(text: string): number | null {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([a-z]+)$/i.exec(text.trim()) ?? [];
  const known = byteUnits.find(one => one.toLowerCase() === unit.toLowerCase());
  if (known === undefined) return null;
  const power = decimal.indexOf(known);
  const factor = power >= 0 ? 1000 ** power : 1024 ** binary.indexOf(known);
  const bytes = Math.floor(Number(digits) * factor);
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : null;
}

/** With one digit after the point; rounded up where it says what is enough. */
export function formatBytes(size: number, rounding: "nearest" | "up" = "nearest"): string {
  const power = size < 1024 ? 0 : Math.min(binary.length - 1, Math.floor(Math.log2(size) / 10));
  if (power === 0) return `${size} B`;
  const amount = size / 1024 ** power;
  return `${(rounding === "up" ? Math.ceil(amount * 10) / 10 : amount).toFixed(1)} ${binary[power]}`;
}
