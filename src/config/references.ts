import { closest } from './closest.ts';
import type { ValueType } from './values.ts';

/** A URL-like reference, whose scheme selects the back end. */
export interface Reference<Scheme extends string> {
  readonly scheme: Scheme;
  /** The part between `://` and the query. */
  readonly path: string;
  /** The query's parameters. */
  readonly options: ReadonlyMap<string, string>;
  /** The whole text as it was written. */
  readonly text: string;
}

interface Form {
  /** Of the path and query. */
  readonly pattern: RegExp;
  /** For messages and documents. */
  readonly form: string;
}

/** References whose scheme is a key of `forms`, each with its own form. */
function reference<Scheme extends string>(
  forms: Readonly<Record<Scheme, Form>>,
): ValueType<Reference<Scheme>> {
  const known = Object.entries<Form>(forms);
  return {
    allowed: known.map(([, { form }]) => `\`${form}\``).join(', '),
    parse(text) {
      const [scheme = '', rest = ''] = text.split(/:\/\/(.*)/s);
      if (!isKeyOf(forms, scheme)) {
        const meant = closest(scheme, Object.keys(forms));
        return { ok: false, wrong: 'whose scheme is not known', meant: meant && `${meant}://` };
      }
      if (!forms[scheme].pattern.test(rest))
        return { ok: false, wrong: 'which does not have the form of its scheme' };
      const [path = '', query = ''] = rest.split(/\?(.*)/s);
      return { ok: true, value: { scheme, path, options: new Map(new URLSearchParams(query)), text } };
    },
  };
}

function isKeyOf<K extends string>(table: Readonly<Record<K, unknown>>, key: string): key is K {
  return Object.hasOwn(table, key);
}

const transitKey: RegExp = /^[\w]([\w.-]*\w)?(\?padding=(pkcs1|pss))?$/;

/** A signing key in a KMS (behaviour.md, "Signers"); the scheme chooses the provider. */
export const kmsReference = reference({
  gcpkms: {
    pattern:
      /^projects\/[^/?\s]+\/locations\/[^/?\s]+\/keyRings\/[^/?\s]+\/cryptoKeys\/[^/?\s]+(\/(cryptoKeyVersions|versions)\/[^/?\s]+)?$/,
    form: 'gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K[/cryptoKeyVersions/V]',
  },
  hashivault: { pattern: transitKey, form: 'hashivault://NAME[?padding=pss]' },
  openbao: { pattern: transitKey, form: 'openbao://NAME[?padding=pss]' },
  awskms: {
    pattern: /^[^/?\s]*\/[^/?\s]+(\/[^?\s]+)?(\?padding=(pkcs1|pss))?$/,
    form: 'awskms://[ENDPOINT]/KEYID|ARN|alias/NAME[?padding=pss]',
  },
  azurekms: {
    pattern: /^[^/?\s]+\/[^/?\s]+(\/[^/?\s]+)?(\?padding=(pkcs1|pss))?$/,
    form: 'azurekms://VAULT.vault.azure.net/KEY[/VERSION][?padding=pss]',
  },
});

/** A collection of documents (behaviour.md, "Stores"), as go-cloud's docstore writes it. */
export const docdbReference = reference({
  firestore: {
    pattern: /^projects\/[^/?\s]+\/databases\/[^/?\s]+\/documents\/[^?\s]+(\?\S*)?$/,
    form: 'firestore://projects/P/databases/(default)/documents/COLLECTION?name_field=name',
  },
  mongo: { pattern: /^[^/?\s]+\/[^/?\s]+(\?\S*)?$/, form: 'mongo://DATABASE/COLLECTION?id_field=name' },
  dynamodb: { pattern: /^[^/?\s]+(\?\S*)?$/, form: 'dynamodb://TABLE?partition_key=name' },
});
