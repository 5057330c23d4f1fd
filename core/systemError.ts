import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

/** The words for an error of the operating system, without the call and the path that Node puts into its message. */
export function describeSystemError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, errno } = error as NodeJS.ErrnoException;
  if (code === undefined) return error.message;
  // A network file system's own error, for which Node has neither a name nor words.
  if (errno !== undefined && errno === -constants.errno.ESTALE) return 'stale file handle (ESTALE)';
  const words = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1];
  return words === undefined ? `${code}, ${error.message}` : `${words} (${code})`;
}
