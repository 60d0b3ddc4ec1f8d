import type { ImageReference } from '../model/image.ts';
import { type Parsed, parseImageDigest, wrong } from './digest.ts';
import { quote } from '../text.ts';

const dockerRegistry = 'index.docker.io';

/** The longest repository that is allowed, in code points. */
const longestRepository = 255;

/** Parses `BASE@sha256:HEX` and normalises the name as Docker does; a tag is dropped (payloads.md, 2.1). */
export function parseImageReference(text: string): Parsed<ImageReference> {
  const at = text.indexOf('@');
  if (at === -1) return wrong(`is ${quote(text)}, which has no digest; write NAME@sha256:HEX`);
  if (text.includes('@', at + 1)) {
    return wrong(`is ${quote(text)}, which has more than one "@"; write NAME@sha256:HEX`);
  }
  const digest = parseImageDigest(text.slice(at + 1));
  if (!digest.ok) return wrong(`has a digest that ${digest.wrong}`);
  const repository = parseRepository(text.slice(0, at));
  return repository.ok
    ? { ok: true, value: { repository: repository.value, digest: digest.value } }
    : repository;
}

function parseRepository(base: string): Parsed<string> {
  if (base === '') return wrong('has no image name before the digest');
  const name = withoutTag(base);
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const named = first === 'localhost' || /[.:]/.test(first);
  const registry = named && first !== 'docker.io' ? first : dockerRegistry;
  const repository = named ? name.slice(slash + 1) : name;
  const fault = registryFault(registry) ?? repositoryFault(repository);
  if (fault !== undefined) return wrong(`has the name ${quote(base)}, whose ${fault}`);
  const folder = registry === dockerRegistry && !repository.includes('/') ? 'library/' : '';
  return { ok: true, value: `${registry}/${folder}${repository}` };
}

/** A text after the last ":" that can't be a tag stays, so that it is refused as part of the repository. */
function withoutTag(base: string): string {
  const colon = base.lastIndexOf(':');
  const tag = base.slice(colon + 1);
  return colon !== -1 && /^[\w.-]{1,128}$/.test(tag) ? base.slice(0, colon) : base;
}

function repositoryFault(repository: string): string | undefined {
  // A code point takes at most two units, so a huge text needn't be counted.
  const tooLong =
    repository.length > 2 * longestRepository || Array.from(repository).length > longestRepository;
  if (tooLong || repository.length < 2) {
    return `repository must have 2 to ${longestRepository} characters`;
  }
  return /^[a-z0-9_\-./]+$/.test(repository)
    ? undefined
    : `repository may only have lower-case letters, digits and _ - . /`;
}

/** What keeps Go from reading a registry as the host of a URL without changing it. */
function registryFault(registry: string): string | undefined {
  // Go's control characters are those of ASCII only.
  if (/[\u0000-\u001f\u007f\p{Cs} \\^`{|}%?#@/]/u.test(registry))
    return 'registry has a character that no host name has';
  const isBracketed = registry.startsWith('[');
  const [bracket, colon] = [registry.lastIndexOf(']'), registry.lastIndexOf(':')];
  if (isBracketed && bracket === -1) return 'registry has a "[" without "]"';
  const port = isBracketed
    ? registry.slice(bracket + 1)
    : registry.slice(colon === -1 ? registry.length : colon);
  return /^(:\d*)?$/.test(port) ? undefined : 'registry has a port that is not a number';
}
