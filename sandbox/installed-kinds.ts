import { ageColumn, nameColumn } from './columns.ts';
import type { Kind } from './kind.ts';

const kept = {
  ...{ versions: ['v1'], shortNames: [], namespaced: true, custom: false, createdByPut: false },
  columns: [nameColumn, ageColumn],
};
const rbac = { ...kept, group: 'rbac.authorization.k8s.io' };

/**
 * The kinds that an installation of Chains is made of: kept and given back, but nothing acts on them. Those with a status that
 * something else writes are as a custom resource.
 */
export const installedKinds: readonly Kind[] = [
  {
    ...rbac,
    kind: 'ClusterRole',
    plural: 'clusterroles',
    namespaced: false,
    fields: ['rules', 'aggregationRule'],
  },
  {
    ...rbac,
    kind: 'ClusterRoleBinding',
    plural: 'clusterrolebindings',
    namespaced: false,
    fields: ['roleRef', 'subjects'],
  },
  { ...rbac, kind: 'Role', plural: 'roles', fields: ['rules'] },
  { ...rbac, kind: 'RoleBinding', plural: 'rolebindings', fields: ['roleRef', 'subjects'] },
  {
    ...kept,
    group: 'networking.k8s.io',
    kind: 'NetworkPolicy',
    plural: 'networkpolicies',
    shortNames: ['netpol'],
    fields: ['spec'],
  },
  {
    ...kept,
    group: 'policy',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    shortNames: ['pdb'],
    fields: ['spec'],
  },
  { ...kept, group: '', kind: 'Service', plural: 'services', shortNames: ['svc'], fields: ['spec'] },
  {
    ...kept,
    group: 'apps',
    kind: 'Deployment',
    plural: 'deployments',
    shortNames: ['deploy'],
    custom: true,
    fields: [],
  },
  { ...kept, group: '', kind: 'Pod', plural: 'pods', shortNames: ['po'], custom: true, fields: [] },
];
