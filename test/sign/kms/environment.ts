import tls from 'node:tls';
import { parseConfig } from '../../../src/config/parse.ts';
import type { Signer } from '../../../src/sign/index.ts';
import { type KmsOptions, openKms } from '../../../src/sign/kms/index.ts';
import { createAuthority } from '../../kubernetes/certificates.ts';

/** Issues certificates that every client of this process trusts, beside those that it trusts anyway. */
export const authority = createAuthority('everybody here');
tls.setDefaultCACertificates([...tls.getCACertificates(), authority.cert]);

/** Works with these variables in the environment, and puts back what was there. */
export async function withEnvironment<T>(
  variables: Readonly<Record<string, string | undefined>>,
  work: () => Promise<T>,
): Promise<T> {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  set(variables);
  try {
    return await work();
  } finally {
    set(before);
  }
}

/** Opens the signer of a key, with these variables in the environment. */
export function openWith(
  reference: string,
  variables: Readonly<Record<string, string | undefined>>,
  options?: KmsOptions,
): Promise<Signer> {
  const { config } = parseConfig({ 'signers.kms.kmsref': reference });
  return withEnvironment(variables, () => openKms(config, options));
}

function set(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
