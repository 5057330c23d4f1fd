import { OptionError } from './errors.js';

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
};

/** Reads a number of bytes such as `'512 MiB'`, `'2GB'` or a plain number. */
export function parseBytes(where: string, option: string, given: number | string): number {
  const refuse = () => new OptionError(where, option, "a number of bytes such as '512 MiB'", given);
  if (typeof given === 'number') {
    if (!Number.isFinite(given) || given < 1) throw refuse();
    return Math.floor(given);
  }
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(given);
  const unit = units[(match?.[2] ?? '?').toLowerCase()];
  const bytes = Math.floor(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!(bytes >= 1)) throw refuse();
  return bytes;
}

/** Writes bytes for people: `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const names = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let at = 0;
  let value = bytes;
  for (; value >= 1024 && at < names.length - 1; at++) value /= 1024;
  return `${at === 0 ? value : Number(value.toPrecision(3))} ${names[at]}`;
}
