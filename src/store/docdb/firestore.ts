import { ChainsError } from '../../errors.ts';
import { at, isJsonList, type Json, type JsonObject, member } from '../../json.ts';
import { openGoogle } from '../../http/google.ts';
import { failures, tooLarge, unreadable } from '../failures.ts';
import { mapMembers, type OpenCollection, optionsOf, type SignedDocument } from './collection.ts';

/** The largest document in bytes. */
const limit = 1024 * 1024;

const hint =
  "Give the account the role Cloud Datastore User (roles/datastore.user) in the database's project.";

/**
 * Opens a collection of Cloud Firestore over its REST API; `FIRESTORE_EMULATOR_HOST` names an emulator to use instead.
 * A document's name ends in its id; `name_field` tells only go-cloud in which field to show it.
 */
export const openFirestore: OpenCollection = (reference, _, timeout) => {
  optionsOf(reference, 'name_field', ['revision_field']);
  const scope = 'https://www.googleapis.com/auth/datastore';
  const emulator = process.env['FIRESTORE_EMULATOR_HOST'] ?? '';
  const emulated = emulator !== '';
  const origin = emulated ? `http://${emulator}` : 'https://firestore.googleapis.com';
  const limits = { silence: timeout };
  const google = openGoogle({
    origin,
    scope,
    failures,
    project: 'none',
    emulated,
    timeout,
    limits,
  });
  const urlOf = (id: string) => `/v1/${[...reference.path.split('/'), id].map(encodeURIComponent).join('/')}`;

  return {
    async put(document, signal) {
      const what = `write firestore://${reference.path}/${document.Name}`;
      const size = sizeOf(reference.path, document);
      if (size > limit) throw tooLarge(what, size, limit);
      const [url, body] = [urlOf(document.Name), JSON.stringify({ fields: fieldsOf(document) })];
      // Without an update mask the whole document is replaced, or created.
      await google.call({ what, method: 'PATCH', url, body, signal, hint }).catch((error: unknown) => {
        throw saysTooLarge(error) ? tooLarge(what, undefined, limit) : error;
      });
    },
    async get(id, signal) {
      const what = `read firestore://${reference.path}/${id}`;
      const answer = await google.call({ what, method: 'GET', url: urlOf(id), expects: [404], signal, hint });
      if (answer.status === 404) return undefined;
      if (answer.body === undefined) throw unreadable(what, 'no JSON');
      const fields = member(answer.body, 'fields');
      const text = (name: string, type = 'stringValue') => {
        const value = at(fields, name, type);
        return typeof value === 'string' ? value : undefined;
      };
      const signed = text('Signed', 'bytesValue');
      return {
        Signed: signed === undefined ? undefined : Buffer.from(signed, 'base64'),
        Signature: text('Signature'),
        Cert: text('Cert'),
        Bundle: text('Bundle'),
      };
    },
    close: () => google.close(),
  };
};

function fieldsOf({ Signed, ...others }: SignedDocument): JsonObject {
  return { ...mapMembers(others, valueOf), Signed: { bytesValue: Buffer.from(Signed).toString('base64') } };
}

/** A value as Firestore's API writes it. Numbers are all doubles, as go-cloud writes those of JSON. */
function valueOf(json: Json): JsonObject {
  if (json === null) return { nullValue: null };
  if (typeof json === 'boolean') return { booleanValue: json };
  if (typeof json === 'number') return { doubleValue: json };
  if (typeof json === 'string') return { stringValue: json };
  if (isJsonList(json)) return { arrayValue: { values: json.map(valueOf) } };
  return { mapValue: { fields: mapMembers(json, valueOf) } };
}

/** The size of a document in bytes, as the page "Storage size calculations" of Firestore's documentation adds it up. */
function sizeOf(collection: string, { Signed, ...others }: SignedDocument): number {
  const [, path = ''] = collection.split('/documents/');
  const name = [...path.split('/'), others.Name].reduce((sum, part) => sum + textSize(part), 16);
  return name + textSize('Signed') + Signed.length + valueSize(others) + 32;
}

function valueSize(json: Json): number {
  if (typeof json === 'string') return textSize(json);
  if (typeof json === 'number') return 8;
  if (typeof json === 'boolean' || json === null) return 1;
  if (isJsonList(json)) return json.reduce<number>((sum, one) => sum + valueSize(one), 0);
  return Object.entries(json).reduce(
    (sum, [name, value]) => sum + textSize(name) + valueSize(value ?? null),
    0,
  );
}

function textSize(text: string): number {
  return Buffer.byteLength(text) + 1;
}

/** Whether the service refused as too large what was not by our sum. */
function saysTooLarge(error: unknown): boolean {
  return (
    error instanceof ChainsError &&
    error.status === 400 &&
    /exceeds the (maximum allowed size|limit)/.test(error.message)
  );
}
