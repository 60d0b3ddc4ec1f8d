import type { Config, FormatName, KeyName, StoreName } from '../config/keys.ts';
import type { Artifact } from '../model/artifact.ts';
import { ChainsError } from '../errors.ts';
import type { Payload } from '../model/signature.ts';

/** The keys that hold one text. */
type TextKey = { [K in KeyName]: Config[K] extends string | undefined ? K : never }[KeyName];

/** The value of a key that a store can't work without. @throws ChainsError CONFIG_INVALID that names it. */
export function required<K extends TextKey>(
  config: Config,
  store: StoreName,
  key: K,
): NonNullable<Config[K]> {
  const value = config[key];
  if (value !== undefined && value !== null && value !== '') return value;
  throw new ChainsError('CONFIG_INVALID', `${key} is not set, and the store \`${store}\` needs it`);
}

/**
 * CONFIG_INVALID for a payload of a format that a store has no place for.
 * @param fitting a format of this kind of artifact that it has a place for, if there is one
 */
export function unfit(
  store: StoreName,
  { kind }: Artifact,
  { format }: Payload,
  fitting?: FormatName,
): ChainsError {
  const choose = fitting === undefined ? '' : `choose \`${fitting}\` there, or `;
  return new ChainsError(
    'CONFIG_INVALID',
    `artifacts.${kind}.format is \`${format}\`, which the store \`${store}\` has no place for: ${choose}take \`${store}\` out of artifacts.${kind}.storage`,
  );
}
