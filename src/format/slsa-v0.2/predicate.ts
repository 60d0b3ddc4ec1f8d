import type { Json } from '../../json.ts';

/** SLSA provenance v0.2 (slsa.dev/provenance/v0.2). Members that are undefined are not written. */
export interface Predicate<BuildConfig> {
  readonly builder: { readonly id: string };
  readonly buildType: 'tekton.dev/v1/TaskRun' | 'tekton.dev/v1/PipelineRun';
  readonly invocation: Invocation;
  readonly buildConfig: BuildConfig;
  readonly metadata: Metadata;
  readonly materials: readonly Material[] | undefined;
}

/** What began the build, and with which parameters. */
export interface Invocation {
  readonly configSource: {
    readonly uri: string | undefined;
    readonly digest: Json | undefined;
    readonly entryPoint: string | undefined;
  };
  readonly parameters: Json;
  readonly environment:
    | { readonly annotations: Json | undefined; readonly labels: Json | undefined }
    | undefined;
}

/** When the build ran, and what is claimed about its provenance. Times in UTC, RFC 3339. */
export interface Metadata {
  readonly buildStartedOn: string | undefined;
  readonly buildFinishedOn: string | undefined;
  readonly completeness: {
    readonly parameters: false;
    readonly environment: false;
    readonly materials: false;
  };
  readonly reproducible: boolean;
}

/** Something that went into the build. */
export interface Material {
  readonly uri: string | undefined;
  readonly digest: Json | undefined;
}

/** A step as it ran. */
export interface BuildStep {
  readonly entryPoint: string;
  readonly arguments: readonly string[] | null;
  readonly environment: { readonly image: string; readonly container: string };
  readonly annotations: null;
}

/** What a TaskRun did. */
export interface TaskRunBuildConfig {
  readonly steps: readonly BuildStep[];
}

/** What a PipelineRun did; null where it has no pipeline. */
export interface PipelineRunBuildConfig {
  readonly tasks: readonly BuildTask[] | null;
}

/** A TaskRun of a PipelineRun. */
export interface BuildTask {
  readonly name: string | undefined;
  readonly after: readonly string[] | undefined;
  readonly ref: Json;
  readonly startedOn: string;
  readonly finishedOn: string;
  readonly serviceAccountName: string | undefined;
  readonly status: 'Succeeded' | 'Failed' | 'Running' | undefined;
  readonly steps: readonly BuildStep[] | undefined;
  readonly invocation: Invocation;
  readonly results: Json | undefined;
}
