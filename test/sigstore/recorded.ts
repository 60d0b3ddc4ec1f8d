import { readFileSync } from 'node:fs';
import { isJsonObject, type Json, type JsonObject, listAt, parseJson } from '../../src/json.ts';
import type { Transparency } from '../../src/model/signature.ts';
import { bundleFrom, transparencyIn } from '../../src/sigstore/bundle.ts';
import { parseTrustedRoot, type TrustedRoot } from '../../src/sigstore/trusted-root.ts';

/** A signature with what was confirmed of it; `test/servers/record-evidence.ts` made them. */
export interface RecordedCase {
  readonly name: string;
  readonly payload: Buffer;
  /** An envelope, or the signature itself. */
  readonly signature: Buffer;
  /** PEM; empty for a key of our own. */
  readonly certificate: string;
  readonly transparency: Transparency;
  /** The whole as a Sigstore bundle. */
  readonly bundle: JsonObject;
}

const recorded: {
  readonly trustedRoot: Json;
  readonly publicKey: string;
  readonly identity: string;
  readonly issuer: string;
  readonly cases: readonly {
    readonly name: string;
    readonly payload: string;
    readonly signature: string;
    readonly certificate: string;
    readonly evidence: JsonObject;
  }[];
} = JSON.parse(readFileSync(new URL('evidence.json', import.meta.url), 'utf8'));

/** The key of our own that signed, the certificates' identity, and its issuer. */
export const { publicKey, identity, issuer } = recorded;

/** The trusted root of the Sigstore that confirmed them, with parts of it changed. */
export function recordedRoot(changes: JsonObject = {}): TrustedRoot {
  const root = isJsonObject(recorded.trustedRoot) ? recorded.trustedRoot : {};
  return parseTrustedRoot(JSON.stringify({ ...root, ...changes }), 'the recorded root');
}

/** The same as JSON, with its logs. */
export const recordedTrustedRoot = { tlogs: listAt(recorded.trustedRoot, 'tlogs') };

/** All of them: each kind of key, log and payload. */
export const recordedCases: readonly RecordedCase[] = recorded.cases.map(
  ({ name, payload: payloadText, signature: signatureText, certificate, evidence }) => {
    const [payload, signature] = [Buffer.from(payloadText, 'base64'), Buffer.from(signatureText, 'base64')];
    const transparency = transparencyIn(evidence) ?? { logEntries: [], timestamps: [] };
    const parts = { payload, signature, isEnvelope: signature[0] === 0x7b, transparency, hint: '' };
    const bundle = bundleFrom({ ...parts, certificate: certificate || undefined, digest: 'sha256' });
    return { name, payload, signature, certificate, transparency, bundle };
  },
);

/** A JSON value with the one at this path changed. */
export function changed(
  json: Json | undefined,
  path: readonly (string | number)[],
  change: (value: Json) => Json | undefined,
): Json | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return change(json ?? null);
  if (Array.isArray(json))
    return json.map((item: Json, index) => (index === key ? (changed(item, rest, change) ?? null) : item));
  const object = isJsonObject(json) ? json : parseJson('{}');
  return {
    ...(isJsonObject(object) ? object : {}),
    [key]: changed(isJsonObject(json) ? json[key] : null, rest, change),
  };
}
