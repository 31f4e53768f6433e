// The variables that lead tools through the proxy, whatever was set before.

import { expect } from 'chai';
import { behindProxy, nostrExemptions } from '../../../src/cli/run/tool-proxies.js';

const URL = 'http://127.0.0.1:4000';
const OTHER = 'http://company.example:3128';
const LOCAL = 'localhost,127.0.0.1,::1';

describe('nws run: variables for proxies', () => {
  it('leads all tools through the proxy, past those of the outer environment', () => {
    const env = behindProxy(
      {
        HTTP_PROXY: OTHER,
        https_proxy: OTHER,
        PIP_PROXY: OTHER,
        npm_config_proxy: OTHER,
        HOME: 'h',
      },
      URL,
    );
    expect(env).to.deep.equal({
      HOME: 'h',
      HTTP_PROXY: URL,
      HTTPS_PROXY: URL,
      http_proxy: URL,
      https_proxy: URL,
      NO_PROXY: LOCAL,
      no_proxy: LOCAL,
      NODE_USE_ENV_PROXY: '1',
      PIP_PROXY: URL,
      CARGO_HTTP_PROXY: URL,
      npm_config_proxy: URL,
      npm_config_https_proxy: URL,
      npm_config_noproxy: LOCAL,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.proxy',
      GIT_CONFIG_VALUE_0: URL,
    });
  });

  it('keeps a NO_PROXY of the user as it is, in the case that it has', () => {
    const upper = behindProxy({ NO_PROXY: 'a.example' }, URL);
    expect(upper).to.include({ NO_PROXY: 'a.example', npm_config_noproxy: 'a.example' });
    expect(upper).to.not.have.property('no_proxy');
    const lower = behindProxy({ no_proxy: 'b.example', NO_PROXY: 'a.example' }, URL);
    expect(lower).to.include({ no_proxy: 'b.example', NO_PROXY: 'a.example' });
    expect(lower.npm_config_noproxy).to.equal('b.example');
    expect(behindProxy({ NO_PROXY: '' }, URL)).to.include({ NO_PROXY: LOCAL, no_proxy: LOCAL });
  });

  it('leaves npm one variable of each kind, and the user’s own exemptions', () => {
    const env = behindProxy(
      { NPM_CONFIG_HTTPS_PROXY: OTHER, 'npm_config_https-proxy': OTHER, NPM_CONFIG_NOPROXY: 'x' },
      URL,
    );
    const names = Object.keys(env).filter((name) => /^npm/i.test(name));
    expect(names).to.have.members([
      'npm_config_proxy',
      'npm_config_https_proxy',
      'npm_config_noproxy',
    ]);
    expect(env).to.include({ npm_config_https_proxy: URL, npm_config_noproxy: 'x' });
  });

  it('appends to the settings that git has by variables', () => {
    const given = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'a.b', GIT_CONFIG_VALUE_0: 'c' };
    expect(behindProxy(given, URL)).to.include({
      ...given,
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_1: 'http.proxy',
      GIT_CONFIG_VALUE_1: URL,
    });
    const odd = behindProxy({ GIT_CONFIG_COUNT: 'x' }, URL);
    expect(odd.GIT_CONFIG_COUNT).to.equal('x');
    expect(odd).to.not.have.property('GIT_CONFIG_KEY_0');
  });

  it('finds what in NO_PROXY stands for .nostr hosts', () => {
    const found = (NO_PROXY: string) => nostrExemptions({ NO_PROXY });
    expect(found('a.example, .nostr,*.NOSTR:443 nostr *')).to.deep.equal([
      '.nostr',
      '*.nostr:443',
      'nostr',
      '*',
    ]);
    expect(found('name.nostr')).to.deep.equal(['name.nostr']);
    expect(found('nostr.example,notnostr,10.0.0.0/8,::1')).to.deep.equal([]);
    expect(nostrExemptions({})).to.deep.equal([]);
  });
});
