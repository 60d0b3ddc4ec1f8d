/** Whether something holds, and why or why not. */
export interface Finding {
  readonly ok: boolean;
  readonly reason: string;
  /** What a reader should know although it holds: what was not compared, what changed without meaning. */
  readonly notes?: readonly string[];
}

/** One thing that was looked at. */
export interface Check {
  /** `taskrun signature` */
  readonly name: string;
  readonly ok: boolean;
  readonly reason: string;
}

/** A judgement that something doesn't hold. */
export function no(reason: string): Finding {
  return { ok: false, reason };
}
