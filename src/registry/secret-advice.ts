import { isObjectName } from '../model/cluster-access.ts';
import { withoutTrailing } from '../text.ts';
import { helperHost } from './docker-config.ts';
import type { Repository } from './repository.ts';

/** A service account of the cluster. */
export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** How many are named one by one; a message on a run has about 1,000 characters. */
const mostNamed = 3;

/**
 * The commands that make a Secret with which runs of an account are let in at a repository's registry; none for an account that can't be.
 * @param missing the name of one that is referred to and not there
 */
export function secretAdvice(
  repository: Repository,
  { namespace, name }: ServiceAccount,
  missing: string | undefined,
): readonly string[] {
  if (!isObjectName(name)) return [];
  const secret = missing ?? nameFor(repository.host);
  const create = `kubectl create secret docker-registry ${secret} -n ${namespace} --docker-server=${helperHost(repository)} --docker-username=USER --docker-password=PASSWORD`;
  const link = `kubectl patch serviceaccount ${name} -n ${namespace} -p '{"imagePullSecrets":[{"name":"${secret}"}]}'`;
  return [`to let its runs in: ${missing === undefined ? `${create} && ${link}` : create}`];
}

function nameFor(host: string): string {
  return withoutTrailing(`registry-${host.toLowerCase().replace(/[^a-z0-9.]+/g, '-')}`, '-');
}

/** The first of several texts, and how many more there are. */
export function firstOf(texts: readonly string[]): readonly string[] {
  const more = texts.length - mostNamed;
  return more <= 0 ? texts : [...texts.slice(0, mostNamed), `and ${more} more that do not count`];
}
