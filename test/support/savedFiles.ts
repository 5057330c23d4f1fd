/** Images that two runs save, each in files of its own, to be compared byte by byte. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type ImageVoxels, npyVolume } from '../../index.js';
import type { SavedName, Saves } from './detect.js';
import { readLabels, readNpy } from './npy.js';

type Run = 'split' | 'whole';

export class SavedFiles {
  private constructor(
    private readonly names: readonly SavedName[],
    private readonly folder: string,
  ) {}

  static async open(names: readonly SavedName[]): Promise<SavedFiles> {
    return new SavedFiles(names, names.length === 0 ? '' : await mkdtemp(join(tmpdir(), 'somaflow-saved-')));
  }

  /** Where a run saves them. */
  of(run: Run): Saves {
    return Object.fromEntries(this.names.map((name) => [name, npyVolume(this.path(name, run))]));
  }

  /** What is wrong with the files, of which the runs have to be done; they are removed. */
  async problems(right: (name: SavedName) => ImageVoxels): Promise<Record<string, string>> {
    const wrong: Record<string, string> = {};
    for (const name of this.names) {
      const [split, whole] = [await readFile(this.path(name, 'split')), await readFile(this.path(name, 'whole'))];
      if (!split.equals(whole)) wrong[`${name}, saved`] = 'has other bytes than from one block';
      const { data } = await (name === 'shape' ? readLabels : readNpy)(this.path(name, 'whole'));
      if (!isDeepStrictEqual(data, right(name)))
        wrong[`${name}, saved from one block`] = 'is not the image that the block gives';
    }
    if (this.folder !== '') await rm(this.folder, { recursive: true });
    return wrong;
  }

  private path(name: SavedName, run: Run): string {
    return join(this.folder, `${name}.${run}.npy`);
  }
}
