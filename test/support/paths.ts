import { fileURLToPath } from 'node:url';

/** A path in the repository; tests run from dist/test, whatever the working directory. */
export function inProject(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

/** The compiled command. */
export const COMMAND = inProject('dist/cli/main.js');

/** The crop of a real brain that the repository ships. */
export const MINI = inProject('examples/data/mini');
