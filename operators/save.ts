import { FIXED_IMAGES, type FixedImage, type ImageResult } from '../core/block.js';
import { noHalo } from '../core/geometry.js';
import type { ImageSink } from '../core/imageSink.js';
import { asStep } from '../core/step.js';

/**
 * Writes a step's result, whole and in its own dtype, while the run goes on: an image; of `'maxima'` a uint8 image that is 1 where a maximum
 * is, whether it lies in a shape or not, and 0 elsewhere; of `'shape'` the labels of the cells.
 *
 * Block by block, plane by plane, whatever the layout. Labels are uint32: 0 outside of cells, and inside 1 + the rank of the cell's
 * center among all cells of the volume, in z, y, x order, which the table has as the column `label` where that is asked for. They are known
 * at the end of the run, and written then. The sink is opened before the first read and gets its name once all is on disk, before
 * the last batch of cells comes. Of a region the image has the region's extent.
 *
 * @needs the result, where it is not an image that is always there; an image step that was skipped means its input
 * @adds nothing
 * @halo none
 * @throws {OptionError} in the stream, if a branching comes before `save('shape', sink)` and several branches would share the sink
 * @throws {SinkError} in the stream, if the sink cannot be opened or written
 * @example blocks(volume).pipe(removeBackground(), save('background', npyVolume('background.npy')), run())
 * @example blocks(volume).pipe(maxima(), shape(), save('shape', npyVolume('labels.npy')), cells({ columns: ['label'] }))
 */
export function save<const Name extends ImageResult | 'maxima' | 'shape'>(step: Name, sink: ImageSink) {
  const needs = (FIXED_IMAGES as readonly string[]).includes(step) ? [] : [step as Exclude<Name, FixedImage>];
  return asStep<Exclude<Name, FixedImage>, never>([
    { name: 'save', options: { step, sink }, adds: [], needs, halo: noHalo },
  ]);
}
