import type { Config } from '../../config/keys.ts';
import { proofsFor } from '../../config/plan.ts';
import type { Examination } from '../../library/examine.ts';
import { storageKeyOf } from '../../model/artifact.ts';
import { ChainsError } from '../../errors.ts';
import { at, type Json, listAt, member, parseJson } from '../../json.ts';
import { claimedEndState, markPrefix, messageMark, retriesMark, signedUidMark } from '../../model/marks.ts';
import { runName } from '../../model/run.ts';
import type { Draft } from '../../drafts.ts';
import { type Paint, plain, wrap } from './layout.ts';

/** What `chains explain` prints of a run: for people, at most 100 columns, the same with and without a terminal. */
export function explainText(examination: Examination, paint: Paint = plain): string {
  const { run, config, outlook, drafts, problems } = examination;
  const { apiVersion, kind, uid } = run;
  const history = factLines(historyOf(examination), paint);
  const faults = problems.flatMap(({ at: where, message }) => [
    wrap('  ', where),
    wrap('    ', message, 4, paint.bad),
  ]);
  const sections = [
    [
      wrap('', `${kind} ${runName(run)} (${apiVersion}, uid ${uid === '' ? 'unknown' : uid})`, 2),
      wrap(`  ${outlook.action}: `, outlook.reason),
    ],
    history.length === 0 ? [] : [`What has happened so far (annotations ${markPrefix}…)`, ...history],
    ['What is signed of it', ...drafts.flatMap((draft) => draftLines(draft, config, paint))],
    problems.length === 0 ? [] : ['Problems', ...faults],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

/** Labels with what is printed next to them; an undefined value is left out. */
type Facts = readonly (readonly [label: string, value: string | undefined])[];

/** What the run's annotations say: how it ended, or how often it was tried and why it failed. */
function historyOf({ run }: Examination): Facts {
  const { annotations } = run;
  const [state, tries] = [claimedEndState(run), annotations[retriesMark]];
  const failed = tries === undefined ? '' : ` (after ${tries} failed ${tries === '1' ? 'try' : 'tries'})`;
  return [
    ['marked', state && `${state}${failed}`],
    ['for uid', annotations[signedUidMark]],
    ['failed tries', state === undefined ? tries : undefined],
    ['message', annotations[messageMark]],
  ];
}

function draftLines(draft: Draft, config: Config, paint: Paint): readonly string[] {
  const { artifact, plan, payload } = draft;
  const [name, source] =
    artifact.kind === 'oci'
      ? [artifact.fullKey, `${artifact.names} (${artifact.source})`]
      : [runName(artifact.run)];
  return [
    wrap(`  ${artifact.kind} `, name, 6),
    ...factLines([['named by', source]], paint),
    ...(payload instanceof ChainsError
      ? factLines([['error', payload.message]], { ...paint, dim: paint.bad })
      : factLines(
          [['payload', `${plan.format}, ${payload.bytes.length} bytes`], ...contentOf(payload.bytes)],
          paint,
        )),
    ...factLines(plan.off === undefined ? signatureOf(draft, config) : [['turned off', plan.off]], paint),
  ];
}

/** How the payload is signed, who confirms it, and where it is stored. */
function signatureOf({ artifact, plan, payload }: Draft, config: Config): Facts {
  const { certified, log, timestamps } = proofsFor(config, plan.signer, artifact.run);
  const isEnvelope = !(payload instanceof ChainsError) && payload.dsseType !== undefined;
  return [
    ['signed with', isEnvelope ? `${plan.signer}, in a DSSE envelope` : plan.signer],
    ['certified by', certified && `${certified.by}, for the identity token of ${certified.provider}`],
    ['logged in', log],
    ['timestamp of', timestamps],
    ['stored in', `${plan.stores.join(', ')} (key ${storageKeyOf(artifact)})`],
  ];
}

/** The subjects and materials of an in-toto statement; nothing for other payloads. */
function contentOf(bytes: Uint8Array): Facts {
  const statement = parseJson(Buffer.from(bytes).toString('utf8'));
  if (at(statement, 'predicateType') === undefined) return [];
  const predicate = member(statement, 'predicate');
  const materials = listAt(
    member(predicate, 'materials') ?? at(predicate, 'buildDefinition', 'resolvedDependencies'),
  );
  return [
    ...firstOf(
      'subject',
      listAt(statement, 'subject').map((one) => member(one, 'name')),
    ),
    ...firstOf(
      'made from',
      materials.map((one) => member(one, 'uri') ?? member(one, 'name')),
    ),
  ];
}

const mostListed = 10;

function firstOf(label: string, values: readonly (Json | undefined)[]): Facts {
  const shown = values.slice(0, mostListed).map((value) => [label, String(value ?? '(no name)')] as const);
  const more = values.length - shown.length;
  return more > 0 ? [...shown, [label, `and ${more} more`]] : shown;
}

function factLines(facts: Facts, paint: Paint): readonly string[] {
  return facts.flatMap(([label, value]) => {
    if (value === undefined) return [];
    const shown = label.padEnd(12);
    return `    ${paint.dim(shown)}${wrap(`    ${shown} `, value).slice(4 + shown.length)}`;
  });
}
