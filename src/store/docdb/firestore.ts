import { ChainsError } from '../../errors.ts';
import { at, isJsonList, type Json, member } from '../../json.ts';
import { openGoogle } from '../../http/google.ts';
import { failures, tooLarge, unreadable } from '../failures.ts';
import { type OpenCollection, optionsOf } from './collection.ts';
import type { SignedDocument } from './document.ts';

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
  const google = openGoogle({
    origin: emulator === '' ? 'https://firestore.googleapis.com' : `http://${emulator}`,
    scope,
    failures,
    project: 'none',
    emulated: emulator !== '',
    patience: timeout,
    limits: { silence: timeout },
  });
  const urlOf = (id: string) => `/v1/${[...reference.path.split('/'), id].map(encodeURIComponent).join('/')}`;

  return {
    async put(document, signal) {
      const what = `write firestore://${reference.path}/${document.Name}`;
      const fields = fieldsOf(document);
      const size = sizeOf(reference.path, document.Name, fields);
      if (size > limit) throw tooLarge(what, size, limit);
      const [url, body] = [urlOf(document.Name), JSON.stringify({ fields })];
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

/** A value as Firestore's API writes it. Numbers are all doubles, as go-cloud writes those of JSON. */
type FirestoreValue =
  | { readonly nullValue: null }
  | { readonly booleanValue: boolean }
  | { readonly doubleValue: number }
  | { readonly stringValue: string }
  | { readonly bytesValue: string }
  | { readonly arrayValue: { readonly values: readonly FirestoreValue[] } }
  | { readonly mapValue: { readonly fields: FirestoreFields } };

type FirestoreFields = Readonly<Record<string, FirestoreValue>>;

function fieldsOf({ Signed, Object: object, ...texts }: SignedDocument): FirestoreFields {
  const values = Object.entries(texts).map(([name, text]) => [name, { stringValue: text }] as const);
  return {
    ...Object.fromEntries(values),
    Signed: { bytesValue: Buffer.from(Signed).toString('base64') },
    Object: valueOf(object),
  };
}

function valueOf(json: Json): FirestoreValue {
  if (json === null) return { nullValue: null };
  if (typeof json === 'boolean') return { booleanValue: json };
  if (typeof json === 'number') return { doubleValue: json };
  if (typeof json === 'string') return { stringValue: json };
  if (isJsonList(json)) return { arrayValue: { values: json.map(valueOf) } };
  const fields = Object.entries(json).map(([name, value]) => [name, valueOf(value ?? null)] as const);
  return { mapValue: { fields: Object.fromEntries(fields) } };
}

/** The size of a document in bytes, as the page "Storage size calculations" of Firestore's documentation adds it up. */
function sizeOf(collection: string, id: string, fields: FirestoreFields): number {
  const [, path = ''] = collection.split('/documents/');
  const name = [...path.split('/'), id].reduce((sum, part) => sum + textSize(part), 16);
  return name + fieldsSize(fields) + 32;
}

function fieldsSize(fields: FirestoreFields): number {
  return Object.entries(fields).reduce((sum, [name, value]) => sum + textSize(name) + valueSize(value), 0);
}

function valueSize(value: FirestoreValue): number {
  if ('stringValue' in value) return textSize(value.stringValue);
  if ('bytesValue' in value) return Buffer.byteLength(value.bytesValue, 'base64');
  if ('doubleValue' in value) return 8;
  if ('arrayValue' in value) return value.arrayValue.values.reduce((sum, one) => sum + valueSize(one), 0);
  if ('mapValue' in value) return fieldsSize(value.mapValue.fields);
  return 1;
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
