import type { Config, StoreName } from '../config/keys.ts';
import { ChainsError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { readEnvelope } from '../keys/dsse.ts';
import type { StoredEntry } from '../model/stored.ts';
import { bundleFrom } from '../sigstore/bundle.ts';
import { imageEntries, ownEntry } from './entries.ts';
import { parsed } from './envelope.ts';
import { openReader } from './stores.ts';
import { type VerifiedSubject, wantedOf } from './wanted.ts';

/** A stored entry as a Sigstore bundle. */
export interface ExportedBundle {
  /** KEY of behaviour.md, "A run's life". */
  readonly key: string;
  /** Whether it is of the run itself, not of an image that the run built. */
  readonly isOwn: boolean;
  readonly bundle: JsonObject;
}

/**
 * What one store has of a run and its images, as Sigstore bundles (sigstore_bundle.proto, version 0.3). Nothing is verified.
 * @throws ChainsError STORE_…, USAGE for what a bundle can't hold: PGP signatures, evidence that can't be read
 */
export async function exportBundles(
  subject: VerifiedSubject,
  store: StoreName,
  config: Config,
): Promise<readonly ExportedBundle[]> {
  const found = store === 'tekton' ? annotated(subject) : await storedIn(subject, store, config);
  return found.map(({ key, isOwn, entry }) => ({ key, isOwn, bundle: bundleOfStored(key, entry) }));
}

type Found = Pick<ExportedBundle, 'key' | 'isOwn'> & { readonly entry: Omit<StoredEntry, 'place'> };

function annotated(subject: VerifiedSubject): readonly Found[] {
  if ('gone' in subject)
    throw new ChainsError('USAGE', 'the run is gone, and its annotations with it; give another --store');
  const own = ownEntry(subject.run);
  return [...(own === undefined ? [] : [own]), ...imageEntries(subject.run)].map((one) => {
    const { key, stored } = one;
    if (typeof stored !== 'string') return { key, isOwn: one === own, entry: stored };
    throw new ChainsError(
      'USAGE',
      `the entry ${key} in the annotations is damaged: \`chains verify\` says more`,
    );
  });
}

async function storedIn(
  subject: VerifiedSubject,
  store: StoreName,
  config: Config,
): Promise<readonly Found[]> {
  if (store === 'tekton' || store === 'pubsub')
    throw new ChainsError('USAGE', `the store ${store} can't be read back; give another --store`);
  const reader = await openReader(store, config);
  try {
    const { own, images } = wantedOf(subject);
    const all = await Promise.all(
      [own.sought, ...images].map(async (sought) => {
        const isOwn = sought === own.sought;
        const places = await reader.read(sought);
        return places.flatMap(({ entries }) => entries.map((entry) => ({ key: sought.key, isOwn, entry })));
      }),
    );
    return all.flat();
  } finally {
    await reader.close();
  }
}

function bundleOfStored(
  key: string,
  { payload, signature, certificate, transparency }: Found['entry'],
): JsonObject {
  if (typeof transparency === 'string')
    throw new ChainsError('USAGE', `the evidence of ${key} can't be read: ${transparency}`);
  if (Buffer.from(signature).toString('latin1').startsWith('-----BEGIN PGP'))
    throw new ChainsError('USAGE', `${key} is signed with PGP, which no Sigstore bundle holds`);
  const envelope = readEnvelope(parsed(signature));
  return bundleFrom({
    payload,
    signature,
    isEnvelope: envelope !== undefined,
    certificate: certificate === '' ? undefined : certificate,
    hint: envelope?.signatures[0]?.keyid ?? '',
    digest: 'sha256',
    transparency,
  });
}
