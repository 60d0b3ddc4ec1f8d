import type { Backoff } from './backoff.ts';
import type { SweepPace } from './sweep.ts';

/** Times that tests shorten. */
export interface ControllerPace {
  readonly sweep?: SweepPace;
  readonly backoff?: Backoff;
  /** Milliseconds of silence after which a watch is taken for dead. */
  readonly silence?: number;
  /** Milliseconds between two looks at the folder of the Secret. */
  readonly secrets?: number;
}
