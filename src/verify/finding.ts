/** Whether something holds, and why or why not. */
export interface Finding {
  readonly ok: boolean;
  readonly reason: string;
  /** What a reader should know although it holds, such as what was not compared. */
  readonly notes?: readonly string[];
}

/** Findings by what they are about: `signature`, `log`. */
export type Findings = readonly (readonly [what: string, Finding])[];

/** One thing that was checked. */
export interface Check {
  /** `taskrun signature` */
  readonly name: string;
  readonly ok: boolean;
  readonly reason: string;
}

/** A finding that something holds. */
export function yes(reason: string, notes: readonly string[] = []): Finding {
  return { ok: true, reason, notes };
}

/** A finding that something doesn't hold. */
export function no(reason: string): Finding {
  return { ok: false, reason };
}

/** Findings as checks. @param prefix what their names begin with */
export function checksOf(findings: Findings, prefix = ''): readonly Check[] {
  return findings.map(([what, { ok, reason }]) => ({ name: `${prefix}${what}`, ok, reason }));
}
