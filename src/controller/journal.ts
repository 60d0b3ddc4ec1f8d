import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../errors.ts';
import type { Log } from '../telemetry/logs.ts';

/**
 * What is being tried right now, in a file that outlives this process: so that the next one knows what was being tried
 * when this one crashed, and begins with other runs (decision 77).
 */
export interface Journal {
  /** How many processes in a row have crashed while this was tried. */
  crashes(key: string): number;
  /** A try begins. */
  begins(key: string): void;
  /** A try has ended, with whatever result. */
  ended(key: string): void;
  close(): void;
}

/** Bytes for each key, its line break included; a key of Kubernetes has no more than 330. */
const slotBytes = 512;

/** Keys of earlier crashes that are kept. */
const mostSuspects = 256;

interface Suspect {
  readonly key: string;
  readonly crashes: number;
}

/** Opens the journal in a folder; undefined, with a warning in the log, where that can't be written to. */
export function openJournal(folder: string, log: Log): Journal | undefined {
  const path = join(folder, 'tries');
  try {
    mkdirSync(folder, { recursive: true });
    const suspects = readSuspects(path);
    writeFileSync(`${path}.new`, suspects.map(({ key, crashes }) => slot('waits', crashes, key)).join(''));
    renameSync(`${path}.new`, path);
    for (const { key, crashes } of suspects)
      log.warn(`${key} was being tried when the controller crashed (${crashes}): others go first`);
    return keepJournal(openSync(path, 'r+'), suspects, log);
  } catch (error) {
    log.warn(`what is being tried is not written down: ${reasonOf(error)}`);
    return undefined;
  }
}

function keepJournal(file: number, suspects: readonly Suspect[], log: Log): Journal {
  const crashes = new Map(suspects.map((suspect) => [suspect.key, suspect.crashes]));
  const slots = new Map(suspects.map(({ key }, index) => [key, index]));
  const free: number[] = [];
  let [next, isBroken] = [suspects.length, false];
  // Written without waiting for the disk: what the system holds in memory survives the process.
  const write = (text: string, index: number): void => {
    try {
      if (!isBroken) writeSync(file, text, index * slotBytes);
    } catch (error) {
      isBroken = true;
      log.warn(`what is being tried is no longer written down: ${reasonOf(error)}`);
    }
  };
  return {
    crashes: (key) => crashes.get(key) ?? 0,
    begins(key) {
      const index = slots.get(key) ?? free.pop() ?? next++;
      slots.set(key, index);
      write(slot('tried', crashes.get(key) ?? 0, key), index);
    },
    ended(key) {
      const index = slots.get(key);
      if (index === undefined) return;
      crashes.delete(key);
      slots.delete(key);
      free.push(index);
      write(slot('free', 0, ''), index);
    },
    close: () => closeSync(file),
  };
}

/** `tried 0 TaskRun namespace/name`: what was `tried` when the file was left has crashed once more. */
function slot(state: 'tried' | 'waits' | 'free', crashes: number, key: string): string {
  return `${`${state} ${crashes} ${key}`.padEnd(slotBytes - 1).slice(0, slotBytes - 1)}\n`;
}

function readSuspects(path: string): readonly Suspect[] {
  const suspects = textOf(path)
    .split('\n')
    .flatMap((line): readonly Suspect[] => {
      const [state, crashes = '', ...key] = line.trim().split(' ');
      if (state !== 'tried' && state !== 'waits') return [];
      return [
        { key: key.join(' '), crashes: (Number.parseInt(crashes, 10) || 0) + (state === 'tried' ? 1 : 0) },
      ];
    });
  return suspects.toSorted((one, other) => other.crashes - one.crashes).slice(0, mostSuspects);
}

/** Empty where there is no such file yet. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
