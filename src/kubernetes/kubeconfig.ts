import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import * as v from 'valibot';
import type { Document } from 'yaml';
import { isJsonObject } from '../json.ts';
import { invalid, readText } from './material.ts';

const text = v.nullish(v.string('must be a string'));
const flag = v.nullish(v.boolean('must be true or false'));

const clusterSchema = v.object(
  {
    server: text,
    'certificate-authority': text,
    'certificate-authority-data': text,
    'insecure-skip-tls-verify': flag,
    'tls-server-name': text,
    'proxy-url': text,
    extensions: v.nullish(
      v.array(v.object({ name: v.string('must be a string'), extension: v.unknown() }), 'must be a list'),
    ),
  },
  'must be an object',
);

const execSchema = v.object(
  {
    apiVersion: v.picklist(
      ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'],
      'must be client.authentication.k8s.io/v1 or …/v1beta1',
    ),
    command: v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty')),
    args: v.nullish(v.array(v.string('must be a string'), 'must be a list')),
    env: v.nullish(
      v.array(v.object({ name: v.string('must be a string'), value: v.string('must be a string') })),
    ),
    installHint: text,
    provideClusterInfo: flag,
    interactiveMode: text,
  },
  'must be an object with apiVersion and command',
);

const userSchema = v.object(
  {
    token: text,
    tokenFile: text,
    'client-certificate': text,
    'client-certificate-data': text,
    'client-key': text,
    'client-key-data': text,
    username: text,
    password: text,
    as: text,
    exec: v.nullish(execSchema),
    'auth-provider': v.nullish(v.object({ name: text }, 'must be an object')),
  },
  'must be an object',
);

const contextSchema = v.object(
  { cluster: v.string('must be a string'), user: text, namespace: text },
  'must be an object with cluster and user',
);

const name = v.string('must be a string');

const fileSchema = v.object({
  'current-context': text,
  clusters: v.nullish(v.array(v.object({ name, cluster: clusterSchema }), 'must be a list')),
  users: v.nullish(v.array(v.object({ name, user: v.nullish(userSchema) }), 'must be a list')),
  contexts: v.nullish(v.array(v.object({ name, context: contextSchema }), 'must be a list')),
});

/** The `cluster` of a kubeconfig's entry. */
export type Cluster = v.InferOutput<typeof clusterSchema>;
/** The `user` of a kubeconfig's entry. */
export type User = v.InferOutput<typeof userSchema>;
/** A user's `exec`. */
export type Exec = v.InferOutput<typeof execSchema>;
/** The `context` of a kubeconfig's entry. */
export type Context = v.InferOutput<typeof contextSchema>;

/** An entry and the file that it is from, which relative paths in it are relative to. */
export interface KubeconfigEntry<T> {
  readonly file: string;
  readonly value: T;
}

/** One kubeconfig, or several merged into one. */
export interface Kubeconfig {
  readonly files: readonly string[];
  readonly currentContext: string | undefined;
  readonly clusters: ReadonlyMap<string, KubeconfigEntry<Cluster>>;
  readonly users: ReadonlyMap<string, KubeconfigEntry<User>>;
  readonly contexts: ReadonlyMap<string, KubeconfigEntry<Context>>;
}

/**
 * Reads the file given; else those that KUBECONFIG lists, leaving out what doesn't exist; else `~/.kube/config`. The first
 * file that names an entry wins. Undefined when none is named and there is no `~/.kube/config`.
 * @throws ChainsError CONNECTION_INVALID with file, field and problem; never with a value of the file
 */
export async function readKubeconfig(
  file: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<Kubeconfig | undefined> {
  if (file !== undefined && file !== '') return merge([await readKubeconfigFile(file, '--kubeconfig')]);
  const listed = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  if (listed.length > 0) {
    const present = await existing(listed);
    if (present.length === 0) {
      throw invalid('KUBECONFIG', `the file ${listed.join(', ')} does not exist; correct or unset it`);
    }
    return merge(await Promise.all(present.map((path) => readKubeconfigFile(path, 'KUBECONFIG'))));
  }
  const home = await existing([join(environment['HOME'] ?? homedir(), '.kube', 'config')]);
  if (home.length === 0) return undefined;
  return merge(await Promise.all(home.map((path) => readKubeconfigFile(path, '~/.kube/config'))));
}

async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, index) => found[index]);
}

async function readKubeconfigFile(path: string, namedBy: string): Promise<Kubeconfig> {
  return parseKubeconfig(await readText(path, namedBy), path);
}

/** Parses the text of one kubeconfig; an empty one is a kubeconfig without entries. */
export async function parseKubeconfig(content: string, file: string): Promise<Kubeconfig> {
  // Loaded here, since a pod has no kubeconfig: 10 MB and 18 ms less at its start.
  const { LineCounter, parseDocument } = await import('yaml');
  const counter = new LineCounter();
  const document = parseDocument(content, { prettyErrors: false, lineCounter: counter });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = counter.linePos(error.pos[0]);
    throw invalid(file, `line ${line}, column ${col}: is not valid YAML (${error.code}); correct the file`);
  }
  const value = plain(document, file) ?? {};
  if (!isJsonObject(value)) throw invalid(file, 'must be an object with clusters, users and contexts');
  const parsed = v.safeParse(fileSchema, value);
  if (!parsed.success) {
    const problems = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'the file'} ${problemOf(issue)}`);
    throw invalid(file, problems.join('; '));
  }
  const { clusters, users, contexts } = parsed.output;
  return {
    files: [file],
    currentContext: parsed.output['current-context'] || undefined,
    clusters: new Map(clusters?.map((entry) => [entry.name, { file, value: entry.cluster }])),
    users: new Map(users?.map((entry) => [entry.name, { file, value: entry.user ?? {} }])),
    contexts: new Map(contexts?.map((entry) => [entry.name, { file, value: entry.context }])),
  };
}

function plain(document: Pick<Document, 'toJS'>, file: string): unknown {
  try {
    return document.toJS();
  } catch {
    throw invalid(file, 'has more aliases than a kubeconfig needs; write the entries out');
  }
}

/** Valibot's own messages quote what they got, which may be a secret. */
function problemOf(issue: v.BaseIssue<unknown>): string {
  if (issue.received === 'undefined') return 'is missing';
  return issue.message.startsWith('Invalid') ? 'has the wrong type' : issue.message;
}

function merge(configs: readonly Kubeconfig[]): Kubeconfig {
  const reversed = configs.toReversed();
  return {
    files: configs.flatMap((config) => config.files),
    currentContext: configs.find((config) => config.currentContext !== undefined)?.currentContext,
    clusters: new Map(reversed.flatMap((config) => [...config.clusters])),
    users: new Map(reversed.flatMap((config) => [...config.users])),
    contexts: new Map(reversed.flatMap((config) => [...config.contexts])),
  };
}
