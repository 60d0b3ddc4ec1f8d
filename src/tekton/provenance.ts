import { always, flag, int64, map, type Of, pointer, struct, text } from './shape.ts';
import { time } from './time.ts';

/** The structure `Condition` of Knative's apis. */
export const condition = struct({
  type: always(text),
  status: always(text),
  severity: text,
  lastTransitionTime: time,
  reason: text,
  message: text,
});

/** The structure `FeatureFlags` of Tekton's config. */
export const featureFlags = struct({
  disableCredsInit: flag,
  runningInEnvWithInjectedSidecars: flag,
  requireGitSSHSecretKnownHosts: flag,
  enableAPIFields: text,
  sendCloudEventsForRuns: flag,
  awaitSidecarReadiness: flag,
  enforceNonfalsifiability: text,
  enableKeepPodOnCancel: flag,
  verificationNoMatchPolicy: text,
  enableProvenanceInStatus: flag,
  resultExtractionMethod: text,
  maxResultSize: int64,
  setSecurityContext: flag,
  setSecurityContextReadOnlyRootFilesystem: flag,
  coschedule: text,
  enableCELInWhenExpression: flag,
  enableStepActions: flag,
  enableParamEnum: flag,
  enableArtifacts: flag,
  disableInlineSpec: text,
  enableConciseResolverSyntax: flag,
  enableKubernetesSidecar: flag,
  enableWaitExponentialBackoff: flag,
  enableTerminationMessageCompression: flag,
  enableTektonOCIBundles: pointer(flag),
});

const refSource = struct({ uri: text, digest: map(text), entryPoint: text });

/** The structure `Provenance` of tekton.dev/v1. */
export const provenance = struct({ refSource: pointer(refSource), featureFlags: pointer(featureFlags) });

/** What refSource reads. */
export type RefSource = Of<typeof refSource>;
