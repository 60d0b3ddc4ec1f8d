import { quote } from '../extract/quote.ts';
import { type Json, member } from '../model/json.ts';
import type { Judgement } from './content.ts';
import { readJson } from './content.ts';
import { signedMessage } from './envelope.ts';
import { type Expectations, expectsAnything, meets } from './expectations.ts';
import type { VerificationKey } from './key.ts';
import { keyOfCertificate } from './public-key.ts';
import { isStatement } from './statement.ts';

/** One thing that was looked at. */
export interface Check {
  /** `taskrun signature` */
  readonly name: string;
  readonly ok: boolean;
  readonly reason: string;
}

/** Whether everything that had to hold does. */
export interface Verification {
  readonly verified: boolean;
  /** In the order in which they were made; what follows a failed one and makes no sense then is left out. */
  readonly checks: readonly Check[];
  /** The statements whose checks all hold, for whoever wants to read them. */
  readonly statements: readonly Json[];
}

/** What verifying needs beside what is verified. */
export interface VerificationOptions {
  /** Any one of them will do. */
  readonly keys: readonly VerificationKey[];
  readonly expected: Expectations;
}

/** A payload with its signature, as a store gave them. */
export interface Stored {
  /** What it is called in checks: `taskrun-<uid>`, `image signature`. */
  readonly name: string;
  readonly payload: Uint8Array;
  /** A DSSE envelope, or the signature itself. */
  readonly signature: Uint8Array;
  /** PEM, where one is stored beside it; empty is none. */
  readonly certificate?: string | undefined;
  /** Where it was, if that is to be told. */
  readonly place?: string;
}

/** What must hold of a payload's content; a name and a judgement each. */
export type ContentChecks = (payload: Uint8Array) => readonly (readonly [string, Judgement])[];

/** What was found of one payload: its checks, and the statement in it where all of them hold. */
export interface Checked {
  readonly checks: readonly Check[];
  readonly statement: Json | undefined;
}

/** Checks the signature, then the content, then what is expected of provenance. */
export async function checkStored(
  { name, payload, signature, certificate = '', place }: Stored,
  { keys, expected }: VerificationOptions,
  contentChecks: ContentChecks,
): Promise<Checked> {
  const where = place === undefined ? '' : ` at ${place}`;
  const reason = `a payload of ${payload.length} bytes and a signature of ${signature.length}${where}`;
  const read = readJson(payload);
  const statement = read !== undefined && isStatement(read.json) ? read.json : undefined;
  const checks = [
    { name: `${name} stored`, ok: true, reason },
    { name: `${name} signature`, ...(await isSigned(payload, signature, keys)) },
    ...(certificate === ''
      ? []
      : [{ name: `${name} certificate`, ...(await isOfCertificate(payload, signature, certificate)) }]),
    ...[
      ...contentChecks(payload),
      ...(isProvenance(statement) ? meets(statement ?? null, expected) : []),
    ].map(([what, judgement]) => ({ name: `${name} ${what}`, ...judgement })),
  ];
  return { checks, statement: checks.every(({ ok }) => ok) ? statement : undefined };
}

/** Puts checks together; where provenance must say something, there must be some. */
export function verificationOf(parts: readonly Checked[], expected: Expectations): Verification {
  const statements = parts.flatMap(({ statement }) => (statement === undefined ? [] : [statement]));
  const checks = parts.flatMap((part) => part.checks);
  const lacking: readonly Check[] =
    expectsAnything(expected) && statements.length === 0 && checks.every(({ ok }) => ok)
      ? [
          {
            name: 'provenance',
            ok: false,
            reason: 'there is no provenance that could say what is expected of it',
          },
        ]
      : [];
  const all = [...checks, ...lacking];
  return { verified: all.length > 0 && all.every(({ ok }) => ok), checks: all, statements };
}

/** Of several entries about one thing, by whomever, one that holds is enough; only what holds is told then. */
export function verificationOfAny(parts: readonly Checked[], expected: Expectations): Verification {
  const good = parts.filter(({ checks }) => checks.every(({ ok }) => ok));
  const enough = expectsAnything(expected) ? good.filter(({ statement }) => isProvenance(statement)) : good;
  if (enough.length > 0) return verificationOf(good, {});
  const none = {
    name: 'signed',
    ok: false,
    reason: parts.length === 0 ? 'nothing signed was found' : lacks(good),
  };
  return { verified: false, checks: [...parts.flatMap(({ checks }) => checks), none], statements: [] };
}

function lacks(good: readonly Checked[]): string {
  return good.length === 0
    ? 'nothing that was found is signed by these keys and speaks of it'
    : 'there is no provenance that could say what is expected of it';
}

function isProvenance(statement: Json | undefined): boolean {
  return String(member(statement, 'predicateType')).startsWith('https://slsa.dev/provenance/');
}

async function isSigned(
  payload: Uint8Array,
  stored: Uint8Array,
  keys: readonly VerificationKey[],
): Promise<Judgement> {
  const signed = signedMessage(payload, stored);
  if (typeof signed === 'string') return { ok: false, reason: signed };
  const reasons: string[] = [];
  for (const key of keys) {
    const isNamed = signed.keyId === '' || key.keyIds.includes(signed.keyId);
    const why = isNamed
      ? await key.check(signed.message, signed.signature)
      : `is not the key that the envelope names, ${quote(signed.keyId)}`;
    if (why === undefined) return { ok: true, reason: `the payload is signed by ${key.id}` };
    reasons.push(`${key.id} ${why}`);
  }
  return { ok: false, reason: reasons.join('; ') };
}

/** The certificate beside a signature must be of the key that made it; who issued it, and when, is for whoever trusts it. */
async function isOfCertificate(
  payload: Uint8Array,
  stored: Uint8Array,
  certificate: string,
): Promise<Judgement> {
  const signed = signedMessage(payload, stored);
  const key = keyOfCertificate(certificate);
  if (typeof signed === 'string' || key === undefined)
    return { ok: false, reason: 'the certificate that is stored beside it can’t be read' };
  const why = await key.check(signed.message, signed.signature);
  return why === undefined
    ? { ok: true, reason: 'the certificate is of the key that signed' }
    : { ok: false, reason: `the key of the certificate that is stored beside it, ${key.id}, ${why}` };
}
