import { readFileSync, readlinkSync } from 'node:fs';
import process from 'node:process';

/**
 * This process, in words that another one on the same machine can check: the boot, the process namespace, the process
 * id and its start. Undefined where the system doesn't provide them.
 */
export function processIdentity(id: number = process.pid): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const namespace = readlinkSync('/proc/self/ns/pid');
    return [boot, namespace, id, startOf(id)].join('/');
  } catch {
    return undefined;
  }
}

/** True where a process is known to have ended: one of this boot and namespace whose id is free, or another's by now. */
export function hasEnded(identity: string): boolean {
  const [own, theirs] = [processIdentity()?.split('/'), identity.split('/')];
  const isNear = own !== undefined && theirs.length === 4 && own[0] === theirs[0] && own[1] === theirs[1];
  return isNear && processIdentity(Number(theirs[2])) !== identity;
}

/** Clock ticks between the boot and the start of a process; the name in front of them may hold anything. */
function startOf(id: number): string {
  const stat = readFileSync(`/proc/${id}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '');
}
