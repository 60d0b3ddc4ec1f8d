import { storageKeyOf } from '../model/artifact.ts';
import { markPrefix } from '../model/marks.ts';
import type { SignedArtifact } from '../model/signature.ts';
import { evidenceOf } from '../sigstore/bundle.ts';
import type { Store } from './store.ts';

/** The store `tekton`: the run's own annotations. It writes nothing itself; the mark carries what it returns. */
export async function openTektonStore(): Promise<Store> {
  return { store: async (entry) => annotationsFor(entry), places: () => ['annotations of the run'] };
}

/**
 * `payload-KEY`, `signature-KEY` and, where there are any, `cert-KEY`, `chain-KEY` and `evidence-KEY`, all in padded standard
 * base64 (behaviour.md, "A run's life"; transparency.md, "The log").
 */
export function annotationsFor(entry: SignedArtifact): Readonly<Record<string, string>> {
  const { payload, signature, transparency } = entry;
  const parts = {
    payload: payload.bytes,
    signature: signature.bytes,
    cert: signature.certificate,
    chain: signature.chain,
    evidence: transparency && JSON.stringify(evidenceOf(transparency)),
  };
  const key = annotationKey(entry);
  return Object.fromEntries(
    Object.entries(parts).flatMap(([part, value]) =>
      value === undefined ? [] : [[`${markPrefix}${part}-${key}`, base64(value)]],
    ),
  );
}

/** A TaskRun's payload in the format `tekton` is found without knowing the uid, as the mission document's walk-through does. */
function annotationKey({ artifact, payload }: SignedArtifact): string {
  return artifact.kind === 'taskrun' && payload.format === 'tekton' ? 'taskrun' : storageKeyOf(artifact);
}

function base64(value: Uint8Array | string): string {
  return (typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value)).toString('base64');
}
