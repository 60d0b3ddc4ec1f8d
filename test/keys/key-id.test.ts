import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { keyIdOf } from '../../src/keys/key-id.ts';

/** Public keys (SPKI, base64) and what ssh-keygen -l says of them. */
const fingerprints = [
  [
    'ecdsa-256',
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE45WC2LzTk2rADHpcgG3QcllAhtv1HNVnNY30+zV7sCYVHdOvkTOD2xSRuilO3BIMFn/Dv1hljpzwTSmSrxO7SQ==',
    'SHA256:9p7hHLD55DFNLIhiRNPfbtbM+SEklrfoDDyhyhPqNvo',
  ],
  [
    'ecdsa-384',
    'MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEfXsvhDZJG+2D6GNIh4MC7aAvEIk4ni5h/KVVhgV8mBgQjxkbstyU1N1I0Lx0tHAe+uVutUjOoF8liMNyLCS2wiJT+tkQYbhyHMDFTjEL2z9lfpu8fMzt9r/9RVLBf6ZI',
    'SHA256:NbDlDoiDuD6m7YYFcGS1HJ1QpkDmAihO9wCBwtfpQek',
  ],
  [
    'ecdsa-521',
    'MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBI6EBOp4f4I/ApocTvow2Gig5IsE4D0LUJxofTSAICnQBWWa+dCJxVn665xwaThQAePH0fUXwyaKCruu35Id2mOABKLOSc93CntnKwye++7+Yw83qWYeKcwwrf7B6OUIoUf27QQmvxTJkp9xqsuTHSii2g3T0P5xhmBB2fbxKPdeiU1Q=',
    'SHA256:AOA4ANOU03t414wBa0DIU3a+G5G1OiytoCBjez+Y2vE',
  ],
  [
    'ed25519-256',
    'MCowBQYDK2VwAyEAwoy0J4kk3rQAYYihDnKmENcpEHGwh2YpdL942vUmJME=',
    'SHA256:7Xa+kVymheZJdOpwB8pfxTDOQezOyO2iTQpv8ifr3a0',
  ],
  [
    'rsa-2048',
    'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4YLnRlVBrWrLe/1o/mXsAT2hgR6b//6ruWDE9K16c17omD32z+39jxGxzgsXQGEihicEgrvxFcRssPzgU1tUpNvrfDd/N7w/5h5QOfr3X9MbIG4Js985mn+NWDE8hNt9QYBIMLbIEFm+LPBgp3R1cWPbWVGneRd47I0UyVy/7sDh02fduUrMPjaB1Px1lynvCIYfjryu54atPqgmvhQlHrH9QzMFNLQdYp59GWIJgGCz79cMjmZZjwI9lQyfRfIBOKEPLAXpmHbPvoyT6YFw7Zcvs8ddztQkDB8ktnPWQTFYrRydwjjTn4Gt7rFIe7cPVGzzJBoC+L1R1cPYxNiwywIDAQAB',
    'SHA256:+dGa17Dwycjw4+AY/TXmoTU2pXVUtj+uOojVY57QZmk',
  ],
] as const;

for (const [name, spki, fingerprint] of fingerprints) {
  test(`the id of a public key (${name}) is the fingerprint that ssh-keygen shows`, () => {
    const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
    assert.equal(keyIdOf(key), fingerprint);
  });
}
