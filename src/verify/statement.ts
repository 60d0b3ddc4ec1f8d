import { quote } from '../extract/quote.ts';
import { extract } from '../extract/index.ts';
import { at, type Json, listAt, member } from '../model/json.ts';
import type { Run } from '../model/run.ts';
import { pointer, read, struct } from '../model/tekton/shape.ts';
import { time, withPaddedFraction, withShortFraction } from '../model/tekton/time.ts';
import type { Judgement } from './content.ts';

/** True for an in-toto statement. */
export function isStatement(payload: Json): boolean {
  return String(at(payload, '_type')).startsWith('https://in-toto.io/Statement/');
}

/** Whether a statement speaks of this very run: of its uid, its times and the images that it says it built. */
export function speaksOf(run: Run, statement: Json): readonly (readonly [string, Judgement])[] {
  const judge = readers.get(String(member(statement, 'predicateType')));
  if (judge === undefined) {
    return [
      [
        'predicate',
        {
          ok: false,
          reason: `the predicate ${quote(String(member(statement, 'predicateType')))} is not known`,
        },
      ],
    ];
  }
  const predicate = member(statement, 'predicate');
  return [
    ['provenance', judge(run, predicate)],
    ['subjects', namesImages(run, member(statement, 'subject'))],
  ];
}

const timed = struct({ status: struct({ startTime: pointer(time), completionTime: pointer(time) }) });

const readers = new Map<string, (run: Run, predicate: Json | undefined) => Judgement>([
  [
    'https://slsa.dev/provenance/v0.2',
    (run, predicate) => {
      const buildType = `tekton.dev/v1/${run.kind}`;
      if (member(predicate, 'buildType') !== buildType)
        return no(`the provenance is not that of a ${run.kind}`);
      const times = ['buildStartedOn', 'buildFinishedOn'].map((key) => at(predicate, 'metadata', key));
      return sameTimes(run, times, withShortFraction);
    },
  ],
  [
    'https://slsa.dev/provenance/v1',
    (run, predicate) => {
      const metadata = at(predicate, 'runDetails', 'metadata');
      const uid = member(metadata, 'invocationId');
      if (uid !== run.uid)
        return no(`the provenance is that of the run with uid ${quote(String(uid ?? ''))}`);
      return sameTimes(
        run,
        [member(metadata, 'startedOn'), member(metadata, 'finishedOn')],
        withPaddedFraction,
      );
    },
  ],
]);

function sameTimes(
  run: Run,
  stated: readonly (Json | undefined)[],
  print: typeof withShortFraction,
): Judgement {
  const { startTime, completionTime } = read(timed, run.object).status ?? {};
  const own = [startTime, completionTime].map((moment) => moment && print(moment));
  return own.every((one, index) => one === (stated[index] ?? undefined))
    ? { ok: true, reason: `the payload is the provenance of this ${run.kind}` }
    : no('the provenance states other times than the run');
}

function namesImages(run: Run, subject: Json | undefined): Judgement {
  const named = new Set(
    listAt(subject).map(
      (one) => `${String(member(one, 'name'))}@sha256:${String(at(one, 'digest', 'sha256'))}`,
    ),
  );
  const images = extract(run).artifacts.flatMap((one) => (one.kind === 'oci' ? [one.fullKey] : []));
  const missing = images.find((image) => !named.has(image));
  return missing === undefined
    ? { ok: true, reason: `the statement names all ${images.length} images that the run says it built` }
    : no(`the statement does not name ${quote(missing)}, which the run says it built`);
}

function no(reason: string): Judgement {
  return { ok: false, reason };
}
