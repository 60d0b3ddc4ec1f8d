import { createHash } from 'node:crypto';
import { buildSchema, graphqlSync, parse, validate } from 'graphql';
import type { Envelope } from '../../src/keys/dsse.ts';
import { at, isJsonList, isJsonObject, type Json, member, parseJson } from '../../src/json.ts';
import { type Answer, jsonOf, type Request, startWeb, type Web } from './web.ts';

/** An Archivista. */
export interface Archivista extends Web {
  /** Whether it was started with its GraphQL, as it is unless told otherwise. */
  graphql: boolean;
  /** What is stored, by gitoid. */
  readonly envelopes: Map<string, Buffer>;
}

/**
 * Starts an Archivista: `POST /upload` files an envelope under the gitoid of what was sent, `GET /download/GITOID`
 * gives it back, and `POST /query` finds it by GraphQL. Like the real one it answers 500 with its database's words to what is not an envelope of a JSON statement,
 * and to what it has already, and 400 to another method.
 */
export async function startArchivista(): Promise<Archivista> {
  const envelopes = new Map<string, Buffer>();

  function respond({ method, url, body }: Request): Answer {
    const [, gitoid] = /^(?:\/v1)?\/download\/([^/]+)$/.exec(url.pathname) ?? [];
    if (gitoid !== undefined) {
      const found = envelopes.get(gitoid);
      return found === undefined
        ? { status: 500, text: 'open: no such file or directory\n' }
        : { status: 200, text: found.toString('utf8') };
    }
    if (archivista.graphql && /^(\/v1)?\/query$/.test(url.pathname)) return ask(body);
    if (!/^(\/v1)?\/upload$/.test(url.pathname)) return { status: 404, text: '404 page not found\n' };
    if (method !== 'POST') return { status: 400, text: `${method} is an unsupported method\n` };
    return upload(body);
  }

  function upload(body: Buffer): Answer {
    const complaint = complaintAbout(body);
    if (complaint !== undefined) return { status: 500, text: `${complaint}\n` };
    const gitoid = createHash('sha256')
      .update(Buffer.concat([Buffer.from(`blob ${body.length}\0`), body]))
      .digest('hex');
    if (envelopes.has(gitoid)) {
      const words =
        'ent: constraint failed: insert node to table "dsses": UNIQUE constraint failed: dsses.gitoid_sha256';
      return { status: 500, text: `${words}\n` };
    }
    envelopes.set(gitoid, body);
    // The real one sets the header too late, so that its JSON goes as text.
    return {
      status: 200,
      text: `${JSON.stringify({ gitoid })}\n`,
      headers: { 'content-type': 'text/plain' },
    };
  }

  function ask(body: Buffer): Answer {
    const request = jsonOf(body);
    const source = String(member(request, 'query'));
    const errors = validate(schema, parse(source));
    if (errors.length > 0)
      return { status: 422, json: { errors: errors.map(({ message }) => ({ message })) } };
    const variableValues = Object(member(request, 'variables'));
    const dsses = ({ where }: { readonly where?: Where }) => ({ edges: found(envelopes, where) });
    const { data } = graphqlSync({ schema, source, variableValues, rootValue: { dsses } });
    return { status: 200, json: parseJson(JSON.stringify({ data })) };
  }

  const archivista: Archivista = Object.assign(await startWeb(respond), { envelopes, graphql: true });
  return archivista;
}

/** As much of Archivista's schema as says what stands under a payload, or about a subject. */
const schema = buildSchema(`
  type Query { dsses(first: Int, where: DsseWhereInput): DsseConnection! }
  input DsseWhereInput { gitoidSha256: String, payloadType: String, hasPayloadDigestsWith: [PayloadDigestWhereInput!], hasStatementWith: [StatementWhereInput!] }
  input StatementWhereInput { predicate: String, hasSubjectsWith: [SubjectWhereInput!] }
  input SubjectWhereInput { name: String, hasSubjectDigestsWith: [SubjectDigestWhereInput!] }
  input SubjectDigestWhereInput { algorithm: String, value: String, valueIn: [String!] }
  input PayloadDigestWhereInput { algorithm: String, value: String }
  type DsseConnection { edges: [DsseEdge], totalCount: Int! }
  type DsseEdge { node: Dsse }
  type Dsse { gitoidSha256: String!, payloadType: String!, signatures: [Signature!] }
  type Signature { keyID: String!, signature: String! }
`);

interface Where {
  readonly hasPayloadDigestsWith?: readonly { readonly algorithm?: string; readonly value?: string }[];
  readonly hasStatementWith?: readonly {
    readonly hasSubjectsWith?: readonly {
      readonly hasSubjectDigestsWith?: readonly { readonly valueIn?: readonly string[] }[];
    }[];
  }[];
}

function found(envelopes: ReadonlyMap<string, Buffer>, where: Where = {}): readonly object[] {
  const wanted = where.hasPayloadDigestsWith ?? [];
  const valuesIn = (where.hasStatementWith ?? [])
    .flatMap(({ hasSubjectsWith = [] }) => hasSubjectsWith)
    .flatMap(({ hasSubjectDigestsWith = [] }) => hasSubjectDigestsWith)
    .flatMap(({ valueIn }) => (valueIn === undefined ? [] : [valueIn]));
  return [...envelopes].flatMap(([gitoidSha256, bytes]) => {
    const envelope: Envelope = JSON.parse(bytes.toString('utf8'));
    const payload = Buffer.from(envelope.payload, 'base64');
    const value = createHash('sha256').update(payload).digest('hex');
    if (!wanted.every((digest) => digest.algorithm === 'sha256' && digest.value === value)) return [];
    const digests = subjectDigests(jsonOf(payload));
    if (!valuesIn.every((values) => values.some((one) => digests.includes(one)))) return [];
    const signatures = envelope.signatures.map(({ keyid, sig }) => ({ keyID: keyid, signature: sig }));
    return [{ node: { gitoidSha256, payloadType: envelope.payloadType, signatures } }];
  });
}

function subjectDigests(statement: Json | undefined): readonly string[] {
  const subjects = member(statement, 'subject');
  return (isJsonList(subjects) ? subjects : []).flatMap((subject) =>
    Object.values(Object(member(subject, 'digest'))).map(String),
  );
}

function complaintAbout(body: Buffer): string | undefined {
  const envelope = jsonOf(body);
  if (!isJsonObject(envelope)) return "invalid character 'p' looking for beginning of value";
  const [payload, payloadType] = [member(envelope, 'payload'), member(envelope, 'payloadType')];
  if (typeof payloadType !== 'string' || payloadType === '')
    return 'ent: validator failed for field "Dsse.payload_type"';
  const statement = jsonOf(Buffer.from(String(payload), 'base64'));
  if (!isJsonObject(statement)) return 'unexpected end of JSON input';
  if (typeof at(statement, 'predicateType') !== 'string')
    return 'ent: validator failed for field "Statement.predicate"';
  return isJsonList(member(envelope, 'signatures')) ? undefined : 'no signatures';
}
