/** Reads of boxes out of files, on native threads of their own: neither libuv's threads nor the kernels' wait for a disk. */
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { addon } from './index.js';
import { onAbort } from './onAbort.js';

/** How a voxel may be stored. In memory a bool is a uint8 of 0 or 1, and an int16 or uint32 is a uint16. */
export const storedTypes = ['uint8', 'bool', 'uint16', 'int16', 'uint32', 'float32'] as const;
export type StoredType = (typeof storedTypes)[number];

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
  /** What the bytes are. Default: uint8. */
  readonly type?: StoredType;
  /** Whether the file's byte order is not the machine's. Default: false. */
  readonly swapped?: boolean;
}

/** A read that the system refused; `code`, `errno` (negative, as Node has it) and `syscall` say how. */
export class ReadError extends Error implements NodeJS.ErrnoException {
  readonly syscall = 'read';
  readonly code: string;
  readonly errno: number;
  constructor(
    errno: number,
    /** The byte of the file that could not be read. */
    readonly atByte: number,
  ) {
    const code = nameOf(errno);
    super(`cannot be read at byte ${atByte}: ${code}`);
    this.code = code;
    this.errno = -errno;
  }
}

/** A value that was read and is no uint16. */
export class ValueError extends Error {
  constructor(
    /** Which element of `into` it was to be. */
    readonly index: number,
    readonly value: number,
  ) {
    super(`value ${index} is ${value}, expected 0..65535`);
  }
}

interface ReadAddon {
  /** Resolves to status, errno, where it stopped, what it stopped at: `ReadResult` in native/runtime/file_reader.h. */
  readBoxes(
    ticket: number,
    fd: number,
    boxes: Float64Array,
    into: ArrayBufferView,
    type: number,
    swapped: boolean,
  ): Promise<Float64Array>;
  stopRead(ticket: number): void;
}
const { readBoxes, stopRead } = addon as unknown as ReadAddon;

/** The values of `ReadResult::Status` in native/runtime/file_reader.h. */
const Status = { done: 0, stopped: 1, ended: 2, failed: 3, outside: 4 } as const;

let tickets = 0;
let pending = 0;
let idle: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

/**
 * Fills `into` from a file, by as few system calls as the layout allows.
 *
 * `into` is a Uint8Array, Uint16Array or Float32Array, over shared memory too; it is kept alive until the promise settles,
 * and nothing is written into it afterwards. The file must stay open for as long. Resolves when all voxels are there; rejects
 * with the signal's reason once that is aborted, with an error whose message says what the system or the file's end
 * made of it (without the file's name, which the caller knows), with a `ReadError` or a `ValueError`, or at once with a
 * RangeError for boxes outside `into`, boxes of broken values and memory that is not aligned for them.
 */
export async function readStrided(
  fd: number,
  layout: StridedLayout,
  into: Uint8Array | Uint16Array | Float32Array,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const ticket = ++tickets >>> 0;
  const { boxes, type = 'uint8', swapped = false } = layout;
  const numbers = numbersOf(boxes, type === 'uint32' ? 2 : 1);
  const settled = readBoxes(ticket, fd, numbers, into, storedTypes.indexOf(type), swapped);
  const forget = signal && onAbort(signal, () => stopRead(ticket));
  pending++;
  try {
    const [status, errno = 0, at = 0, subject = 0] = await settled;
    signal?.throwIfAborted();
    if (status === Status.ended) throw new Error(`ends at byte ${at}, expected at least ${subject} bytes`);
    if (status === Status.failed) throw new ReadError(errno, at);
    if (status === Status.outside) throw new ValueError(at, subject);
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
function numbersOf(boxes: readonly FileBox[], narrowing: number): Float64Array {
  const numbers = new Float64Array(9 * boxes.length);
  boxes.forEach(({ offsetBytes, planes, rows, rowBytes, planeStrideBytes, rowStrideBytes, into }, at) => {
    const row = rowBytes / narrowing;
    const to = into ?? { offsetBytes: 0, planeStrideBytes: rows * row, rowStrideBytes: row };
    numbers.set([offsetBytes, planes, rows, rowBytes, planeStrideBytes, rowStrideBytes], 9 * at);
    numbers.set([to.offsetBytes, to.planeStrideBytes, to.rowStrideBytes], 9 * at + 6);
  });
  return numbers;
}

/** The name of an error of the system; Node does not know all of them. */
function nameOf(errno: number): string {
  const known = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0];
  return known ?? getSystemErrorName(-errno);
}
