import tls from 'node:tls';
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

function set(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
