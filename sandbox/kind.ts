import type { Column } from './columns.ts';

/** One kind of object that the sandbox serves, and in what it differs from the others. */
export interface Kind {
  /** `''` is the core group. */
  readonly group: string;
  /** The first one is the preferred one. All are served from the same stored object, with only `apiVersion` changed. */
  readonly versions: readonly string[];
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  /** Defined by a CustomResourceDefinition: no schema, `status` subresource, `metadata.generation`. */
  readonly custom: boolean;
  /** Top-level fields of a kind with a schema; others are refused or dropped. */
  readonly fields: readonly string[];
  /** A PUT to a name that isn't there creates the object. */
  readonly createdByPut: boolean;
  readonly columns: readonly Column[];
}
