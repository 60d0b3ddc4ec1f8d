import type { GitSource } from '../model/evidence.ts';
import type { Problem, Report } from '../model/problem.ts';
import type { Param, ParamSpec } from '../tekton/params.ts';
import { textOf, type Value } from '../tekton/value.ts';
import { trim } from '../tekton/white-space.ts';
import { quote } from '../text.ts';
import type { Result } from './results.ts';

interface NamedValue {
  readonly at: string;
  readonly name: string;
  readonly value: Value | undefined;
}

/** Where a run may say what source it was built from; what is absent says nothing. */
export interface GitPlaces {
  /** The path of the run, empty for the run itself. */
  readonly where: string;
  /** The key of `status` that holds the task or pipeline. */
  readonly spec: 'taskSpec' | 'pipelineSpec';
  readonly specs?: readonly ParamSpec[] | undefined;
  readonly params?: readonly Param[] | undefined;
  readonly results: readonly Result[];
  /** True where the values count as they are written, whatever they are. */
  readonly asWritten?: boolean | undefined;
}

const [urlHint, commitHint] = ['CHAINS-GIT_URL', 'CHAINS-GIT_COMMIT'];

/** No source: a run that says nothing, or nothing that can be used. */
const none: GitSource = { url: '', commit: '' };

/**
 * The source that `CHAINS-GIT_URL` and `CHAINS-GIT_COMMIT` name, each looked for by itself: a param overrides a default, a
 * result a param (payloads.md, 4.3). White space around a value is not a part of it; a pair that can't be one is reported, and
 * names no source.
 */
export function gitSource(
  { where, spec, specs = [], params = [], results, asWritten = false }: GitPlaces,
  report: Report,
): GitSource {
  const named: readonly NamedValue[] = [
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
  if (asWritten) {
    const text = (hint: string) => textOf(named.findLast(({ name }) => name === hint)?.value);
    return { url: text(urlHint), commit: text(commitHint) };
  }
  const half = (hint: string, fault: SourceHalf['fault']): SourceHalf => {
    const place = named.findLast(({ name }) => name === hint);
    return { hint, at: place?.at, text: trim(textOf(place?.value)), fault };
  };
  return sourceOf(half(urlHint, whatUrlIsWrong), half(commitHint, whatCommitIsWrong), report);
}

/** One of the two values that name a source together. */
interface SourceHalf {
  readonly hint: string;
  /** Where it is; undefined when it is missing. */
  readonly at: string | undefined;
  /** Empty where it is missing or empty. */
  readonly text: string;
  /** What is wrong with a text, in words that follow "it"; undefined where nothing is. */
  readonly fault: (text: string) => string | undefined;
}

function sourceOf(url: SourceHalf, commit: SourceHalf, report: Report): GitSource {
  if (url.text === '' && commit.text === '') return none;
  const faults = [faultOf(url, commit), faultOf(commit, url)].filter((fault) => fault !== undefined);
  for (const { at, message } of faults) report(at, message);
  if (faults.length > 0) return none;
  const odd = whatUrlIsOdd(url.text);
  if (odd !== undefined) report(url.at ?? 'status', `"${urlHint}" ${odd}`);
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

/** `user@host:path`, which git takes for SSH. */
const scpForm = /^[\w.-]{1,64}@[\w.-]{1,253}:(?!\/\/)\S{1,2048}$/;

function whatUrlIsWrong(url: string): string | undefined {
  if (/[\s\p{Cc}]/u.test(url))
    return `is ${quote(url)}, which has white space inside; write the URL of the repository alone`;
  return (url.includes('://') && URL.canParse(url.replace('git+', ''))) || scpForm.test(url)
    ? undefined
    : `is ${quote(url)}, which is not a URL; write it as https://HOST/PATH`;
}

/** What is recorded as it is, but reads otherwise than a person would think. */
function whatUrlIsOdd(url: string): string | undefined {
  if (url.endsWith('/'))
    return `ends with a slash, so provenance names it ${quote(`${url}.git`)}; leave the slash out`;
  return scpForm.test(url)
    ? `is ${quote(url)}, which is an address for SSH and not a URL; write it as ssh://USER@HOST/PATH, so that verifiers can compare it`
    : undefined;
}

const commitLength = 40;

function whatCommitIsWrong(commit: string): string | undefined {
  const isHex = /^[0-9a-f]+$/.test(commit);
  if (isHex && commit.length === commitLength) return undefined;
  const advice = 'write the whole id that `git rev-parse HEAD` prints';
  if (isHex && commit.length === 64)
    return `is ${quote(commit)}, the id of a repository with SHA-256, which provenance can't name: its field is for SHA-1`;
  if (isHex && commit.length >= 7 && commit.length < commitLength)
    return `is ${quote(commit)}, a shortened id; ${advice}`;
  return `is ${quote(commit)}, which is not a commit's id but perhaps a branch or tag; ${advice}`;
}
