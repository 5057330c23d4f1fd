/** Reads of boxes out of files, on native threads of their own: neither libuv's threads nor the kernels' wait for a disk. */
import { getSystemErrorMap } from 'node:util';
import { addon } from './index.js';
import { onAbort } from './onAbort.js';

/** A box of bytes in a file: `planes` x `rows` x `rowBytes`, at strides both in the file and in memory. */
export interface FileBox {
  /** Where its first byte is in the file. */
  readonly offsetBytes: number;
  readonly planes: number;
  readonly rows: number;
  readonly rowBytes: number;
  /** From one plane, and from one row, to the next in the file. */
  readonly planeStrideBytes: number;
  readonly rowStrideBytes: number;
  /** Where it goes in the array that is filled. Default: packed, from the array's start. */
  readonly into?: {
    readonly offsetBytes: number;
    readonly planeStrideBytes: number;
    readonly rowStrideBytes: number;
  };
}

/** What one read takes out of a file. */
export interface StridedLayout {
  /** Read one after another. */
  readonly boxes: readonly FileBox[];
  /** Whether the two bytes of each 16-bit value change places. */
  readonly swap16?: boolean;
}

interface ReadAddon {
  /** Resolves to status, errno, the byte where it stopped, the byte it wanted to reach. */
  readBoxes(
    ticket: number,
    fd: number,
    boxes: Float64Array,
    into: ArrayBufferView,
    swap16: boolean,
  ): Promise<Float64Array>;
  stopRead(ticket: number): void;
}
const { readBoxes, stopRead } = addon as unknown as ReadAddon;

/** The values of `ReadResult::Status` in native/runtime/file_reader.h. */
const Status = { done: 0, stopped: 1, ended: 2, failed: 3 } as const;

let tickets = 0;
let pending = 0;
let idle: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

/**
 * Fills `into` from a file, by as few system calls as the layout allows.
 *
 * `into` is a Uint8Array, Uint16Array or Float32Array, over shared memory too; it is kept alive until the promise settles,
 * and nothing is written into it afterwards. The file must stay open for as long. Resolves when all bytes are there; rejects
 * with the signal's reason once that is aborted, with an error whose message says what the system or the file's end
 * made of it (without the file's name, which the caller knows), or at once with a RangeError for boxes outside `into`.
 */
export async function readStrided(
  fd: number,
  layout: StridedLayout,
  into: Uint8Array | Uint16Array | Float32Array,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const ticket = ++tickets >>> 0;
  const settled = readBoxes(ticket, fd, numbersOf(layout.boxes), into, layout.swap16 ?? false);
  const forget = signal && onAbort(signal, () => stopRead(ticket));
  pending++;
  try {
    const [status, errno, at, wanted] = await settled;
    signal?.throwIfAborted();
    if (status === Status.ended) throw new Error(`ends at byte ${at}, expected at least ${wanted} bytes`);
    if (status === Status.failed) throw new Error(`cannot be read at byte ${at}: ${describeErrno(errno ?? 0)}`);
  } finally {
    forget?.();
    pending--;
    if (pending === 0) {
      idle?.resolve();
      idle = undefined;
    }
  }
}

/** How many reads have not settled yet. */
export function pendingReads(): number {
  return pending;
}

/** Resolves once no read is under way: no native thread writes into any array that was passed here. */
export function readsIdle(): Promise<void> {
  if (pending === 0) return Promise.resolve();
  if (!idle) {
    let resolve = () => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    idle = { promise, resolve };
  }
  return idle.promise;
}

/** Nine numbers a box, in the order of `FileBox` in native/runtime/file_reader.h. */
function numbersOf(boxes: readonly FileBox[]): Float64Array {
  const numbers = new Float64Array(9 * boxes.length);
  boxes.forEach(({ offsetBytes, planes, rows, rowBytes, planeStrideBytes, rowStrideBytes, into }, at) => {
    const to = into ?? { offsetBytes: 0, planeStrideBytes: rows * rowBytes, rowStrideBytes: rowBytes };
    numbers.set([offsetBytes, planes, rows, rowBytes, planeStrideBytes, rowStrideBytes], 9 * at);
    numbers.set([to.offsetBytes, to.planeStrideBytes, to.rowStrideBytes], 9 * at + 6);
  });
  return numbers;
}

function describeErrno(errno: number): string {
  const [name, words] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, 'unknown error'];
  return `${name}, ${words}`;
}
