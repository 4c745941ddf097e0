// @ts-check
/** What differs between two texts, line by line. */

/** @typedef {{ same: boolean, left: readonly string[], right: readonly string[] }} Hunk */

/** So many differing lines are looked for one by one; beyond, everything in between counts as changed. */
const MOST = 800;

/** @param {string} one @param {string} other @returns {Hunk[]} */
export function diffLines(one, other) {
  const [left, right] = [one.split("\n"), other.split("\n")];
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let [leftEnd, rightEnd] = [left.length, right.length];
  while (leftEnd > start && rightEnd > start && left[leftEnd - 1] === right[rightEnd - 1]) {
    leftEnd--;
    rightEnd--;
  }
  /** @type {Hunk[]} */
  const hunks = [];
  /** @param {boolean} same @param {readonly string[]} before @param {readonly string[]} after */
  const add = (same, before, after) => {
    if (before.length + after.length > 0) hunks.push({ same, left: before, right: after });
  };
  add(true, left.slice(0, start), right.slice(0, start));
  let [at, to] = [start, start];
  for (const [x, y, size] of matches(left.slice(start, leftEnd), right.slice(start, rightEnd))) {
    add(false, left.slice(at, start + x), right.slice(to, start + y));
    add(true, left.slice(start + x, start + x + size), right.slice(start + y, start + y + size));
    [at, to] = [start + x + size, start + y + size];
  }
  add(false, left.slice(at, leftEnd), right.slice(to, rightEnd));
  add(true, left.slice(leftEnd), right.slice(rightEnd));
  return hunks;
}

/**
 * Runs of equal lines, by Myers' algorithm: the fewest lines differ.
 * @param {readonly string[]} left
 * @param {readonly string[]} right
 * @returns {(readonly [x: number, y: number, size: number])[]}
 */
function matches(left, right) {
  const most = Math.min(MOST, left.length + right.length);
  /** @type {Int32Array[]} */
  const trace = [];
  const furthest = new Int32Array(2 * most + 3);
  const middle = most + 1;
  const at = (/** @type {number} */ k) => furthest[middle + k] ?? 0;
  for (let edits = 0; edits <= most; edits++) {
    trace.push(furthest.slice());
    for (let k = -edits; k <= edits; k += 2) {
      let x = k === -edits || (k !== edits && at(k - 1) < at(k + 1)) ? at(k + 1) : at(k - 1) + 1;
      let y = x - k;
      while (x < left.length && y < right.length && left[x] === right[y]) {
        x++;
        y++;
      }
      furthest[middle + k] = x;
      if (x >= left.length && y >= right.length) return back(trace, left.length, right.length, middle);
    }
  }
  return [];
}

/** @param {readonly Int32Array[]} trace @param {number} x @param {number} y @param {number} middle */
function back(trace, x, y, middle) {
  /** @type {[number, number, number][]} */
  const runs = [];
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const furthest = /** @type {Int32Array} */ (trace[edits]);
    const at = (/** @type {number} */ k) => furthest[middle + k] ?? 0;
    const k = x - y;
    const down = k === -edits || (k !== edits && at(k - 1) < at(k + 1));
    const before = edits === 0 ? 0 : at(down ? k + 1 : k - 1);
    const startX = edits === 0 ? 0 : down ? before : before + 1;
    const size = x - startX;
    if (size > 0) runs.unshift([startX, startX - k, size]);
    x = before;
    y = before - (edits === 0 ? 0 : down ? k + 1 : k - 1);
  }
  return runs;
}

/**
 * The part of two lines that differs: what they begin and end with alike is left out.
 * @param {string} one
 * @param {string} other
 * @returns {readonly [start: number, oneEnd: number, otherEnd: number]}
 */
export function differing(one, other) {
  let start = 0;
  while (start < one.length && start < other.length && one[start] === other[start]) start++;
  let [end, otherEnd] = [one.length, other.length];
  while (end > start && otherEnd > start && one[end - 1] === other[otherEnd - 1]) {
    end--;
    otherEnd--;
  }
  return [start, end, otherEnd];
}
