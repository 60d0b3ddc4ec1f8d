import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** An X.509 certificate and its key, PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority that exists for one test. */
export interface Authority extends Pair {
  /** Signs a certificate for these DNS names, for 127.0.0.1 and ::1. */
  issue(name: string, dnsNames?: readonly string[], until?: Date): Pair;
}

const since = new Date('2020-01-01T00:00:00Z');
const farAway = new Date('2120-01-01T00:00:00Z');
let serial = 1;

/** Makes a certificate authority. */
export function createAuthority(name: string, until = farAway): Authority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // basicConstraints, critical: CA
  const extensions = [extension('551d13', sequence(tag(0x01, [0xff])), true)];
  const make = (subject: string, publicKey: KeyObject, end: Date, given: readonly Buffer[]) =>
    certificate({ issuer: name, subject, publicKey, until: end, extensions: given }, own.privateKey);
  return {
    cert: make(name, own.publicKey, until, extensions),
    key: pem(own.privateKey),
    issue(subject, dnsNames = ['localhost'], end = farAway) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const addresses = [Buffer.from([127, 0, 0, 1]), Buffer.concat([Buffer.alloc(15), Buffer.from([1])])];
      const names = [
        ...dnsNames.map((dns) => tag(0x82, Buffer.from(dns))),
        ...addresses.map((address) => tag(0x87, address)),
      ];
      const cert = make(subject, pair.publicKey, end, [extension('551d11', sequence(...names))]);
      return { cert, key: pem(pair.privateKey) };
    },
  };
}

interface Content {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly until: Date;
  readonly extensions: readonly Buffer[];
}

/** RFC 5280, section 4.1. */
function certificate(content: Content, signer: KeyObject): string {
  const algorithm = sequence(tag(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
  serial += 1;
  const body = sequence(
    tag(0xa0, tag(0x02, [2])),
    tag(0x02, [serial]),
    algorithm,
    distinguishedName(content.issuer),
    sequence(time(since), time(content.until)),
    distinguishedName(content.subject),
    content.publicKey.export({ type: 'spki', format: 'der' }),
    tag(0xa3, sequence(...content.extensions)),
  );
  const signature = tag(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, signer)]));
  const base64 =
    sequence(body, algorithm, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${base64.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(name: string): Buffer {
  const commonName = tag(0x06, Buffer.from('550403', 'hex'));
  return sequence(tag(0x31, sequence(commonName, tag(0x0c, Buffer.from(name)))));
}

function extension(identifier: string, value: Buffer, critical = false): Buffer {
  const oid = tag(0x06, Buffer.from(identifier, 'hex'));
  return sequence(oid, ...(critical ? [tag(0x01, [0xff])] : []), tag(0x04, value));
}

function time(date: Date): Buffer {
  const digits = date.toISOString().slice(0, 19).replace(/\D/g, '');
  return date.getUTCFullYear() < 2050
    ? tag(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : tag(0x18, Buffer.from(`${digits}Z`));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tag(0x30, Buffer.concat(parts));
}

/** One DER value. */
function tag(identifier: number, content: Buffer | readonly number[]): Buffer {
  const bytes = Buffer.from(content);
  const { length } = bytes;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([identifier, ...size]), bytes]);
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
