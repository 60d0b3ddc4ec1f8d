import { quote } from '../text.ts';
import { extract } from '../extract/index.ts';
import { at, type Json, listAt, member, textIn } from '../json.ts';
import type { Run } from '../model/run.ts';
import { type Finding, no } from './judgement.ts';
import { isMadeOf, type ShownRun } from './remake.ts';

/** True for an in-toto statement. */
export function isStatement(payload: Json): boolean {
  return textIn(at(payload, '_type')).startsWith('https://in-toto.io/Statement/');
}

/** Whether a statement speaks of this very run: of its kind or uid, of its images, and then of all else that it says. */
export async function speaksOf(
  { run, taskRuns }: ShownRun,
  statement: Json,
): Promise<readonly (readonly [string, Finding])[]> {
  const judge = readers.get(textIn(member(statement, 'predicateType')));
  if (judge === undefined) {
    return [
      [
        'predicate',
        {
          ok: false,
          reason: `the predicate ${quote(textIn(member(statement, 'predicateType')))} is not known`,
        },
      ],
    ];
  }
  const predicate = member(statement, 'predicate');
  const provenance = judge(run, predicate);
  const subjects = namesImages(run, member(statement, 'subject'));
  const named = [
    ['provenance', provenance],
    ['subjects', subjects],
  ] as const;
  // Where it speaks of something else altogether, every field differs.
  return provenance.ok && subjects.ok
    ? [...named, ['content', await isMadeOf({ run, taskRuns }, statement)]]
    : named;
}

/** Whether a statement of each predicate speaks of the run at all; what it says of it is compared afterwards. */
const readers = new Map<string, (run: Run, predicate: Json | undefined) => Finding>([
  [
    'https://slsa.dev/provenance/v0.2',
    ({ kind }, predicate) =>
      member(predicate, 'buildType') === `tekton.dev/v1/${kind}`
        ? { ok: true, reason: `the payload is the provenance of a ${kind}` }
        : no(`the provenance is not that of a ${kind}`),
  ],
  [
    'https://slsa.dev/provenance/v1',
    ({ kind, uid }, predicate) => {
      const named = at(predicate, 'runDetails', 'metadata', 'invocationId') ?? '';
      return named === uid
        ? { ok: true, reason: `the payload is the provenance of this ${kind}` }
        : no(`the provenance is that of the run with uid ${quote(textIn(named))}`);
    },
  ],
]);

function namesImages(run: Run, subject: Json | undefined): Finding {
  const named = new Set(
    listAt(subject).map(
      (one) => `${textIn(member(one, 'name'))}@sha256:${textIn(at(one, 'digest', 'sha256'))}`,
    ),
  );
  const imagesOf = (asWritten: boolean) =>
    extract(run, [], { stepResults: false, childResults: false, asWritten }).artifacts.flatMap((one) =>
      one.kind === 'oci' ? [one.fullKey] : [],
    );
  const images = imagesOf(false);
  // Other Chains take names as they are written.
  const isAll = [images, imagesOf(true)].some((all) => all.every((image) => named.has(image)));
  const missing = isAll ? undefined : images.find((image) => !named.has(image));
  return missing === undefined
    ? { ok: true, reason: `the statement names all ${images.length} images that the run says it built` }
    : no(`the statement does not name ${quote(missing)}, which the run says it built`);
}
