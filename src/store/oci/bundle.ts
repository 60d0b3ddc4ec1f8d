import { member } from '../../json.ts';
import type { SignedArtifact } from '../../model/signature.ts';
import { besideIn, bundleOf, bundleType } from '../../sigstore/bundle.ts';
import { parseContent } from '../../registry/content.ts';
import { predicateTypeOf } from './layers.ts';
import type { Referrer } from './referrers.ts';
import { readEnvelope } from '../../keys/dsse.ts';
import { holdsSame, mayHold } from './same-envelope.ts';

/** A DSSE envelope as a Sigstore bundle that refers to the image (behaviour.md, "Stores"). */
export function bundleReferrer(entry: SignedArtifact): Referrer {
  return {
    artifactType: bundleType,
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': predicateTypeOf(entry),
      ...createdAt(entry),
    },
    layer: {
      bytes: Buffer.from(JSON.stringify(bundleOf(entry)), 'utf8'),
      mediaType: bundleType,
      annotations: {},
      isSame: async ({ size }, read) => {
        if (!mayHold(size, entry.payload)) return false;
        const bundle = parseContent(await read(), 'a bundle');
        return holdsSame(readEnvelope(member(bundle, 'dsseEnvelope')), entry, besideIn(bundle));
      },
    },
  };
}

/** When the run was completed: the same entry gives the same manifest, whenever it is written. */
export function createdAt({ artifact }: SignedArtifact): Readonly<Record<string, string>> {
  const { completedAt } = artifact.run;
  return completedAt === undefined
    ? {}
    : { 'org.opencontainers.image.created': completedAt.toISOString().replace(/\.\d+Z$/, 'Z') };
}
