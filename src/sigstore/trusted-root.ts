import { TrustedRoot as TrustedRootMessage } from '@sigstore/protobuf-specs';
import { toTrustMaterial, type TrustMaterial } from '@sigstore/verify';
import { ChainsError, reasonOf } from '../errors.ts';
import { isJsonObject, parseBounded, textIn } from '../json.ts';

/** The kinds of service whose answers a trusted root verifies. */
export type ServiceKind = 'certificate authority' | 'transparency log' | 'timestamp server';

/** Whose certificates, logs and timestamps are trusted (sigstore_trustroot.proto). */
export interface TrustedRoot {
  readonly material: TrustMaterial;
  /** Whether it has any service of this kind. */
  has(kind: ServiceKind): boolean;
  /** The addresses of the transparency logs. */
  readonly logs: readonly string[];
}

const mediaType = /^application\/vnd\.dev\.sigstore\.trustedroot(\+json;version=0\.1|\.v0\.[12]\+json)$/;

/** Reads a `trusted_root.json`. @param name for messages @throws ChainsError TRUSTED_ROOT_INVALID */
export function parseTrustedRoot(text: string, name: string): TrustedRoot {
  try {
    const json = parseBounded(text);
    if (!isJsonObject(json) || !mediaType.test(textIn(json['mediaType'])))
      throw new Error('it does not have the media type of a trusted root');
    const message = TrustedRootMessage.fromJSON(json);
    refuseWithoutStart(message);
    // No signers' keys are needed, since signatures are verified elsewhere.
    const material = toTrustMaterial(message, {});
    const parts: Readonly<Record<ServiceKind, number>> = {
      'certificate authority': material.certificateAuthorities.length,
      'transparency log': material.tlogs.length,
      'timestamp server': material.timestampAuthorities.length,
    };
    return { material, has: (kind) => parts[kind] > 0, logs: message.tlogs.map(({ baseUrl }) => baseUrl) };
  } catch (error) {
    throw new ChainsError('TRUSTED_ROOT_INVALID', `${name} can't be used: ${reasonOf(error)}`);
  }
}

/** The library takes an interval without a start for one that has always been valid. */
function refuseWithoutStart(root: TrustedRootMessage): void {
  const intervals = [
    ...[...root.tlogs, ...root.ctlogs].map(({ publicKey }) => publicKey?.validFor),
    ...[...root.certificateAuthorities, ...root.timestampAuthorities].map(({ validFor }) => validFor),
  ];
  if (intervals.some((interval) => interval !== undefined && interval.start === undefined))
    throw new Error('the time in which one of its keys is valid has no beginning');
}
