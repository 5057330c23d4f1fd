import { Observable } from 'rxjs';
import type { AnyBlock, Block, Result } from './block.js';
import { branchesOf } from './branches.js';
import { MOST_COMPONENT_VOXELS } from './cells.js';
import { type DriveOptions, driver } from './drive.js';
import { OptionError } from './errors.js';
import type { RunRecord } from './runRecord.js';

/**
 * Runs a pipeline that only saves images: blocks in, one record of the run out, once all that its `save` steps ask for is stored.
 *
 * Works as `cells` does, without looking for any, unless their shapes are saved. Unsubscribing stops reads and native work and leaves nothing of the files.
 *
 * @throws {OptionError} at once, if an option is out of range; in the stream, if no step saves
 * @throws {BudgetError} in the stream, before the first read, if a block can never fit the memory
 * @throws {BlockError} in the stream, if a source or a step fails, naming the region
 * @example await lastValueFrom(blocks(volume).pipe(removeBackground(), save('background', npyVolume('background.npy')), run()))
 */
export function run(
  options: DriveOptions = {},
): <Has extends Result>(blocks: Observable<Block<Has>>) => Observable<RunRecord> {
  const drive = driver('run', options);
  return (source) =>
    new Observable((subscriber) =>
      drive(source as Observable<AnyBlock>, subscriber, {
        options: { order: 'index', maxComponentVoxels: MOST_COMPONENT_VOXELS, wanted: 'saves', columns: [] },
        volumeColumn: true,
        check: ({ plans }) => {
          const saves = [...branchesOf(plans).values()].flat().some(({ name }) => name === 'save');
          if (!saves) throw new OptionError('run', 'the pipeline', 'one with a save step', 'none');
        },
        next: () => {},
        done: (run) => {
          subscriber.next(run.record());
          subscriber.complete();
        },
      }),
    );
}
