import { at, type Json, listAt, member, textIn } from '../json.ts';
import type { Run } from '../model/run.ts';
import { quote } from '../text.ts';
import { imagesOf } from './content.ts';
import { type Finding, type Findings, no, yes } from './finding.ts';
import { isMadeOf, type ExistingRun } from './remake.ts';

/** True for an in-toto statement. */
export function isStatement(payload: Json): boolean {
  return textIn(at(payload, '_type')).startsWith('https://in-toto.io/Statement/');
}

/** Whether a statement is about this very run: its kind or uid, its images, and then everything else that it says. */
export async function describesRun({ run, taskRuns }: ExistingRun, statement: Json): Promise<Findings> {
  const predicateType = textIn(member(statement, 'predicateType'));
  const judge = judges.get(predicateType);
  if (judge === undefined) return [['predicate', no(`the predicate ${quote(predicateType)} is not known`)]];
  const provenance = judge(run, member(statement, 'predicate'));
  const subjects = namesImages(run, member(statement, 'subject'));
  const findings: Findings = [
    ['provenance', provenance],
    ['subjects', subjects],
  ];
  // In a statement about something else, every field would differ.
  if (!provenance.ok || !subjects.ok) return findings;
  return [...findings, ['content', await isMadeOf({ run, taskRuns }, statement)]];
}

/** Whether provenance is of the run at all, by its predicate. */
const judges = new Map<string, (run: Run, predicate: Json | undefined) => Finding>([
  [
    'https://slsa.dev/provenance/v0.2',
    ({ kind }, predicate) =>
      member(predicate, 'buildType') === `tekton.dev/v1/${kind}`
        ? yes(`the payload is the provenance of a ${kind}`)
        : no(`the provenance is not that of a ${kind}`),
  ],
  [
    'https://slsa.dev/provenance/v1',
    ({ kind, uid }, predicate) => hasUid(uid, predicate, `the payload is the provenance of this ${kind}`),
  ],
]);

/** Whether provenance v1 names the uid of a run. @param reason of the finding if it does */
export function hasUid(uid: string, predicate: Json | undefined, reason: string): Finding {
  const named = at(predicate, 'runDetails', 'metadata', 'invocationId') ?? '';
  return named === uid
    ? yes(reason)
    : no(`the provenance is that of the run with uid ${quote(textIn(named))}`);
}

function namesImages(run: Run, subject: Json | undefined): Finding {
  const named = new Set(
    listAt(subject).map(
      (one) => `${textIn(member(one, 'name'))}@sha256:${textIn(at(one, 'digest', 'sha256'))}`,
    ),
  );
  const images = imagesOf(run);
  const missing = images.find(({ fullKey }) => !named.has(fullKey));
  // The original Chains takes names as they are written.
  return missing === undefined || imagesOf(run, true).every(({ fullKey }) => named.has(fullKey))
    ? yes(`the statement names all ${images.length} images that the run says it built`)
    : no(`the statement does not name ${quote(missing.fullKey)}, which the run says it built`);
}
