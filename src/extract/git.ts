import type { GitSource } from '../model/evidence.ts';
import type { Problem, Report } from '../model/problem.ts';
import type { Param, ParamSpec } from '../tekton/params.ts';
import { textOf } from '../tekton/value.ts';
import { trim } from '../tekton/white-space.ts';
import { quote } from '../text.ts';
import type { Reading, Result } from './results.ts';

/** Where a run may state the source that it was built from. */
export interface GitPlaces {
  /** The path of the run, empty for the run itself. */
  readonly where: string;
  /** The key of `status` that holds the task or pipeline. */
  readonly spec: 'taskSpec' | 'pipelineSpec';
  readonly specs?: readonly ParamSpec[] | undefined;
  readonly params?: readonly Param[] | undefined;
  readonly results: readonly Result[];
}

const [urlHint, commitHint] = ['CHAINS-GIT_URL', 'CHAINS-GIT_COMMIT'];

/** The source of a run that states none, or none that is valid. */
const none: GitSource = { url: '', commit: '' };

/**
 * The source that `CHAINS-GIT_URL` and `CHAINS-GIT_COMMIT` name. Each is looked up by itself: a param overrides a default,
 * and a result a param (payloads.md, 4.3). White space around a value is ignored. An invalid pair is reported, and names no
 * source.
 */
export function gitSource(
  { where, spec, specs = [], params = [], results }: GitPlaces,
  { report, asWritten }: Reading,
): GitSource {
  const named: readonly Result[] = [
    ...specs.flatMap(({ name = '', default: value }, index) =>
      value === undefined ? [] : [{ at: `${where}status.${spec}.params[${index}].default`, name, value }],
    ),
    ...params.map(({ name = '', value }, index) => ({
      at: `${where}spec.params[${index}].value`,
      name,
      value,
    })),
    ...results.map(({ at, name, value }) => ({ at: `${at}.value`, name, value })),
  ];
  const half = (hint: string, fault: SourceHalf['fault']): SourceHalf => {
    const place = named.findLast(({ name }) => name === hint);
    const text = textOf(place?.value);
    return { hint, at: place?.at, text: asWritten ? text : trim(text), fault };
  };
  const [url, commit] = [half(urlHint, urlFault), half(commitHint, commitFault)];
  return asWritten ? { url: url.text, commit: commit.text } : sourceOf(url, commit, report);
}

/** One of the two values that name a source together. */
interface SourceHalf {
  readonly hint: string;
  /** Where it is; undefined when it is missing. */
  readonly at: string | undefined;
  /** Empty when it is missing or empty. */
  readonly text: string;
  /** What is wrong with a text, in words that follow "it"; undefined if nothing is. */
  readonly fault: (text: string) => string | undefined;
}

function sourceOf(url: SourceHalf, commit: SourceHalf, report: Report): GitSource {
  if (url.text === '' && commit.text === '') return none;
  const faults = [faultOf(url, commit), faultOf(commit, url)].filter((fault) => fault !== undefined);
  for (const { at, message } of faults) report(at, message);
  if (faults.length > 0) return none;
  const oddity = urlOddity(url.text);
  if (oddity !== undefined) report(url.at ?? 'status', `"${urlHint}" ${oddity}`);
  return { url: url.text, commit: commit.text };
}

function faultOf({ hint, at, text, fault }: SourceHalf, other: SourceHalf): Problem | undefined {
  if (text === '') {
    const is = at === undefined ? 'missing' : 'empty';
    const message = `half a pair: "${hint}" is ${is}, so the provenance names no source; give both a value`;
    return { at: other.at ?? 'status', message };
  }
  const wrong = fault(text);
  return wrong === undefined
    ? undefined
    : { at: at ?? 'status', message: `"${hint}": no source, as it ${wrong}` };
}

/** `user@host:path`, which git reads as an address for SSH. */
const scpForm = /^[\w.-]{1,64}@[\w.-]{1,253}:(?!\/\/)\S{1,2048}$/;

function urlFault(url: string): string | undefined {
  if (/[\s\p{Cc}]/u.test(url))
    return `is ${quote(url)}, which has white space inside; write the URL of the repository alone`;
  return (url.includes('://') && URL.canParse(url.replace('git+', ''))) || scpForm.test(url)
    ? undefined
    : `is ${quote(url)}, which is not a URL; write it as https://HOST/PATH`;
}

/** What is recorded unchanged, but may not be what a person expects. */
function urlOddity(url: string): string | undefined {
  if (url.endsWith('/'))
    return `ends with a slash, so provenance names it ${quote(`${url}.git`)}; leave the slash out`;
  return scpForm.test(url)
    ? `is ${quote(url)}, which is an address for SSH and not a URL; write it as ssh://USER@HOST/PATH, so that verifiers can compare it`
    : undefined;
}

function commitFault(commit: string): string | undefined {
  const length = /^[0-9a-f]+$/.test(commit) ? commit.length : 0;
  if (length === 40) return undefined;
  if (length === 64)
    return `is ${quote(commit)}, the id of a repository with SHA-256, which provenance can't name: its field is for SHA-1`;
  const is =
    length >= 7 && length < 40 ? 'a shortened id' : "which is not a commit's id but perhaps a branch or tag";
  return `is ${quote(commit)}, ${is}; write the whole id that \`git rev-parse HEAD\` prints`;
}
