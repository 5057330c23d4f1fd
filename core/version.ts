import { readFileSync } from 'node:fs';

/** This package's version; compiled to dist/core, so package.json is two up. */
export const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};
