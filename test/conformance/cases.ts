import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isJsonObject, type Json, type JsonObject, member } from '../../src/json.ts';

/** The lines of one of this folder's files. */
export function linesOf(file: string): readonly JsonObject[] {
  return readFileSync(fileURLToPath(new URL(file, import.meta.url)), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const value: unknown = JSON.parse(line);
      if (!isJsonObject(value)) throw new Error(`${file} holds a line that is not an object`);
      return value;
    });
}

/** The objects of a list. */
export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((entry) => isJsonObject(entry)) : [];
}

/** A member that must be a text. */
export function textOf(value: JsonObject, key: string): string {
  const text = member(value, key);
  if (typeof text !== 'string') throw new Error(`${key} is not text`);
  return text;
}

const deepInspection = 'artifacts.pipelinerun.enable-deep-inspection';

/** A case's configuration, changed where this project differs on purpose from the reference, for which the cases were made. */
export function configOf(line: JsonObject): Readonly<Record<string, string>> {
  const given: Record<string, string> = {
    'artifacts.taskrun.format': 'in-toto',
    ...Object(member(line, 'config')),
  };
  // The reference ignores what is not a boolean; here it is an error.
  return given[deepInspection] === 'yes' ? { ...given, [deepInspection]: 'false' } : given;
}
