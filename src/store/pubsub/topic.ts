import type { Config } from '../../config/keys.ts';
import type { SignedArtifact } from '../../model/signature.ts';

/** What is published for one artifact, by whichever provider. */
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

/** A topic of one provider. */
export interface Topic {
  /** Publishes, and waits until the provider has acknowledged the message. */
  publish(message: Message, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Opens a topic; `timeout` is how long to wait for an acknowledgement, in milliseconds. @throws ChainsError CONFIG_INVALID */
export type OpenTopic = (config: Config, name: string, timeout: number) => Topic;

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
