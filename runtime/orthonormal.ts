// An orthonormal factor of a matrix, by Householder reflections (Golub & Van Loan, section 5.2), in float64. Of a
// matrix of independent normals it is uniformly distributed (Mezzadri 2007, where the signs are explained).

/**
 * The orthonormal factor of `matrix` [rows, columns]: columns orthonormal where rows >= columns, else rows.
 * The signs are those for which R has a positive diagonal.
 */
export function orthonormal(matrix: Float64Array, rows: number, columns: number): Float64Array {
  if (rows >= columns) return orthonormalColumns(matrix, rows, columns);
  return transpose(orthonormalColumns(transpose(matrix, rows, columns), columns, rows), columns, rows);
}

function orthonormalColumns(matrix: Float64Array, rows: number, columns: number): Float64Array {
  // Columns lie together: [columns, rows].
  const a = transpose(matrix, rows, columns);
  const reflections = Array.from({ length: columns }, (_, k) => reflect(a, rows, columns, k));
  // Q is the reflections, last to first, applied to the first columns of the identity.
  const q = new Float64Array(columns * rows);
  for (let k = 0; k < columns; k++) q[k * rows + k] = 1;
  for (let k = columns - 1; k >= 0; k--) {
    for (let j = k; j < columns; j++) apply(reflections[k]!.normal, q, j * rows, k);
  }
  for (let j = 0; j < columns; j++) {
    const { sign } = reflections[j]!;
    for (let i = 0; i < rows; i++) q[j * rows + i]! *= sign;
  }
  return transpose(q, columns, rows);
}

/**
 * Makes column k of `a` zero below the diagonal and applies the same reflection to the columns after it.
 * Returns the unit normal of the mirror, from row k on, and the sign that R's diagonal got.
 */
function reflect(
  a: Float64Array,
  rows: number,
  columns: number,
  k: number,
): { normal: Float64Array; sign: number } {
  const normal = a.slice(k * rows + k, (k + 1) * rows);
  const length = norm(normal);
  // Away from the column's own direction, so that nothing cancels; R's diagonal becomes -sign * length.
  const sign = normal[0]! >= 0 ? 1 : -1;
  normal[0]! += sign * length;
  const scale = norm(normal);
  if (scale > 0) for (let i = 0; i < normal.length; i++) normal[i]! /= scale;
  for (let j = k; j < columns; j++) apply(normal, a, j * rows, k);
  return { normal, sign: -sign };
}

/** x - 2 n (n . x) for the column that starts at `start`, from row k on. */
function apply(normal: Float64Array, columns: Float64Array, start: number, k: number): void {
  const from = start + k;
  let dot = 0;
  for (let i = 0; i < normal.length; i++) dot += normal[i]! * columns[from + i]!;
  for (let i = 0; i < normal.length; i++) columns[from + i]! -= 2 * dot * normal[i]!;
}

function norm(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

function transpose(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j]!;
  return result;
}
