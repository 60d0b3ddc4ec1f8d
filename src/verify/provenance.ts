import { type Json, member } from '../json.ts';
import { type Expectations, expectsAnything, meets } from './expectations.ts';
import type { Check } from './judgement.ts';

const proven = Symbol('proven');

/** Provenance whose signature and content were checked and hold: what a demand is judged by, and nothing else is. */
export interface Proof {
  /** What it is called in checks. */
  readonly name: string;
  readonly statement: Json;
  /** Kept to this file, so that nothing else can be taken for provenance. */
  readonly [proven]: true;
}

/** The provenance in a payload whose checks all hold; other statements, such as cosign's in a bundle, prove none. */
export function provenanceIn(name: string, statement: Json | undefined): Proof | undefined {
  const type = member(statement, 'predicateType');
  const isProvenance = typeof type === 'string' && type.startsWith('https://slsa.dev/provenance/');
  return statement !== undefined && isProvenance ? { name, statement, [proven]: true } : undefined;
}

/** A check for each demand on each piece of provenance; one that fails where something is demanded and nothing is proven. */
export function demanded(provenance: readonly Proof[], expected: Expectations): readonly Check[] {
  if (!expectsAnything(expected)) return [];
  if (provenance.length === 0) {
    return [
      {
        name: 'provenance',
        ok: false,
        reason: 'there is no provenance that could say what is expected of it',
      },
    ];
  }
  return provenance.flatMap((one) =>
    meets(one.statement, expected).map(([what, { ok, reason }]) => ({
      name: `${one.name} ${what}`,
      ok,
      reason,
    })),
  );
}

/** Whether provenance says all that is demanded. */
export function meetsAll(provenance: Proof, expected: Expectations): boolean {
  return demanded([provenance], expected).every(({ ok }) => ok);
}
