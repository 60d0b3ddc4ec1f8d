import type { Json } from '../../json.ts';

/** SLSA provenance v1.0 (slsa.dev/provenance/v1). Members that are undefined are not written. */
export interface Predicate {
  readonly buildDefinition: {
    readonly buildType: string;
    readonly externalParameters: ExternalParameters;
    readonly internalParameters: InternalParameters;
    readonly resolvedDependencies: readonly ResourceDescriptor[] | undefined;
  };
  readonly runDetails: {
    readonly builder: { readonly id: string | undefined };
    readonly metadata: {
      readonly invocationId: string | undefined;
      /** In UTC, RFC 3339. */
      readonly startedOn: string | undefined;
      readonly finishedOn: string | undefined;
    };
    readonly byproducts: readonly Byproduct[] | undefined;
  };
}

/** What the run was given by whoever or whatever started it. */
export interface ExternalParameters {
  readonly runSpec: Json;
  readonly buildConfigSource:
    | { readonly ref: string; readonly repository: string; readonly path: string }
    | undefined;
}

/** What the platform gave it; the last two for the build type `slsa-tekton` only. */
export interface InternalParameters {
  readonly 'tekton-pipelines-feature-flags': Json | undefined;
  readonly labels?: Json;
  readonly annotations?: Json;
}

/** A thing that went into the build (in-toto, "ResourceDescriptor"). */
export interface ResourceDescriptor {
  readonly name: string | undefined;
  readonly uri: string | undefined;
  readonly digest: Json | undefined;
  /** Standard base64. */
  readonly content: string | undefined;
}

/** Something that the build produced besides its subjects. */
export interface Byproduct {
  readonly name: string;
  /** Standard base64 of JSON. */
  readonly content: string;
  readonly mediaType: 'application/json';
}
