import { at, type JsonObject } from '../src/json.ts';
import { badRequest } from './failure.ts';
import type { Kind } from './kinds.ts';
import { contentOf, type Stored } from './storage.ts';

/** Whether an object is one of those asked for. */
export type Selector = (stored: Stored) => boolean;

const own = (labels: JsonObject, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? String(labels[key]) : undefined;

const key = String.raw`([A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?)`;
const value = String.raw`([-A-Za-z0-9_.]*)`;

// Each form of a requirement: how it is written, and what it asks of the label.
const forms: readonly (readonly [RegExp, (label: string | undefined, wanted: string) => boolean])[] = [
  [new RegExp(`^${key}$`), (label) => label !== undefined],
  [new RegExp(`^!\\s*${key}$`), (label) => label === undefined],
  [new RegExp(`^${key}\\s*==?\\s*${value}$`), (label, wanted) => label === wanted],
  [new RegExp(`^${key}\\s*!=\\s*${value}$`), (label, wanted) => label !== wanted],
  [
    new RegExp(`^${key}\\s+in\\s*\\(([^()]*)\\)$`),
    (label, wanted) => label !== undefined && listed(wanted, label),
  ],
  [
    new RegExp(`^${key}\\s+notin\\s*\\(([^()]*)\\)$`),
    (label, wanted) => label === undefined || !listed(wanted, label),
  ],
];

function listed(list: string, label: string): boolean {
  return list.split(',').some((entry) => entry.trim() === label);
}

/** The texts between commas that stand in no parentheses. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  let isOpen = false;
  for (const piece of text.split(',')) {
    if (isOpen) parts.push(`${parts.pop()},${piece}`);
    else parts.push(piece);
    isOpen = piece.lastIndexOf('(') > piece.lastIndexOf(')') || (isOpen && !piece.includes(')'));
  }
  return parts;
}

/** Reads a label selector: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. @throws Failure 400 */
export function labelSelector(text: string): Selector {
  const requirements = partsOf(text)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const form = forms.find(([pattern]) => pattern.test(part));
      if (form === undefined) throw badRequest(`unable to parse requirement: ${part}`);
      const [, name = '', wanted = ''] = form[0].exec(part) ?? [];
      return (labels: JsonObject) => form[1](own(labels, name), wanted);
    });
  return (stored) => requirements.every((holds) => holds(stored.labels));
}

const paths: Readonly<Record<string, readonly string[]>> = {
  events: [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      (field) => `involvedObject.${field}`,
    ),
    ...['reason', 'type', 'reportingComponent'],
  ],
  secrets: ['type'],
  namespaces: ['status.phase'],
};

/** Reads a field selector: `metadata.name=a,metadata.namespace!=b`, and what kubectl asks of Events. @throws Failure 400 */
export function fieldSelector(text: string, kind: Kind): Selector {
  const requirements = text
    .split(',')
    .filter((part) => part !== '')
    .map((part): Selector => {
      const [, field = '', operator = '', wanted = ''] = /^([^=!]+)(==?|!=)(.*)$/.exec(part) ?? [];
      if (operator === '') throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
      const differs = operator === '!=';
      if (field === 'metadata.name') return (stored) => (stored.name === wanted) !== differs;
      if (field === 'metadata.namespace') return (stored) => (stored.namespace === wanted) !== differs;
      if (!paths[kind.plural]?.includes(field)) throw badRequest(`field label not supported: ${field}`);
      return (stored) => (String(at(contentOf(stored), ...field.split('.')) ?? '') === wanted) !== differs;
    });
  return (stored) => requirements.every((holds) => holds(stored));
}
