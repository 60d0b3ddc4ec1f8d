import type { Config } from '../../config/keys.ts';
import { type Proofs, proofsFor } from '../../config/plan.ts';
import type { Examination } from '../../library/examine.ts';
import { storageKeyOf } from '../../model/artifact.ts';
import { ChainsError } from '../../errors.ts';
import { at, listAt, member, parseJson } from '../../json.ts';
import { claimedEndState, markPrefix, messageMark, retriesMark, signedUidMark } from '../../model/marks.ts';
import { runName } from '../../model/run.ts';
import type { Draft } from '../../drafts.ts';
import { type Paint, plain } from './paint.ts';
import { wrap } from './wrap.ts';

/** What `chains explain` prints of a run: for people, at most 100 columns, the same with and without a terminal. */
export function explainText(examination: Examination, paint: Paint = plain): string {
  const { run, config, outlook, drafts, problems } = examination;
  const { apiVersion, kind, uid } = run;
  const sections = [
    [
      wrap('', `${kind} ${runName(run)} (${apiVersion}, uid ${uid === '' ? 'unknown' : uid})`, 2),
      wrap(`  ${outlook.action}: `, outlook.reason),
    ],
    soFar(examination, paint),
    ['What is signed of it', ...drafts.flatMap((draft) => draftLines(draft, config, paint))],
    problems.length === 0
      ? []
      : [
          'Problems',
          ...problems.flatMap(({ at: where, message }) => [
            wrap('  ', where),
            wrap('    ', message, 4, paint.bad),
          ]),
        ],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

/** What the run's marks say: how it ended, or how often it was tried and why it failed. */
function soFar({ run }: Examination, paint: Paint): readonly string[] {
  const { annotations } = run;
  const [state, tries] = [claimedEndState(run), annotations[retriesMark]];
  // What failed before a run got its end state is history.
  const history = tries === undefined ? '' : ` (after ${tries} failed ${tries === '1' ? 'try' : 'tries'})`;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['marked', state === undefined ? undefined : `${state}${history}`],
    ['for uid', annotations[signedUidMark]],
    ['failed tries', state === undefined ? tries : undefined],
    ['message', annotations[messageMark]],
  ];
  const lines = facts.flatMap(([name, value]) => (value === undefined ? [] : [field(name, value, paint)]));
  return lines.length === 0 ? [] : [`What has happened so far (annotations ${markPrefix}…)`, ...lines];
}

function draftLines({ artifact, plan, payload }: Draft, config: Config, paint: Paint): readonly string[] {
  const shown = (label: string, value: string) => field(label, value, paint);
  const name = artifact.kind === 'oci' ? artifact.fullKey : runName(artifact.run);
  const from = artifact.kind === 'oci' ? [shown('named by', `${artifact.names} (${artifact.source})`)] : [];
  const what =
    payload instanceof ChainsError
      ? [field('error', payload.message, { ...paint, dim: paint.bad })]
      : [
          shown('payload', `${plan.format}, ${payload.bytes.length} bytes`),
          ...contentLines(payload.bytes, shown),
        ];
  const how =
    plan.off === undefined
      ? [
          shown(
            'signed with',
            payload instanceof ChainsError || payload.dsseType === undefined
              ? plan.signer
              : `${plan.signer}, in a DSSE envelope`,
          ),
          ...proofLines(proofsFor(config, plan.signer, artifact.run), shown),
          shown('stored in', `${plan.stores.join(', ')} (key ${storageKeyOf(artifact)})`),
        ]
      : [shown('turned off', plan.off)];
  return [wrap(`  ${artifact.kind} `, name, 6), ...from, ...what, ...how];
}

/** Who certifies the key, and who confirms the signature. */
function proofLines({ certified, log, timestamps }: Proofs, shown: Shown): readonly string[] {
  return [
    ...(certified === undefined
      ? []
      : [shown('certified by', `${certified.by}, for the identity token of ${certified.provider}`)]),
    ...(log === undefined ? [] : [shown('logged in', log)]),
    ...(timestamps === undefined ? [] : [shown('timestamp of', timestamps)]),
  ];
}

/** What a statement speaks of and what went into it; nothing for payloads that are not statements. */
function contentLines(bytes: Uint8Array, shown: Shown): readonly string[] {
  const statement = parseJson(Buffer.from(bytes).toString('utf8'));
  if (at(statement, 'predicateType') === undefined) return [];
  const predicate = member(statement, 'predicate');
  const dependencies =
    member(predicate, 'materials') ?? at(predicate, 'buildDefinition', 'resolvedDependencies');
  return [
    ...listed(
      shown,
      'subject',
      listAt(statement, 'subject').map((one) => member(one, 'name')),
    ),
    ...listed(
      shown,
      'made from',
      listAt(dependencies).map((one) => member(one, 'uri') ?? member(one, 'name')),
    ),
  ];
}

const mostListed = 10;

function listed(show: Shown, name: string, values: readonly unknown[]): readonly string[] {
  const shown = values
    .slice(0, mostListed)
    .map((value) => show(name, String(value ?? 'a thing without a name')));
  const more = values.length - shown.length;
  return more > 0 ? [...shown, show(name, `and ${more} more`)] : shown;
}

/** Lays a detail out under its label. */
type Shown = (label: string, value: string) => string;

function field(label: string, value: string, paint: Paint): string {
  const shown = label.padEnd(12);
  const laidOut = wrap(`    ${shown} `, value);
  return `    ${paint.dim(shown)}${laidOut.slice(4 + shown.length)}`;
}
