// What is made of deploy/monitoring/rules.yaml.

import * as v from 'valibot';
import { parse } from 'yaml';
import { table } from './table.ts';

const rules = v.object({
  groups: v.array(
    v.object({
      rules: v.array(
        v.object({
          alert: v.string(),
          for: v.string(),
          labels: v.object({ severity: v.string() }),
          annotations: v.object({ summary: v.string(), description: v.string() }),
        }),
      ),
    }),
  ),
});

/** The alerts with what each says, in Markdown. @param text of the rules file */
export function alertTable(text: string): string {
  const rows = v.parse(rules, parse(text)).groups.flatMap((group) =>
    group.rules.map((rule) => {
      const summary = rule.annotations.summary.replaceAll(/\{\{ \$(?:labels\.)?(\w+).*?\}\}/g, '`$1`');
      return [
        `\`${rule.alert}\``,
        rule.labels.severity,
        rule.for,
        `${summary}. ${rule.annotations.description}`,
      ];
    }),
  );
  return table(['alert', 'severity', 'after', 'what it says'], rows);
}

/** The rules as the Prometheus operator takes them. @param text of the rules file */
export function prometheusRule(text: string): string {
  const groups = text.slice(text.indexOf('groups:')).replaceAll(/^(?=.)/gm, '  ');
  return `# Made of rules.yaml by \`npm run docs\`: change that.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: tekton-chains
  namespace: tekton-chains
  labels: { app.kubernetes.io/name: tekton-chains }
spec:
${groups}`;
}
