// The dashboard for Grafana asks for metrics and labels that there are.

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { exportedMetrics } from './exported.js';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { x: number; y: number; w: number; h: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const DASHBOARD = new URL('../../docs/grafana/nws.json', import.meta.url);
/** Prometheus adds these. */
const ADDED = ['job', 'instance'];

describe('the dashboard for Grafana', () => {
  const { panels, templating } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
    panels: Panel[];
    templating: { list: { name: string }[] };
  };
  /** Labels by metric. */
  let exported: Map<string, Set<string>>;

  before(async () => {
    exported = await exportedMetrics();
  });

  it('asks for metrics that are exported, by labels that they have', () => {
    const asked = new Set<string>();
    for (const { title, targets } of panels) {
      for (const { expr, legendFormat } of targets) {
        const metrics = expr.match(/nws_\w+/g) ?? [];
        expect(metrics, title).to.have.length(1);
        const [metric = ''] = metrics;
        asked.add(metric);
        const labels = [...(exported.get(metric) ?? []), ...ADDED];
        expect(exported.has(metric), metric).to.equal(true);
        const [, by = ''] = /by \(([^)]*)\)/.exec(expr) ?? [];
        const kept = by === '' ? labels : by.split(', ');
        expect(labels, metric).to.include.members(kept);
        const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
        expect(kept, `${title}: ${legendFormat}`).to.include.members(shown);
      }
    }
    const unused = [...exported.keys()].filter((name) => !asked.has(name));
    expect(unused).to.deep.equal(['nws_relay_unconfirmed_bytes', 'nws_relay_event_limit_bytes']);
  });

  it('takes rates of counters alone, and never a counter as it is', () => {
    for (const { targets } of panels) {
      for (const { expr } of targets) {
        const isCounter = /nws_\w+_total/.test(expr);
        expect(/(?:rate|increase)\(nws_\w+_total/.test(expr), expr).to.equal(isCounter);
      }
    }
  });

  it('has panels that lie beside each other, and knows its variables', () => {
    expect(new Set(panels.map(({ id }) => id)).size).to.equal(panels.length);
    for (const { gridPos: a, id } of panels) {
      expect(a.x + a.w).to.be.at.most(24);
      for (const { gridPos: b, id: other } of panels) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect(apart || id === other, `${id} and ${other}`).to.equal(true);
      }
    }
    expect(templating.list.map(({ name }) => name)).to.deep.equal([
      'datasource',
      'job',
      'instance',
    ]);
  });
});
