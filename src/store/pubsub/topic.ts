import type { SignedArtifact } from '../../model/signature.ts';

/** What is published for one artifact, whatever carries it. */
export interface Message {
  /** The artifact's full key, for errors. */
  readonly about: string;
  /** The ConfigMap's key that sends artifacts of this kind here, for errors. */
  readonly storageKey: string;
  /** The signature as it is stored. */
  readonly body: Uint8Array;
  /** Base64. */
  readonly payload: string;
  /** Whether the body alone holds the payload too: a DSSE envelope. */
  readonly complete: boolean;
}

/** What every provider's topic is opened with. */
export interface TopicOptions {
  /** Milliseconds to wait for an acknowledgement. */
  readonly timeout: number;
}

/** A topic of one provider. */
export interface Topic {
  /** Publishes, and waits until the message is safe. */
  publish(message: Message, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The message for an artifact: body the signature, and with it the payload (behaviour.md, "Stores"). */
export function messageFor({ artifact, payload, signature }: SignedArtifact): Message {
  return {
    about: artifact.fullKey,
    storageKey: `artifacts.${artifact.kind}.storage`,
    body: signature.bytes,
    payload: Buffer.from(payload.bytes).toString('base64'),
    complete: payload.dsseType !== undefined,
  };
}
