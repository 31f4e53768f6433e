// What docs/monitoring.md and the alerts say of the metrics is so, and Prometheus takes the files as they are.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { isErrorCode } from '../../src/errors.js';
import { exportedMetrics } from './exported.js';

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));
const page = readFileSync(`${DOCS}monitoring.md`, 'utf8');
const alerts = readFileSync(`${DOCS}prometheus/alerts.yml`, 'utf8');

describe('the documents about monitoring', () => {
  let exported: Map<string, Set<string>>;

  before(async () => {
    exported = await exportedMetrics();
  });

  it('list every metric with its labels, and none besides', () => {
    const listed = new Map<string, string[]>();
    for (const row of page.split('\n').filter((line) => line.startsWith('| `nws_'))) {
      const [, names = '', labels = ''] = row.split('|');
      for (const [name] of names.matchAll(/nws_\w+/g)) listed.set(name, labels.match(/\w+/g) ?? []);
    }
    expect([...listed.keys()]).to.have.members([...exported.keys()]);
    for (const [name, labels] of listed) {
      expect(labels, name).to.have.members([...exported.get(name)!]);
    }
  });

  it('warn by metrics and codes that there are', () => {
    const expressions = [...alerts.matchAll(/^ +expr: (.*)$/gm)].map(([, text]) => text!);
    expect(expressions).to.have.length(6);
    for (const expression of expressions) {
      const names = expression.match(/nws_\w+/g) ?? [];
      expect(names.filter((name) => !exported.has(name))).to.deep.equal([]);
      for (const [, code] of expression.matchAll(/code="(\w+)"/g)) {
        expect(isErrorCode(code), code).to.equal(true);
      }
    }
  });

  it('are taken by Prometheus', function () {
    if (spawnSync('promtool', ['--version']).error !== undefined) this.skip();
    const folder = mkdtempSync(join(tmpdir(), 'nws-prometheus-'));
    const [, config = ''] = /```yaml\n(scrape_configs:.*?)```/s.exec(page) ?? [];
    const rules = `rule_files: ["${DOCS}prometheus/alerts.yml"]\n`;
    writeFileSync(join(folder, 'prometheus.yml'), rules + config);
    const check = ['check', 'config', '--lint-fatal', join(folder, 'prometheus.yml')];
    const { status, stdout, stderr } = spawnSync('promtool', check, { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(stdout).to.match(/6 rules found/);
  });
});
